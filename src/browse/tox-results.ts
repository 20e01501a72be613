/** Reads test results for pages, within limits, and caches them: a result never changes. */
import type { BlobStore } from '../blob/blob-store.ts'
import { parseBoundedJson } from '../lib/bounded-json.ts'
import type { Digest } from '../lib/digest.ts'
import { Recent } from '../lib/recent.ts'
import { collect } from '../lib/streams.ts'
import type { Limits } from '../model/limits.ts'
import type { Attachment } from '../model/records.ts'
import type { TestLine } from './attachment-views.ts'
import { phaseOf, readToxReport, stateOf, TOX_BOUNDS, type ToxEnvironment, type ToxState } from './tox-report.ts'

/** One run in one environment. */
type Summary = Omit<TestLine, 'result'>

/** Summaries kept in memory, at some 200 bytes each. */
const SUMMARIES_KEPT = 20_000

/** What one page may still read: newest results come first, and the rest is only named. */
export interface ToxBudget {
  results: number
  bytes: number
}

export class ToxResults {
  readonly #blobs: BlobStore
  readonly #limits: Limits
  readonly #summaries = new Recent<Digest, readonly Summary[]>(SUMMARIES_KEPT)

  constructor(from: { readonly blobs: BlobStore; readonly limits: Limits }) {
    this.#blobs = from.blobs
    this.#limits = from.limits
  }

  /** For one page. */
  budget(): ToxBudget {
    return { results: this.#limits.toxPageResults, bytes: this.#limits.toxPageBytes }
  }

  /**
   * A line for each environment of each of `results` (newest first), and one without environment for a result that is no
   * report or that the budget has no room for. With `newest`, the newest line only of each host, platform and environment.
   */
  async lines(results: readonly Attachment[], budget: ToxBudget, newest: boolean): Promise<TestLine[]> {
    const seen = new Set<string>()
    const lines: TestLine[] = []
    for (const result of results) {
      for (const summary of await this.#summary(result, budget)) {
        const key = JSON.stringify([summary.host, summary.platform, summary.environment])
        if (newest && (summary.environment === undefined || seen.has(key))) continue
        seen.add(key)
        lines.push({ ...summary, result: result.filename })
      }
    }
    return lines
  }

  /** The whole of one result; `undefined` where it is no report, or too large. */
  async report(result: Attachment): Promise<ToxEnvironment[] | undefined> {
    if (result.sizeBytes > this.#limits.toxShownBytes) return undefined
    const bytes = await collect(await this.#blobs.open(result.digest), this.#limits.toxShownBytes)
    try {
      return readToxReport(parseBoundedJson(bytes.toString('utf8'), TOX_BOUNDS))
    } catch (error) {
      // Every JSON is taken as a result, and what an import brought was not looked at.
      if (error instanceof SyntaxError) return undefined
      throw error
    }
  }

  async #summary(result: Attachment, budget: ToxBudget): Promise<readonly Summary[]> {
    const kept = this.#summaries.get(result.digest)
    if (kept !== undefined) return kept
    const isAffordable = budget.results > 0 && budget.bytes >= result.sizeBytes
    if (!isAffordable && result.sizeBytes <= this.#limits.toxShownBytes) return [{ state: 'unknown', why: 'unread' }]
    budget.results--
    if (result.sizeBytes <= this.#limits.toxShownBytes) budget.bytes -= result.sizeBytes
    const environments = await this.report(result)
    const summaries: readonly Summary[] =
      environments === undefined ? [{ state: 'unknown', why: 'unreadable' }] : environments.map(summaryOf)
    this.#summaries.set(result.digest, summaries, summaries.length + 1)
    return summaries
  }
}

/** Failed where one failed, passed where all passed; `undefined` for none. */
export function overallState(lines: readonly { readonly state: ToxState }[]): ToxState | undefined {
  if (lines.length === 0) return undefined
  if (lines.some((line) => line.state === 'failed')) return 'failed'
  return lines.every((line) => line.state === 'passed') ? 'passed' : 'unknown'
}

function summaryOf({ host, platform, name, python, setup, test }: ToxEnvironment): Summary {
  const phases = { setup: phaseOf(setup), test: phaseOf(test) }
  return {
    host,
    platform,
    environment: name,
    ...(python !== undefined && { python }),
    ...phases,
    state: stateOf(phases.setup, phases.test),
  }
}
