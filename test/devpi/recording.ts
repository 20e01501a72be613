/** Recorded answers of a real devpi-server, in `recorded/`, one file for each group of steps. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from './answers.ts'

const FOLDER = join(import.meta.dirname, 'recorded')

/** Throws when the group was never recorded. */
export function readRecording(group: string): Answer[] {
  return JSON.parse(readFileSync(join(FOLDER, `${group}.json`), 'utf8')) as Answer[]
}

export function writeRecording(group: string, answers: readonly Answer[]): void {
  writeFileSync(join(FOLDER, `${group}.json`), `${JSON.stringify(answers, null, 2)}\n`)
}
