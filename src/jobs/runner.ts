/**
 * The job runner: claims, runs and settles the jobs of the job table. A failed job is retried later, a limited number of
 * times.
 */
import type { Catalog } from '../catalog/catalog.ts'
import { type ClaimedJob, claim, nextDueMs, postpone, settle } from '../catalog/queue.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'
import type { Job } from '../model/records.ts'

export interface RunnerOptions {
  readonly catalog: Catalog
  readonly limits: Limits
  readonly clock: Clock
  readonly run: (job: Job) => Promise<void>
  /** Told once per failed attempt. */
  readonly onFailure: (job: Job, error: unknown, isLast: boolean) => void
  /** Told when the job table itself cannot be read or written (a full disk); the runner goes on after a pause. */
  readonly onTrouble: (error: unknown) => void
}

/** A job whose worker died is due again after this. */
const LEASE_MS = 10 * 60 * 1000
/** Looked at least this often, for jobs that became due by time alone. */
const IDLE_MS = 60_000
const RETRY_FIRST_MS = 5000

export class JobRunner implements AsyncDisposable {
  readonly #options: RunnerOptions
  #isStopping = false
  #wake = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop ??= this.#work()
  }

  /** There may be something to do. */
  wake(): void {
    this.#wake.resolve()
  }

  async #work(): Promise<void> {
    while (!this.#isStopping) {
      this.#wake = Promise.withResolvers<void>()
      let pauseMs: number
      try {
        pauseMs = await this.#step()
      } catch (error) {
        this.#options.onTrouble(error)
        pauseMs = RETRY_FIRST_MS
      }
      if (pauseMs === 0) continue
      const timer = setTimeout(this.#wake.resolve, pauseMs)
      await this.#wake.promise
      clearTimeout(timer)
    }
  }

  /** Runs the job that is due; gives the ms until there may be another. */
  async #step(): Promise<number> {
    const { catalog, clock } = this.#options
    const now = clock.now().getTime()
    const due = await catalog.read(nextDueMs)
    if (due === undefined || due > now) return due === undefined ? IDLE_MS : Math.min(IDLE_MS, due - now)
    const claimed = await catalog.write((writer) => claim(writer, now, now + LEASE_MS))
    if (claimed !== undefined) await this.#attempt(claimed)
    return 0
  }

  async #attempt({ id, job, attempts }: ClaimedJob): Promise<void> {
    const { catalog, clock, limits, run, onFailure } = this.#options
    try {
      await run(job)
    } catch (error) {
      const isLast = attempts >= limits.jobAttempts
      onFailure(job, error, isLast)
      if (!isLast) {
        const dueMs = clock.now().getTime() + RETRY_FIRST_MS * 2 ** attempts
        await catalog.write((writer) =>
          postpone(writer, id, dueMs, error instanceof Error ? error.message : String(error)),
        )
        return
      }
    }
    await catalog.write((writer) => settle(writer, id))
  }

  /** Ends after the job under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    this.wake()
    await this.#loop
  }
}
