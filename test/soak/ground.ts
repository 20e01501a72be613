/** What all who act in a simulated day share: the server of the moment, upstream, the model, the time, and what went wrong. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Exchange, exchange, NO_REPLY, type Reply } from './exchange.ts'
import type { Served } from './served.ts'
import { Shelf } from './shelf.ts'
import type { UpstreamLife } from './upstream-life.ts'

/** Of each kind of complaint so many are told in full; more are counted. */
const TOLD = 3
/** So often in one calm an answer may be missing for want of time. */
const LATE_STEPS = 2

export interface Answer extends Reply {
  /** The server was stopped or killed meanwhile: what came, and what did not, says nothing. */
  readonly isCut: boolean
}

export class Ground {
  readonly life: UpstreamLife
  readonly dev = new Shelf('root/dev', { isVolatile: true })
  readonly prod = new Shelf('root/prod', { isVolatile: false })
  /** Files of the mirror that a client got whole: filename → sha256. They stay available whatever upstream does. */
  readonly held = new Map<string, string>()
  /** Projects of the mirror whose page somebody got. */
  readonly seenPages = new Set<string>()
  /** What zips of documentation say, by digest. */
  readonly texts = new Map<string, string>()
  /** Answers by what was done and what came. */
  readonly answers = new Map<string, Map<string, number>>()
  requests = 0
  nowMs: number
  #served: Served | undefined
  /** Raised whenever a server goes. */
  #ends = 0
  /** By the begin of the calm: the times at which it showed. */
  readonly #unhealed = new Map<number, Set<number>>()
  readonly #complaints = new Map<string, { told: string[]; count: number }>()

  constructor(life: UpstreamLife, nowMs: number) {
    this.life = life
    this.nowMs = nowMs
  }

  get served(): Served {
    if (this.#served === undefined) throw new Error('Cannot ask the server: it is not running')
    return this.#served
  }

  get isUp(): boolean {
    return this.#served !== undefined
  }

  began(served: Served): void {
    this.#served = served
  }

  /** To be called before the server is told to end. */
  ends(): Served {
    const { served } = this
    this.#served = undefined
    this.#ends++
    return served
  }

  /** Never throws; without a server it gives an answer that was cut. `mayBreak`: an answer that breaks off is none to complain of. */
  async ask(what: string, path: string, sent: Exchange = {}, mayBreak = false): Promise<Answer> {
    if (this.#served === undefined) return { ...NO_REPLY, isCut: true }
    const ends = this.#ends
    this.requests++
    const reply = await exchange(`${this.#served.url}${path}`, sent)
    // It may have been killed, and who killed it not have said so yet.
    if (this.#ends === ends && reply.status === 0) await delay(200)
    const isCut = this.#ends !== ends
    const answer = { ...reply, isCut }
    const brokeOff = sent.sendOnlyBytes === undefined && sent.readOnlyBytes === undefined && !reply.isComplete
    const came = isCut && !reply.isComplete ? 'cut' : `${reply.status}${brokeOff ? ' broken off' : ''}`
    const tally = this.answers.get(what) ?? new Map<string, number>()
    this.answers.set(what, tally.set(came, (tally.get(came) ?? 0) + 1))
    if (!isCut) {
      if (brokeOff && !mayBreak) this.wrong(what, path, answer, 'the answer broke off')
      if (reply.status >= 500 && reply.status !== 502 && reply.status !== 503)
        this.wrong(what, path, answer, 'an error inside')
    }
    return answer
  }

  wrong(what: string, path: string, answer: Reply, why: string): void {
    const said = answer.bytes.toString('latin1', 0, 300).replaceAll('\n', ' ')
    const kind = `${what}, ${answer.status}: ${why.replace(/[\w.+-]*\d[\w.:+-]*/g, '…')}`
    this.fault(`${what} ${path}: ${why}; ${answer.status} ${answer.trouble} ${said}`, kind)
  }

  /**
   * Upstream works again, and the answer is as if it did not. On a busy machine one answer of upstream may be late all
   * the same, and what follows from it lasts until the clock goes on: it is a fault when it lasts longer.
   */
  unhealed(what: string, path: string, answer: Reply, why: string): void {
    const { sinceMs } = this.life.weather
    const times = this.#unhealed.get(sinceMs) ?? new Set()
    this.#unhealed.set(sinceMs, times.add(this.nowMs))
    const since = new Date(sinceMs).toISOString()
    if (times.size > LATE_STEPS) this.wrong(what, path, answer, `${why}; upstream works since ${since}`)
  }

  /** Steps in which an answer came late though upstream worked. */
  get lateSteps(): number {
    return [...this.#unhealed.values()].reduce((sum, times) => sum + times.size, 0)
  }

  /** `kind`: what it has in common with others like it. */
  fault(sentence: string, kind = sentence): void {
    const known = this.#complaints.get(kind) ?? { told: [], count: 0 }
    this.#complaints.set(kind, known)
    known.count++
    const when = `${new Date(this.nowMs).toISOString()} (upstream: ${this.life.weather.name})`
    if (known.told.length < TOLD) known.told.push(`${when} ${sentence}`)
  }

  /** All that went wrong, in sentences. */
  get complaints(): string[] {
    return [...this.#complaints].flatMap(([kind, { told, count }]) =>
      count > TOLD ? [...told, `${count - TOLD} more of: ${kind}`] : told,
    )
  }
}
