/** The smallest blob store: bytes in a map, for tests that want no disk. */
import { createHash } from 'node:crypto'
import { BlobHolds } from '../../src/blob/blob-holds.ts'
import {
  type BlobInfo,
  BlobMissing,
  type BlobReader,
  type BlobStore,
  BlobTooLarge,
  type ByteRange,
  DigestMismatch,
  type Draft,
} from '../../src/blob/blob-store.ts'
import type { Digest } from '../../src/lib/digest.ts'

export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<Digest, { readonly bytes: Buffer; readonly writtenMs: number }>()
  readonly #drafts = new Set<MemoryDraft>()
  readonly #holds = new BlobHolds()

  /** Drafts that were not disposed yet. */
  get drafts(): number {
    return this.#drafts.size
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    const found = this.#blobs.get(digest)
    return found && { digest, sizeBytes: found.bytes.length }
  }

  async open(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const found = this.#blobs.get(digest)
    if (found === undefined) throw new BlobMissing(digest)
    return once(range === undefined ? found.bytes : found.bytes.subarray(range.start, range.end))
  }

  async reader(digest: Digest): Promise<BlobReader> {
    const found = this.#blobs.get(digest)
    if (found === undefined) throw new BlobMissing(digest)
    return {
      read: async (into, position) => {
        const bytes = found.bytes.subarray(position, position + into.length)
        into.set(bytes)
        return bytes.length
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }

  async draft(options: { readonly limitBytes: number }): Promise<Draft> {
    const draft = new MemoryDraft(
      options.limitBytes,
      async (digest, bytes) => {
        const held = this.#holds.hold(digest)
        await this.#holds.exclusively(digest, async () => this.#blobs.set(digest, { bytes, writtenMs: Date.now() }))
        return held
      },
      () => this.#drafts.delete(draft),
    )
    this.#drafts.add(draft)
    return draft
  }

  async delete(digest: Digest): Promise<void> {
    this.#blobs.delete(digest)
  }

  hold(digest: Digest): Disposable {
    return this.#holds.hold(digest)
  }

  async discard(digest: Digest, isNamed: () => Promise<boolean>): Promise<boolean> {
    return await this.#holds.discard(digest, isNamed, () => this.delete(digest))
  }

  async *list(): AsyncIterable<BlobInfo & { readonly writtenMs: number }> {
    for (const digest of [...this.#blobs.keys()].sort()) {
      const found = this.#blobs.get(digest)
      if (found !== undefined) yield { digest, sizeBytes: found.bytes.length, writtenMs: found.writtenMs }
    }
  }
}

class MemoryDraft implements Draft {
  #bytes = Buffer.alloc(0)
  readonly #limitBytes: number
  readonly #publish: (digest: Digest, bytes: Buffer) => Promise<Disposable>
  readonly #forget: () => void
  #held: Disposable | undefined

  constructor(limitBytes: number, publish: (digest: Digest, bytes: Buffer) => Promise<Disposable>, forget: () => void) {
    this.#limitBytes = limitBytes
    this.#publish = publish
    this.#forget = forget
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.sizeBytes + chunk.length > this.#limitBytes) throw new BlobTooLarge(this.#limitBytes)
    this.#bytes = Buffer.concat([this.#bytes, chunk])
  }

  async *read(range: ByteRange): AsyncIterable<Uint8Array> {
    if (range.start < Math.min(range.end, this.sizeBytes)) yield this.#bytes.subarray(range.start, range.end)
  }

  whole(): Buffer {
    return this.#bytes
  }

  digest(): Digest {
    return createHash('sha256').update(this.#bytes).digest('hex') as Digest
  }

  async commit(expect?: Digest): Promise<BlobInfo> {
    const digest = this.digest()
    if (expect !== undefined && expect !== digest) throw new DigestMismatch(expect, digest)
    this.#held = await this.#publish(digest, this.#bytes)
    return { digest, sizeBytes: this.sizeBytes }
  }

  release(): void {
    this.#held?.[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
    this.#forget()
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
