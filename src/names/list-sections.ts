/**
 * An LRU cache of list sections in memory. Without it each request would read them from disk, and leave garbage of
 * several times their size.
 */
import { Recent } from '../lib/recent.ts'

export class ListSections {
  readonly #bytesMax: number
  readonly #recent: Recent<string, Promise<Buffer>>

  /** All together take at most `bytesMax`. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#recent = new Recent(bytesMax)
  }

  /** The bytes that are known by `key`, read once however many ask; `undefined` where they are too many to be kept. */
  async get(key: string, sizeBytes: number, read: () => AsyncIterable<Buffer>): Promise<Buffer | undefined> {
    if (sizeBytes > this.#bytesMax) return undefined
    const known = this.#recent.get(key)
    if (known !== undefined) return await known
    const reading = filled(sizeBytes, read())
    this.#recent.set(key, reading, sizeBytes)
    try {
      return await reading
    } catch (error) {
      if (this.#recent.get(key) === reading) this.#recent.delete(key)
      throw error
    }
  }
}

async function filled(sizeBytes: number, chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  let at = 0
  for await (const chunk of chunks) at += chunk.copy(bytes, at)
  return bytes
}
