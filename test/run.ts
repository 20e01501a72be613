/**
 * All tests: `npm test`, or `npm test -- FILE…`; with `--soak` the long ones of `test/soak` alone. `--record` keeps how long each
 * file took, in `house/durations.json`.
 *
 * Runs every file in a process of its own, two at a time, the longest first. Says which files took longest and which tests stood
 * aside, and prints `N passed, N failed` as the last line. Exit code 1 when anything failed, or when there was nothing to run.
 */
import { globSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { longestFirst, nameOf, recordDurations } from './house/durations.ts'
import { runTests, type TestRun } from './house/test-run.ts'

const MINUTE_MS = 60_000
/** Files at once. */
const LANES = 2
const SLOWEST_TOLD = 10
const CHECKOUT = join(import.meta.dirname, '..')

// Each file's process loads much the same modules: none has to strip and compile what another has. The server's folder.
process.env.NODE_COMPILE_CACHE ??= join(CHECKOUT, 'node_modules', '.cache', 'airlock')

const { values, positionals } = parseArgs({
  options: { soak: { type: 'boolean', default: false }, record: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const say = (line: string) => process.stderr.write(`${line}\n`)
const files = testFiles(values.soak, positionals)
let result: TestRun = { passed: 0, failed: 0, skipped: 0, timings: [], stoodAside: [] }
if (files.length > 0) {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  const fileMs = (values.soak ? 120 : 15) * MINUTE_MS
  result = await runTests({ files, lanes: LANES, fileMs, signal: stop.signal, output: process.stdout })
}
const { passed, failed, skipped, timings, stoodAside } = result
if (timings.length > SLOWEST_TOLD) {
  say(`The ${SLOWEST_TOLD} slowest files:`)
  for (const { file, ms } of timings.slice(0, SLOWEST_TOLD))
    say(`${(ms / 1000).toFixed(1).padStart(7)} s  ${nameOf(file)}`)
}
if (skipped > 0) {
  say(`${skipped} skipped, and not counted:`)
  for (const { file, name, why } of stoodAside) say(`  ${name} (${nameOf(file)})${why === '' ? '' : `: ${why}`}`)
}
if (values.record) recordDurations(timings)
const isGood = failed === 0 && passed > 0
process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(isGood ? 0 : 1))

/** A FILE may be a pattern; one that fits nothing leaves nothing to run. */
function testFiles(isSoak: boolean, wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) {
    const patterns = isSoak
      ? ['test/soak/**/*.test.ts']
      : ['test/**/*.test.ts', 'src/**/*.test.ts', 'bench/**/*.test.ts']
    const found = patterns.flatMap((pattern) => globSync(pattern, { cwd: CHECKOUT }).sort())
    const chosen = found.filter((file) => isSoak || !file.startsWith(join('test', 'soak')))
    if (chosen.length === 0) say(`Cannot find any tests: no file fits ${patterns.join(' or ')}`)
    return longestFirst(chosen.map((file) => join(CHECKOUT, file)))
  }
  const chosen = new Set<string>()
  for (const one of wanted) {
    const found = globSync(one).sort()
    if (found.length === 0) {
      say(`Cannot find tests: no file fits "${relative(process.cwd(), resolve(one))}"`)
      return []
    }
    for (const file of found) chosen.add(resolve(file))
  }
  return [...chosen]
}
