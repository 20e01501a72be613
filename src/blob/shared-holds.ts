/**
 * The holds of all workers of a server: counters in shared memory, with one lock for each slot. The hash of a name
 * chooses the slot. Two names in one slot are both held while one is, so at worst a blob is deleted later. Each worker
 * has its own counters, so the holds of a dead worker can be released.
 */
import { createHash } from 'node:crypto'
import { waitForChange } from '../lib/shared-wait.ts'

/** Of both kinds, for one worker. With some thousand blobs held at a time, few others are held by chance. */
const PLACES = 65_536
/** A lock is held for a few file operations or one question to the catalog. Looked again so often, should nobody tell. */
const LOOK_MS = 100

export class SharedHolds {
  readonly #worker: number
  readonly #locks: Int32Array
  readonly #counts: readonly Int32Array[]

  /** Memory for so many workers: 256 KiB each, of which the system gives what is used. */
  static memory(workers: number): SharedArrayBuffer {
    return new SharedArrayBuffer((workers + 1) * PLACES * 4)
  }

  /** Those of the worker of that number, from 0. */
  constructor(buffer: SharedArrayBuffer, worker: number) {
    const [locks, ...counts] = Array.from(
      { length: buffer.byteLength / 4 / PLACES },
      (_, each) => new Int32Array(buffer, each * PLACES * 4, PLACES),
    )
    this.#worker = worker
    this.#locks = locks!
    this.#counts = counts
  }

  hold(name: string): Disposable {
    const place = placeOf(name)
    const mine = this.#counts[this.#worker]!
    Atomics.add(mine, place, 1)
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (isHeld) Atomics.sub(mine, place, 1)
        isHeld = false
      },
    }
  }

  /** By any worker. */
  isHeld(name: string): boolean {
    const place = placeOf(name)
    return this.#counts.some((counts) => Atomics.load(counts, place) > 0)
  }

  /** While `work` runs, no worker runs other work under that name. To be called for one thing at a time under one name. */
  async exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
    const place = placeOf(name)
    const locks = this.#locks
    for (;;) {
      const holder = Atomics.compareExchange(locks, place, 0, this.#worker + 1)
      if (holder === 0) break
      await waitForChange(locks, place, holder, LOOK_MS)
    }
    try {
      return await work()
    } finally {
      Atomics.store(locks, place, 0)
      Atomics.notify(locks, place)
    }
  }

  /** Of a worker that has ended, however it did. */
  forget(worker: number): void {
    this.#counts[worker]!.fill(0)
    for (const [place, holder] of this.#locks.entries()) {
      if (holder !== worker + 1) continue
      Atomics.store(this.#locks, place, 0)
      Atomics.notify(this.#locks, place)
    }
  }
}

function placeOf(name: string): number {
  return createHash('sha1').update(name).digest().readUInt16BE(0)
}
