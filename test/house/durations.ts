/** How long each test file took when it was last recorded, so that the longest are begun first: two lanes then end together. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { FileTiming } from './test-run.ts'

const CHECKOUT = join(import.meta.dirname, '..', '..')
/** By path from the checkout, in whole seconds. */
const RECORD = join(import.meta.dirname, 'durations.json')
/** Shorter ones need no place in the order. */
const LEAST_SECONDS = 2

/** The files, the longest first; those that are not recorded come last, as they were given. */
export function longestFirst(files: readonly string[]): readonly string[] {
  const seconds = JSON.parse(readFileSync(RECORD, 'utf8')) as Readonly<Record<string, number>>
  const secondsOf = (file: string) => seconds[nameOf(file)] ?? 0
  return files.toSorted((a, b) => secondsOf(b) - secondsOf(a))
}

/** Keeps the timings of a whole run in place of those before. */
export function recordDurations(timings: readonly FileTiming[]): void {
  const long = timings.map(({ file, ms }) => [nameOf(file), Math.round(ms / 1000)] as const)
  const kept = long.filter(([, seconds]) => seconds >= LEAST_SECONDS).toSorted(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(RECORD, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`)
}

/** As it is written everywhere: with slashes. */
export function nameOf(file: string): string {
  return relative(CHECKOUT, file).split(sep).join('/')
}
