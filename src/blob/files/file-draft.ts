/** A draft collects the bytes of a future blob: in memory while they are few, otherwise in a file. */
import { createHash } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import type { Digest } from '../../lib/digest.ts'
import { syncFile } from '../../lib/durable.ts'
import { type BlobInfo, BlobTooLarge, type ByteRange, DigestMismatch, type Draft } from '../blob-store.ts'
import { writeSmallFile } from './small-file.ts'

/** Blobs are read-only: nobody writes to one by accident. */
const BLOB_MODE = 0o444

export interface FileDraftOptions {
  /** Where the file is to lie; nothing is there. */
  readonly path: string
  readonly limitBytes: number
  readonly readChunkBytes: number
  /** A draft becomes a file when it has more than this, or is committed: a small upload that is refused never does. */
  readonly keptBytes: number
  /** Gives the file, which is whole and synced, the name of its blob, and holds that. */
  readonly publish: (digest: Digest) => Promise<Disposable>
  /** Called once, when the buffered bytes have been released. */
  readonly onReleased?: () => void
}

export class FileDraft implements Draft {
  sizeBytes = 0
  readonly #options: FileDraftOptions
  readonly #hash = createHash('sha256')
  #digest: Digest | undefined
  /** All of it, or nothing where there is a file: see `#open`. */
  #kept: Buffer[] = []
  #handle: FileHandle | undefined
  #held: Disposable | undefined
  #isReleased = false

  private constructor(options: FileDraftOptions) {
    this.#options = options
  }

  static async create(options: FileDraftOptions): Promise<FileDraft> {
    const draft = new FileDraft(options)
    if (options.keptBytes === 0) await draft.#open()
    return draft
  }

  async append(chunk: Uint8Array): Promise<void> {
    const { limitBytes, keptBytes } = this.#options
    if (this.sizeBytes + chunk.length > limitBytes) throw new BlobTooLarge(limitBytes)
    this.#hash.update(chunk)
    if (this.#handle === undefined && this.sizeBytes + chunk.length <= keptBytes) {
      // A copy: the chunk may be a piece of a large block, and is the caller's again from now on.
      this.#kept.push(Buffer.from(chunk))
      this.sizeBytes += chunk.length
      return
    }
    const handle = this.#handle ?? (await this.#open())
    this.#letGo()
    this.sizeBytes += await writeAll(handle, chunk, this.sizeBytes)
  }

  async *read(range: ByteRange): AsyncIterable<Uint8Array> {
    const end = Math.min(range.end, this.sizeBytes)
    let position = range.start
    if (position >= end) return
    if (this.#kept.length > 0) {
      yield this.#bytes().subarray(position, end)
      return
    }
    while (position < end) {
      const buffer = Buffer.allocUnsafe(Math.min(this.#options.readChunkBytes, end - position))
      const { bytesRead } = await this.#handle!.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) throw new Error(`Cannot read draft: it ended at byte ${position} of ${end}`)
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  whole(): Buffer | undefined {
    return this.#handle === undefined ? this.#bytes() : undefined
  }

  digest(): Digest {
    this.#digest ??= this.#hash.digest('hex') as Digest
    return this.#digest
  }

  async commit(expect?: Digest): Promise<BlobInfo> {
    const digest = this.digest()
    if (expect !== undefined && expect !== digest) throw new DigestMismatch(expect, digest)
    this.#held = this.#handle === undefined ? await this.#commitSmall() : await this.#commitFile(this.#handle)
    return { digest, sizeBytes: this.sizeBytes }
  }

  release(): void {
    this.#held?.[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
    this.#letGo()
    if (this.#handle === undefined) return
    await this.#handle.close()
    await unlink(this.#options.path)
  }

  async #commitSmall(): Promise<Disposable> {
    const { path, publish } = this.#options
    await writeSmallFile(path, this.#bytes(), BLOB_MODE)
    try {
      return await publish(this.digest())
    } finally {
      unlinkSync(path)
    }
  }

  async #commitFile(handle: FileHandle): Promise<Disposable> {
    await handle.chmod(BLOB_MODE)
    await syncFile(handle.fd, this.#options.path)
    return await this.#options.publish(this.digest())
  }

  /** Makes the file, with all that was kept. What was kept stays, for reading. */
  async #open(): Promise<FileHandle> {
    const { path } = this.#options
    const handle = await open(path, 'wx+', 0o600)
    try {
      if (this.#kept.length > 0) await writeAll(handle, this.#bytes(), 0)
    } catch (error) {
      // Never half of it: who commits once more begins anew.
      await handle.close()
      await unlink(path)
      throw error
    }
    this.#handle = handle
    return handle
  }

  #letGo(): void {
    this.#kept = []
    if (this.#isReleased) return
    this.#isReleased = true
    this.#options.onReleased?.()
  }

  #bytes(): Buffer {
    if (this.#kept.length > 1) this.#kept = [Buffer.concat(this.#kept)]
    return this.#kept[0] ?? Buffer.alloc(0)
  }
}

/** Gives the number of bytes. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written)
    written += bytesWritten
  }
  return bytes.length
}
