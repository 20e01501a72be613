/**
 * A circuit breaker: remembers whether an upstream can be reached, so that not every request waits to find out.
 *
 * Closed, everything goes. It opens when upstream gives no answer at all, or answers several times in a row that it is
 * broken (500 and above): then nothing goes but a probe after each pause, by itself, so that no request pays for it. A
 * probe that is answered half opens it: everything goes again, and the next failure goes on with the longer pauses. An
 * answer to a request closes it. Asked to wait (429 or 503 with Retry-After, or 429 several times in a row), it waits, and
 * that is no failure: upstream is there.
 */
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'

export type CircuitState = 'closed' | 'half-open' | 'open' | 'waiting'

type Bounds = Pick<Limits, 'backoffFirstMs' | 'backoffMostMs'> &
  Partial<Pick<Limits, 'retryAfterMostMs' | 'upstreamErrors'>>

export class Reachability {
  readonly #clock: Clock
  readonly #limits: Bounds
  readonly #probe: ((path: string | undefined) => Promise<boolean>) | undefined
  readonly #turned: () => void
  #failure: string | undefined
  #sinceMs = 0
  #pauseMs = 0
  #nextTrialMs = 0
  #waitUntilMs = 0
  #errorsInARow = 0
  #isHalfOpen = false
  /** A request is out to see. */
  #isTrial = false
  #answeredPath: string | undefined
  #answeredMs = Number.NEGATIVE_INFINITY
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  /**
   * `probe` asks upstream for little and tells whether it is there; it gets the path that was answered last, where one was.
   * Without it, a request is the trial after each pause. `turned` is called when upstream is taken to be gone, and when it is
   * there again.
   */
  constructor(
    clock: Clock,
    limits: Bounds,
    probe?: (path: string | undefined) => Promise<boolean>,
    turned: () => void = () => {},
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#probe = probe
    this.#turned = turned
  }

  /** Why upstream is taken to be gone; absent while it answers or nothing is known. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** When it was last seen to fail for the first time, ms since 1970. */
  get downSinceMs(): number | undefined {
    return this.#failure === undefined ? undefined : this.#sinceMs
  }

  get state(): CircuitState {
    if (this.#failure !== undefined) return 'open'
    if (this.#now() < this.#waitUntilMs) return 'waiting'
    return this.#isHalfOpen ? 'half-open' : 'closed'
  }

  /** When upstream is asked again, ms since 1970; absent while everything goes. */
  get nextTrialMs(): number | undefined {
    const untilMs = Math.max(this.#failure === undefined ? 0 : this.#nextTrialMs, this.#waitUntilMs)
    return this.#failure === undefined && untilMs <= this.#now() ? undefined : untilMs
  }

  /** Why nothing may go now, for a sentence. */
  get reason(): string {
    return this.#failure ?? 'it asked to wait'
  }

  /** Whether a request may go out now. While upstream is gone one goes out as a trial after each pause that no probe has ended. */
  mayTry(): boolean {
    const now = this.#now()
    if (now < this.#waitUntilMs) return false
    if (this.#failure === undefined) return true
    if (now < this.#nextTrialMs) return false
    this.#nextTrialMs = now + this.#pauseMs
    this.#isTrial = true
    return true
  }

  /** Upstream is gone, and the next request will go out as a trial. */
  get isTrialDue(): boolean {
    const now = this.#now()
    return this.#failure !== undefined && now >= this.#nextTrialMs && now >= this.#waitUntilMs
  }

  /** Seconds until the next trial, at least one. */
  get retrySeconds(): number {
    return Math.max(1, Math.ceil((Math.max(this.#nextTrialMs, this.#waitUntilMs) - this.#now()) / 1000))
  }

  /** Whether a request was answered so lately: then a single silence says nothing about the whole of upstream. */
  hasAnsweredWithin(ms: number): boolean {
    return this.#now() - this.#answeredMs <= ms
  }

  /** A request was answered: upstream is there and works. `path`: what a probe may ask for from now on. */
  answered(path?: string): void {
    this.#answeredMs = this.#now()
    this.#answeredPath = path ?? this.#answeredPath
    this.#errorsInARow = 0
    this.#isHalfOpen = false
    this.#pauseMs = 0
    this.#close()
  }

  /** A request got no answer. `path`: what was asked for, and no probe should ask for. */
  failed(reason: string, path?: string): void {
    if (path === this.#answeredPath) this.#answeredPath = undefined
    const now = this.#now()
    // What was on its way when the circuit opened fails after it: that is the same failure, not one more.
    const isNews = this.#failure === undefined || this.#isTrial || now >= this.#nextTrialMs
    const wasThere = this.#failure === undefined
    if (wasThere) this.#sinceMs = now
    this.#failure = reason
    if (wasThere) this.#turned()
    this.#isHalfOpen = false
    this.#isTrial = false
    if (!isNews) return
    this.#pauseMs = Math.min(this.#limits.backoffMostMs, Math.max(this.#limits.backoffFirstMs, this.#pauseMs * 2))
    this.#nextTrialMs = now + this.#pauseMs
    this.#probeLater()
  }

  /**
   * A request was answered with an error: 429 or 500 and above. `retryAfterMs` is what upstream asked for, absent where
   * it asked for nothing; it is believed up to the limit.
   */
  erred(status: number, retryAfterMs: number | undefined): void {
    const { backoffFirstMs, backoffMostMs, retryAfterMostMs = backoffMostMs, upstreamErrors = 5 } = this.#limits
    this.#errorsInARow++
    const tooMany = this.#errorsInARow - upstreamErrors
    if (retryAfterMs !== undefined && (status === 429 || status === 503)) {
      this.#wait(Math.min(retryAfterMostMs, Math.max(retryAfterMs, backoffFirstMs)))
    } else if (status === 429 && tooMany >= 0) this.#wait(Math.min(backoffMostMs, backoffFirstMs * 2 ** tooMany))
    if (status === 429 || tooMany < 0) this.#close()
    else this.failed(`error ${status}, ${this.#errorsInARow} times in a row`)
  }

  /** No more probes. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #wait(ms: number): void {
    this.#waitUntilMs = Math.max(this.#waitUntilMs, this.#now() + ms)
  }

  #close(): void {
    const wasGone = this.#failure !== undefined
    this.#failure = undefined
    if (wasGone) this.#turned()
    this.#isTrial = false
    clearTimeout(this.#timer)
  }

  #probeLater(): void {
    clearTimeout(this.#timer)
    if (this.#probe === undefined || this.#isClosed) return
    this.#timer = setTimeout(() => void this.#probeNow(), this.#pauseMs)
    this.#timer.unref()
  }

  async #probeNow(): Promise<void> {
    const failure = this.#failure
    if (failure === undefined) return
    // It may hang on its path alone: when it takes longer than the pause was, a request need not wait for its end.
    this.#nextTrialMs = this.#now() + this.#pauseMs
    let isThere: boolean
    try {
      isThere = await this.#probe!(this.#answeredPath)
    } catch {
      isThere = false
    }
    if (this.#isClosed || this.#failure === undefined) return
    if (isThere) {
      this.#isHalfOpen = true
      this.#errorsInARow = 0
      this.#close()
    } else {
      this.#isTrial = true
      this.failed(failure)
    }
  }

  #now(): number {
    return this.#clock.now().getTime()
  }
}
