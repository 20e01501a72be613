/** Runs test files in processes of their own and counts their results. */

import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

export interface TestRunOptions {
  /** Absolute paths, in the order in which they are begun. */
  readonly files: readonly string[]
  /** Files at once. */
  readonly lanes: number
  /** For each file: its process is ended then, and that is a failure. */
  readonly fileMs: number
  /** Ends the run early. */
  readonly signal?: AbortSignal
  readonly output: NodeJS.WritableStream
}

/** Leaf tests: a test with subtests, and a suite, is counted only when it fails for a reason of its own. */
export interface TestCounts {
  readonly passed: number
  /** With those that were cancelled, files that could not be loaded, took too long or hold no tests. */
  readonly failed: number
  /** Tests that stood aside. They are neither of the above. */
  readonly skipped: number
}

export interface TestRun extends TestCounts {
  /** How long each file took, the longest first. */
  readonly timings: readonly FileTiming[]
  readonly stoodAside: readonly SkippedTest[]
}

export interface FileTiming {
  /** As it was given. */
  readonly file: string
  readonly ms: number
}

export interface SkippedTest {
  readonly file: string
  readonly name: string
  /** What the test itself says; empty where it says nothing. */
  readonly why: string
}

/** Reports in node's `spec` form to `output`, each file's tests together. */
export async function runTests(options: TestRunOptions): Promise<TestRun> {
  const report = new spec()
  report.pipe(options.output, { end: false })
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const started = performance.now()
  const waiting = [...options.files]
  const timings: FileTiming[] = []
  const stoodAside: SkippedTest[] = []
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const begun = performance.now()
      const { events, passed, failed, skipped } = await runFile(file, options)
      timings.push({ file, ms: performance.now() - begun })
      for (const event of events) report.write(event)
      for (const { type, data } of events) {
        const why = data.skip ?? data.todo
        if (type === 'test:pass' && why !== undefined)
          stoodAside.push({ file, name: data.name ?? '', why: typeof why === 'string' ? why : '' })
      }
      counts.passed += passed
      counts.failed += failed
      counts.skipped += skipped
    }
  }
  await Promise.all(Array.from({ length: options.lanes }, lane))
  report.end(summary(counts, performance.now() - started))
  await finished(report)
  return { ...counts, timings: timings.toSorted((a, b) => b.ms - a.ms), stoodAside }
}

interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name?: string
    readonly nesting?: number
    readonly file?: string
    readonly message?: string
    readonly skip?: unknown
    readonly todo?: unknown
    readonly details?: { readonly type?: string; readonly error?: { readonly failureType?: string } }
  }
}

/** A process that was told to end is waited for this long. */
const ENDING_MS = 10_000

async function runFile(
  file: string,
  options: TestRunOptions,
): Promise<TestCounts & { readonly events: readonly TestEvent[] }> {
  const limit = AbortSignal.timeout(options.fileMs)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  const events: TestEvent[] = []
  // node:test starts process.execPath, and that is the Node which runs this.
  const stream = run({ files: [file], concurrency: 1, signal })
  const read = (async () => {
    for await (const event of stream) if (isWorthTelling(event)) events.push(event)
  })()
  let timer: NodeJS.Timeout | undefined
  const abandoned = new Promise<void>((resolve) => {
    const later = () => {
      timer = setTimeout(resolve, ENDING_MS)
    }
    if (signal.aborted) later()
    else signal.addEventListener('abort', later, { once: true })
  })
  let isAbandoned = false
  await Promise.race([
    read,
    abandoned.then(() => {
      isAbandoned = true
    }),
  ])
  clearTimeout(timer)
  if (isAbandoned)
    events.push(failure(file, `Cannot end "${file}": its process still ran ${ENDING_MS} ms after it was told to stop`))
  const counts = count(file, events)
  if (counts.passed + counts.failed + counts.skipped > 0) return { ...counts, events }
  return {
    ...counts,
    failed: 1,
    events: [...events, failure(file, `Cannot count "${file}": it ended without the result of any test`)],
  }
}

/** Counts leaves. A test's event follows those of its subtests, which are nested one deeper. */
function count(file: string, events: TestEvent[]): TestCounts {
  let passed = 0
  let failed = 0
  let skipped = 0
  let nestedBefore = 0
  for (const [at, { type, data }] of events.entries()) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const nesting = data.nesting ?? 0
    const isLeaf = data.details?.type !== 'suite' && nestedBefore <= nesting
    nestedBefore = nesting
    if (type === 'test:pass' && data.name === file) {
      // What node makes of a file without a single result: it holds no tests, or left its process in the midst of them.
      events[at] = failure(file, `Cannot count "${file}": it ended without the result of any test`)
      failed++
    } else if (data.skip !== undefined || data.todo !== undefined) skipped += isLeaf ? 1 : 0
    else if (type === 'test:pass') passed += isLeaf ? 1 : 0
    else if (isLeaf || data.details?.error?.failureType !== 'subtestsFailed') failed++
  }
  return { passed, failed, skipped }
}

function failure(file: string, message: string): TestEvent {
  const error = Object.assign(new Error(message), {
    code: 'ERR_TEST_FAILURE',
    failureType: 'testCodeFailure',
    cause: message,
  })
  const details = { duration_ms: 0, type: 'test', error }
  return { type: 'test:fail', data: { name: file, nesting: 0, file, details } }
}

/** Each file's own totals would be noise. */
function isWorthTelling({ type, data }: TestEvent): boolean {
  if (type === 'test:summary' || type === 'test:plan') return false
  return !(
    type === 'test:diagnostic' &&
    /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message ?? '')
  )
}

/** Makes the reporter list the failures again, at the end. */
function summary(counts: TestCounts, durationMs: number) {
  const { passed, failed, skipped } = counts
  const all = {
    tests: passed + failed + skipped,
    passed,
    failed,
    skipped,
    cancelled: 0,
    todo: 0,
    suites: 0,
    topLevel: 0,
  }
  return {
    type: 'test:summary',
    data: { success: failed === 0, counts: all, duration_ms: durationMs, file: undefined },
  }
}
