/** A blob store for dry runs: it accepts everything and stores nothing. */
import { createHash } from 'node:crypto'
import { BlobMissing, type BlobStore, BlobTooLarge, DigestMismatch, type Draft } from '../../blob/blob-store.ts'
import type { Digest } from '../../lib/digest.ts'

export const forgetfulBlobs: BlobStore = {
  stat: async () => undefined,
  open: async (digest) => {
    throw new BlobMissing(digest)
  },
  reader: async (digest) => {
    throw new BlobMissing(digest)
  },
  draft: async ({ limitBytes }) => new ForgetfulDraft(limitBytes),
  delete: async () => {},
  hold: () => ({ [Symbol.dispose]() {} }),
  discard: async () => false,
  async *list() {},
}

class ForgetfulDraft implements Draft {
  sizeBytes = 0
  readonly #hash = createHash('sha256')
  readonly #limitBytes: number
  #digest: Digest | undefined

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.sizeBytes + chunk.length > this.#limitBytes) throw new BlobTooLarge(this.#limitBytes)
    this.#hash.update(chunk)
    this.sizeBytes += chunk.length
  }

  read(): never {
    throw new Error('Cannot read the draft: a dry run keeps no bytes')
  }

  whole(): undefined {}

  digest(): Digest {
    this.#digest ??= this.#hash.digest('hex') as Digest
    return this.#digest
  }

  async commit(expect?: Digest) {
    const digest = this.digest()
    if (expect !== undefined && expect !== digest) throw new DigestMismatch(expect, digest)
    return { digest, sizeBytes: this.sizeBytes }
  }

  release(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
