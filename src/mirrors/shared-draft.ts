/**
 * A growing draft with many readers. Readers at nearly the same position share the same bytes in memory, so that a
 * hundred readers cost little more than one.
 */
import type { Draft } from '../blob/blob-store.ts'

/** Read from the draft at once, and kept for the readers behind. */
const BLOCK_BYTES = 256 * 1024
const BLOCKS_KEPT = 16
/** How many of the latest bytes stay in memory: a reader that has read everything so far needs no disk. */
const RECENT_BYTES = 1024 * 1024

export class SharedDraft {
  readonly #draft: Draft
  readonly #recent: { readonly start: number; readonly bytes: Uint8Array }[] = []
  #recentBytes = 0
  /** By place, the one that was asked for last at the end. */
  readonly #blocks = new Map<number, Promise<Uint8Array>>()

  constructor(draft: Draft) {
    this.#draft = draft
  }

  async append(bytes: Uint8Array): Promise<void> {
    const start = this.#draft.sizeBytes
    await this.#draft.append(bytes)
    this.#recent.push({ start, bytes })
    this.#recentBytes += bytes.length
    while (this.#recentBytes > RECENT_BYTES) this.#recentBytes -= this.#recent.shift()!.bytes.length
  }

  /** Bytes from `start` on, some of those before `end`; `start` is below both `end` and `sizeBytes`. Not to be changed: others have them too. */
  async piece(start: number, end: number): Promise<Uint8Array> {
    const recent = this.#recent.findLast((each) => each.start <= start)
    if (recent !== undefined && start < recent.start + recent.bytes.length) {
      return recent.bytes.subarray(start - recent.start, end - recent.start)
    }
    const place = Math.floor(start / BLOCK_BYTES)
    const first = place * BLOCK_BYTES
    // A block that still grows is not the same for all.
    const isWhole = first + BLOCK_BYTES <= this.#draft.sizeBytes
    if (!isWhole) return await this.#read(start, Math.min(end, this.#draft.sizeBytes))
    return (await this.#block(place)).subarray(start - first, end - first)
  }

  #block(place: number): Promise<Uint8Array> {
    const known = this.#blocks.get(place)
    const block = known ?? this.#read(place * BLOCK_BYTES, (place + 1) * BLOCK_BYTES)
    this.#blocks.delete(place)
    this.#blocks.set(place, block)
    if (this.#blocks.size > BLOCKS_KEPT) this.#blocks.delete(this.#blocks.keys().next().value!)
    return block
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    const pieces = await Array.fromAsync(this.#draft.read({ start, end }))
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }
}
