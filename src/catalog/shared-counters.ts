/**
 * The numbers that all workers of a server have in common, in memory that their threads share. Whoever reads one sees at
 * once what another worker has committed; nobody waits for a message to arrive.
 */
import { waitForChange } from '../lib/shared-wait.ts'
import type { Serial } from '../model/records.ts'
import type { Counters } from './counters.ts'

/** Where each number lies. */
const SERIAL = 0
const STAMP_GIVEN = 1
const STAMP_SHOWN = 2
const PAGES = 3
const LISTS = 4
const LISTS_COMING = 5
const COUNT = 6

/** The write lock's own, in 32 bits: those can be waited for. */
const WRITERS_WAITING = 0
const TURN = 1
const LOCK_COUNT = 2

export class SharedCounters implements Counters {
  /** To be given to the other workers, who make their own `SharedCounters` of it. */
  readonly buffer: SharedArrayBuffer
  readonly #numbers: BigInt64Array
  readonly #lock: Int32Array

  /** Without a buffer, or with one that nobody else has, the numbers are this worker's own. */
  constructor(buffer = new SharedArrayBuffer(COUNT * 8 + LOCK_COUNT * 4)) {
    this.buffer = buffer
    this.#numbers = new BigInt64Array(buffer, 0, COUNT)
    this.#lock = new Int32Array(buffer, COUNT * 8, LOCK_COUNT)
  }

  /** Of the last write that some worker has committed: its rows are to be seen by every read that begins now. */
  get serial(): Serial {
    return Number(Atomics.load(this.#numbers, SERIAL)) as Serial
  }

  /** To be called after the commit and before anybody is told of it. A smaller one, told later, changes nothing. */
  committed(serial: Serial): void {
    this.#raise(SERIAL, BigInt(serial))
  }

  /** The greatest stamp of a committed write. */
  get lastStamp(): number {
    return Number(Atomics.load(this.#numbers, STAMP_SHOWN))
  }

  /** A number above every one that any worker was given, `nowMs` where that is one. Whoever asks holds the write lock. */
  takeStamp(nowMs: number): number {
    const next = Math.max(nowMs, Number(Atomics.load(this.#numbers, STAMP_GIVEN)) + 1)
    this.#raise(STAMP_GIVEN, BigInt(next))
    return next
  }

  /** What was committed with this stamp is to be seen. */
  showStamp(stamp: number): void {
    this.#raise(STAMP_GIVEN, BigInt(stamp))
    this.#raise(STAMP_SHOWN, BigInt(stamp))
  }

  get pages(): bigint {
    return Atomics.load(this.#numbers, PAGES)
  }

  pagesChanged(): void {
    Atomics.add(this.#numbers, PAGES, 1n)
  }

  get lists(): bigint {
    return Atomics.load(this.#numbers, LISTS)
  }

  listsChanged(): void {
    Atomics.add(this.#numbers, LISTS, 1n)
  }

  get mirrorNews(): bigint {
    return this.pages + this.lists
  }

  get isListComing(): boolean {
    return Atomics.load(this.#numbers, LISTS_COMING) > 0n
  }

  listComes(): Disposable {
    Atomics.add(this.#numbers, LISTS_COMING, 1n)
    return {
      [Symbol.dispose]: () => {
        this.listsChanged()
        Atomics.sub(this.#numbers, LISTS_COMING, 1n)
      },
    }
  }

  /** Whether another worker waits for the write lock. */
  get isWriterWaiting(): boolean {
    return Atomics.load(this.#lock, WRITERS_WAITING) > 0
  }

  /** Counts as waiting for the write lock until disposed. */
  waitToWrite(): Disposable {
    Atomics.add(this.#lock, WRITERS_WAITING, 1)
    return { [Symbol.dispose]: () => Atomics.sub(this.#lock, WRITERS_WAITING, 1) }
  }

  /** A transaction of this worker is over: who waits may try. */
  turnEnds(): void {
    Atomics.add(this.#lock, TURN, 1)
    Atomics.notify(this.#lock, TURN)
  }

  /** Until another transaction is over somewhere, `mostMs` at most. Does not keep this thread from other work. */
  async nextTurn(mostMs: number): Promise<void> {
    const seen = Atomics.load(this.#lock, TURN)
    await waitForChange(this.#lock, TURN, seen, mostMs)
  }

  #raise(place: number, to: bigint): void {
    for (let seen = Atomics.load(this.#numbers, place); seen < to; ) {
      const found = Atomics.compareExchange(this.#numbers, place, seen, to)
      if (found === seen) return
      seen = found
    }
  }
}
