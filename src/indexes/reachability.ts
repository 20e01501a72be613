/** Whether an upstream can be reached, remembered, so that not every request finds it out anew by waiting. */
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'

export class Reachability {
  readonly #clock: Clock
  readonly #limits: Pick<Limits, 'backoffFirstMs' | 'backoffMostMs'>
  #failure: string | undefined
  #sinceMs = 0
  #pauseMs = 0
  #nextTrialMs = 0

  constructor(clock: Clock, limits: Pick<Limits, 'backoffFirstMs' | 'backoffMostMs'>) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Why upstream is taken to be gone; absent while it answers or nothing is known. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** When it was last seen to fail for the first time, ms since 1970. */
  get downSinceMs(): number | undefined {
    return this.#failure === undefined ? undefined : this.#sinceMs
  }

  /** Whether a request may go out now. While upstream is gone one goes out after each pause, as a trial. */
  mayTry(): boolean {
    if (this.#failure === undefined) return true
    const now = this.#clock.now().getTime()
    if (now < this.#nextTrialMs) return false
    this.#nextTrialMs = now + this.#pauseMs
    return true
  }

  /** Upstream is gone, and the next request will go out as a trial. */
  get isTrialDue(): boolean {
    return this.#failure !== undefined && this.#clock.now().getTime() >= this.#nextTrialMs
  }

  /** Seconds until the next trial, at least one. */
  get retrySeconds(): number {
    return Math.max(1, Math.ceil((this.#nextTrialMs - this.#clock.now().getTime()) / 1000))
  }

  answered(): void {
    this.#failure = undefined
    this.#pauseMs = 0
  }

  failed(reason: string): void {
    const now = this.#clock.now().getTime()
    if (this.#failure === undefined) this.#sinceMs = now
    this.#failure = reason
    this.#pauseMs = Math.min(this.#limits.backoffMostMs, Math.max(this.#limits.backoffFirstMs, this.#pauseMs * 2))
    this.#nextTrialMs = now + this.#pauseMs
  }
}
