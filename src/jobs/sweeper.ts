/**
 * Periodic clean-up while the server runs: mirrored files that are too old, expired upload sessions, and blobs without a
 * row.
 */
import type { BlobStore } from '../blob/blob-store.ts'
import { listIndexes } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { deleteExpiredSessions, hasExpiredSessions } from '../catalog/upload-sessions.ts'
import type { Clock } from '../lib/clock.ts'
import type { Mirrors } from '../mirrors/mirrors.ts'
import type { Limits } from '../model/limits.ts'
import { isMirror } from '../model/records.ts'
import { collectDropped } from './dropped.ts'

export interface SweeperOptions {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly mirrors: Pick<Mirrors, 'get'>
  readonly limits: Limits
  readonly clock: Clock
  /** Told of a sweep that let something go. */
  readonly onSwept: (swept: Swept) => void
  /** Told when a part of a sweep failed; the rest goes on, and the next sweep tries again. */
  readonly onTrouble: (error: unknown) => void
}

export interface Swept {
  readonly files: number
  readonly blobs: number
  readonly bytes: number
}

export class Sweeper implements AsyncDisposable {
  readonly #options: SweeperOptions
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #isStopping = false

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  /** Sweeps now, and again and again. */
  start(): void {
    if (this.#isStopping || this.#timer !== undefined) return
    const sweep = () => {
      this.#sweeping = this.#sweeping.then(() => this.sweep())
    }
    this.#timer = setInterval(sweep, this.#options.limits.sweepMs).unref()
    sweep()
  }

  /** Lets go what mirrors keep beyond their bounds, upload sessions that have ended, and blobs that lost their last name a while ago. Never throws. */
  async sweep(): Promise<void> {
    const { catalog, blobs, mirrors, limits, clock, onSwept } = this.#options
    const swept = { files: 0, blobs: 0, bytes: 0 }
    await this.#try(async () => {
      for (const record of await catalog.read((reader) => listIndexes(reader))) {
        if (!isMirror(record) || this.#isStopping) continue
        await this.#try(async () => {
          const { files, bytes } = await (await mirrors.get(record)).room.keepWithin({ age: true })
          swept.files += files
          swept.bytes += bytes
        })
      }
    })
    await this.#try(async () => {
      const nowMs = clock.now().getTime()
      if (!(await catalog.read((reader) => hasExpiredSessions(reader, nowMs)))) return
      await catalog.write((writer) => deleteExpiredSessions(writer, nowMs))
    })
    const options = { graceMs: limits.blobGraceMs, clock, isStopping: () => this.#isStopping }
    await this.#try(async () => {
      const collected = await collectDropped(catalog, blobs, options)
      swept.blobs += collected.blobs
      swept.bytes += collected.bytes
    })
    if (swept.files + swept.blobs > 0) onSwept(swept)
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#options.onTrouble(error)
    }
  }

  /** Ends the sweep under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#timer)
    await this.#sweeping
  }
}
