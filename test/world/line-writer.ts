/** A thread that writes long lines, as fast as it can. */
import { workerData } from 'node:worker_threads'
import { LogLines } from '../../src/lib/log-lines.ts'

export interface LineWork {
  readonly fd: number
  readonly lock: SharedArrayBuffer
  readonly letter: string
  readonly lines: number
  readonly characters: number
}

const { fd, lock, letter, lines, characters } = workerData as LineWork
const out = new LogLines(fd, lock)
for (let each = 0; each < lines; each++) out.write(`${letter.repeat(characters)}${each}\n`)
