/**
 * Holds keep a blob from deletion while its row is being written, and put publishing and discarding of one blob in order.
 * For stores that one process alone writes.
 */
import type { Digest } from '../lib/digest.ts'
import type { SharedHolds } from './shared-holds.ts'

export class BlobHolds {
  readonly #counts = new Map<Digest, number>()
  readonly #last = new Map<Digest, Promise<unknown>>()
  readonly #shared: SharedHolds | undefined

  /** With `shared`, the other workers of this server publish and discard too. */
  constructor(shared?: SharedHolds) {
    this.#shared = shared
  }

  hold(digest: Digest): Disposable {
    if (this.#shared !== undefined) return this.#shared.hold(digest)
    this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1)
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        const left = this.#counts.get(digest)! - 1
        if (left === 0) this.#counts.delete(digest)
        else this.#counts.set(digest, left)
      },
    }
  }

  isHeld(digest: Digest): boolean {
    return this.#shared?.isHeld(digest) ?? this.#counts.has(digest)
  }

  /** One after the other for one digest, in the order of the calls. */
  async exclusively<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(digest) ?? Promise.resolve()
    const shared = this.#shared
    const mine = before.then(shared === undefined ? work : () => shared.exclusively(digest, work))
    const settled = mine.then(nothing, nothing)
    this.#last.set(digest, settled)
    try {
      return await mine
    } finally {
      if (this.#last.get(digest) === settled) this.#last.delete(digest)
    }
  }

  /** Runs `remove` unless somebody holds the digest or `isNamed` says that a row names it; tells whether it did. */
  async discard(digest: Digest, isNamed: () => Promise<boolean>, remove: () => Promise<void>): Promise<boolean> {
    return await this.exclusively(digest, async () => {
      if (this.isHeld(digest) || (await isNamed())) return false
      await remove()
      return true
    })
  }
}

function nothing(): void {}
