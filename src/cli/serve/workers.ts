/** The further workers of a server, from worker 0's side: started, asked, started anew when one dies, and stopped. */
import { Worker } from 'node:worker_threads'
import { SharedHolds } from '../../blob/shared-holds.ts'
import type { Config } from '../../config/load.ts'
import type { Log } from '../../lib/log.ts'
import type { Duties, Peers, WorkerFigures } from '../../mirrors/peers.ts'
import type { Limits } from '../../model/limits.ts'
import type { SharedMemory } from '../server-commands.ts'
import type { Address } from './listen.ts'
import { type Failure, failed, WorkerLink } from './worker-link.ts'
import { packConfig, type WorkerSeat } from './worker-seat.ts'

export interface WorkersOptions {
  readonly program: URL
  readonly config: Config
  readonly shared: SharedMemory
  readonly logLines: WorkerSeat['log']
}

/** What the launcher gives the process's own thread: see `bin/airlock`. Old generations may grow as there. */
const HEAP = { maxYoungGenerationSizeMb: 6 }
/** A worker that ran so long before it died is started anew after the first pause again. */
const STEADY_MS = 60_000
/** Beyond the time for requests under way: the stores are closed in it. */
const END_MS = 5000

interface Seat {
  readonly thread: Worker
  readonly link: WorkerLink
  readonly ended: Promise<void>
}

export class Workers {
  readonly #options: WorkersOptions
  readonly #limits: Limits
  readonly #seats = new Map<number, Seat>()
  readonly #pauses = new Set<NodeJS.Timeout>()
  #duties: Duties | undefined
  #log: Log | undefined
  #addresses: readonly Address[] = []
  #isStopping = false

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#limits = options.config.limits
  }

  /** The others, as worker 0 sees them. */
  readonly peers: Peers = {
    worker: 0,
    wake: () => this.#duties?.wake(),
    pruned: () => this.#tellOthers('pruned', 0),
    figures: () => this.#figures(0),
  }

  /** When all listen. Throws why one could not start; the others are to be stopped then. */
  async start(duties: Duties, addresses: readonly Address[], log: Log): Promise<void> {
    this.#duties = duties
    this.#addresses = addresses
    this.#log = log
    const numbers = Array.from({ length: this.#options.config.workers - 1 }, (_, each) => each + 1)
    await Promise.all(numbers.map((number) => this.#start(number, 0)))
  }

  /** All at once; each finishes the requests under way first. One that does not end in time is ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    for (const pause of this.#pauses) clearTimeout(pause)
    this.#tellOthers('stop', 0)
    const late = setTimeout(() => {
      for (const [number, { thread }] of this.#seats) {
        this.#log?.http.error({ worker: number }, 'A worker did not end in time and was ended')
        void thread.terminate()
      }
    }, this.#limits.drainMs + END_MS)
    await Promise.all([...this.#seats.values()].map(({ ended }) => ended))
    clearTimeout(late)
  }

  async #start(number: number, failures: number): Promise<void> {
    const { program, config, shared, logLines } = this.#options
    const seat: WorkerSeat = {
      config: packConfig(config),
      shared: { ...shared, worker: number },
      addresses: this.#addresses,
      log: logLines,
    }
    const thread = new Worker(program, { workerData: seat, resourceLimits: HEAP, name: `airlock worker ${number}` })
    const startedMs = performance.now()
    const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
    let reason: unknown
    const link = new WorkerLink(thread, {
      other: `worker ${number}`,
      questionsMost: this.#limits.workerQuestions,
      onTrouble: (error) => this.#log?.http.error({ err: error, worker: number }, 'Cannot do what a worker asked for'),
      replies: {
        listening: () => resolve(),
        failed: (failure: Failure) => {
          reason = failed(failure)
        },
        wake: () => this.#duties?.wake(),
        pruned: async () => {
          this.#tellOthers('pruned', number)
          await this.#duties?.pruned()
        },
        openMirror: (indexId: number) => this.#duties?.openMirror(indexId),
        refreshList: (indexId: number) => this.#duties?.refreshList(indexId),
        figures: () => this.#figures(number),
      },
    })
    thread.once('error', (error) => {
      // What it said itself tells more.
      reason ??= error
    })
    const ended = new Promise<void>((resolve) => {
      thread.once('exit', (code) => {
        this.#seats.delete(number)
        link.close()
        // What it was about to name it will not name any more.
        new SharedHolds(shared.holds, 0).forget(number)
        const cause = reason ?? new Error(`the thread ended with code ${code}`)
        reject(cause)
        resolve()
        if (!this.#isStopping && hasListened) this.#died(number, cause, performance.now() - startedMs, failures)
      })
    })
    this.#seats.set(number, { thread, link, ended })
    let hasListened = false
    const late = setTimeout(() => {
      reason = new Error(`it did not listen within ${this.#limits.workerStartMs} ms`)
      void thread.terminate()
    }, this.#limits.workerStartMs)
    try {
      await listening
      hasListened = true
    } finally {
      clearTimeout(late)
    }
  }

  #died(number: number, error: unknown, livedMs: number, failures: number): void {
    const before = livedMs >= STEADY_MS ? 0 : failures
    const { backoffFirstMs, backoffMostMs } = this.#limits
    const pauseMs = Math.min(backoffFirstMs * 2 ** before, backoffMostMs)
    this.#log?.http.error({ err: error, worker: number, pause_ms: pauseMs }, 'A worker died and is started anew')
    const pause = setTimeout(async () => {
      this.#pauses.delete(pause)
      try {
        await this.#start(number, before + 1)
        this.#log?.http.warn({ worker: number }, 'A worker that died is back')
      } catch (failure) {
        if (!this.#isStopping) this.#died(number, failure, 0, before + 1)
      }
    }, pauseMs)
    this.#pauses.add(pause)
  }

  #tellOthers(word: string, from: number): void {
    for (const [number, { link }] of this.#seats) if (number !== from) link.tell(word)
  }

  /** Of all but one, who asks. */
  async #figures(asker: number): Promise<readonly WorkerFigures[]> {
    const others = [...this.#seats].filter(([number]) => number !== asker)
    const asked = others.map(([, { link }]) => link.ask('figures', undefined, this.#limits.workerAnswerMs / 2))
    const own = asker === 0 || this.#duties === undefined ? [] : [this.#duties.figures()]
    return [...own, ...((await Promise.all(asked)) as WorkerFigures[])]
  }
}
