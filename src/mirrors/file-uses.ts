/**
 * Batches the uses of mirrored files in memory and writes them together, so that a download needs no transaction of its
 * own.
 */
import type { Catalog, Writer } from '../catalog/catalog.ts'
import { recordUses } from '../catalog/mirror-uses.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'

export interface FileUsesOptions {
  readonly catalog: Catalog
  readonly limits: Pick<Limits, 'usesFlushMs' | 'usesWaiting'>
  readonly clock: Clock
  /** Told when they cannot be written; they are forgotten then. */
  readonly onFailure: (error: unknown) => void
}

/** A crash loses at most `usesFlushMs` or `usesWaiting` uses: some files look older than they are. */
export class FileUses implements AsyncDisposable {
  readonly #options: FileUsesOptions
  readonly #waiting = new Map<number, { usedMs: number; uses: number }>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: FileUsesOptions) {
    this.#options = options
  }

  /** Somebody asked for the file. */
  note(fileId: number): void {
    const { clock, limits } = this.#options
    const known = this.#waiting.get(fileId)
    this.#waiting.set(fileId, { usedMs: clock.now().getTime(), uses: (known?.uses ?? 0) + 1 })
    if (this.#waiting.size >= limits.usesWaiting) void this.flush()
    else this.#timer ??= setTimeout(() => void this.flush(), limits.usesFlushMs).unref()
  }

  /** Writes down what waits. Never throws: `onFailure` is told. */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return
    try {
      await this.#options.catalog.write((writer) => this.flushInto(writer))
    } catch (error) {
      this.#options.onFailure(error)
    }
  }

  /** The same as part of a transaction under way. */
  async flushInto(writer: Writer): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uses = [...this.#waiting].map(([fileId, use]) => ({ fileId, ...use }))
    this.#waiting.clear()
    await recordUses(writer, uses)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }
}
