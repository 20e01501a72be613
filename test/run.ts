/**
 * All tests: `npm test`, or `npm test -- FILE…`; with `--soak` the long ones of `test/soak` alone.
 *
 * Makes ready what tests need, runs every file in a process of its own, two at a time, and prints `N passed, N failed` as the last
 * line. Exit code 1 when anything failed, or when there was nothing to run.
 */
import { globSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runTests, type TestCounts } from './house/test-run.ts'
import { preparePythonEnvironment } from './programs/python-environment.ts'

const MINUTE_MS = 60_000
const CHECKOUT = join(import.meta.dirname, '..')

const { values, positionals } = parseArgs({
  options: { soak: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const say = (line: string) => process.stderr.write(`${line}\n`)
const files = testFiles(values.soak, positionals)
let counts: TestCounts = { passed: 0, failed: 0, skipped: 0 }
let isReady = true
try {
  if (files.length > 0) await preparePythonEnvironment(say)
} catch (error) {
  isReady = false
  say(error instanceof Error ? error.message : String(error))
}
if (isReady && files.length > 0) {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  const fileMs = (values.soak ? 120 : 15) * MINUTE_MS
  counts = await runTests({ files, lanes: 2, fileMs, signal: stop.signal, output: process.stdout })
}
if (counts.skipped > 0) say(`${counts.skipped} skipped, and not counted`)
const isGood = counts.failed === 0 && counts.passed > 0
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`, () => process.exit(isGood ? 0 : 1))

/** Those of `test/` first: they take longest. A FILE may be a pattern; one that fits nothing leaves nothing to run. */
function testFiles(isSoak: boolean, wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) {
    const patterns = isSoak
      ? ['test/soak/**/*.test.ts']
      : ['test/**/*.test.ts', 'src/**/*.test.ts', 'bench/**/*.test.ts']
    const found = patterns.flatMap((pattern) => globSync(pattern, { cwd: CHECKOUT }).sort())
    const chosen = found.filter((file) => isSoak || !file.startsWith(join('test', 'soak')))
    if (chosen.length === 0) say(`Cannot find any tests: no file fits ${patterns.join(' or ')}`)
    return chosen.map((file) => join(CHECKOUT, file))
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
