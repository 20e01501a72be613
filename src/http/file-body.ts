/** A blob on its way to a client: read piece by piece into lent memory, which goes straight to the socket. */
import { Readable } from 'node:stream'
import type { BlobReader, BlobStore, ByteRange } from '../blob/blob-store.ts'
import type { Digest } from '../lib/digest.ts'
import { LentBuffers } from '../lib/lent-buffers.ts'
import type { Limits } from '../model/limits.ts'

/** A client that takes longer for a piece gets small ones: the large are for who gives them back soon. */
const SLOW_MS = 500

/** What sends blobs, with the memory that all of them share. */
export class FileBodies {
  readonly #blobs: BlobStore
  readonly #smallBytes: number
  readonly #lent: LentBuffers
  readonly #onTrouble: (error: Error) => void

  /** `onTrouble` is told what broke an answer of which a part was sent: no other answer can tell of it. */
  constructor(
    blobs: BlobStore,
    { sentPieceBytes, sentPieces, smallPieceBytes }: Limits,
    onTrouble: (error: Error) => void,
  ) {
    this.#blobs = blobs
    this.#onTrouble = onTrouble
    this.#smallBytes = smallPieceBytes
    this.#lent = new LentBuffers({ largeBytes: sentPieceBytes, most: sentPieces, smallBytes: smallPieceBytes })
  }

  /** What to send for that range, which lies in the blob. Throws `BlobMissing`, and when a small one cannot be read. */
  async open(digest: Digest, range: ByteRange): Promise<Buffer | Readable> {
    const reader = await this.#blobs.reader(digest)
    if (range.end - range.start > this.#smallBytes) {
      return new FileBody({ reader, digest, range, lent: this.#lent, onTrouble: this.#onTrouble })
    }
    await using _ = reader
    const bytes = Buffer.allocUnsafe(range.end - range.start)
    for (let at = 0; at < bytes.length; ) at += await readSome(reader, digest, bytes.subarray(at), range.start + at)
    return bytes
  }
}

interface FileBodyOptions {
  readonly reader: BlobReader
  readonly digest: Digest
  readonly range: ByteRange
  readonly lent: LentBuffers
  readonly onTrouble: (error: Error) => void
}

/**
 * A stream for who sends it, which is `pipe` and an end; nothing else can be done with it. That way a piece of memory is
 * reused when the socket has let go of it, which streams do not tell, and no byte is copied on its way.
 */
class FileBody extends Readable {
  readonly #options: FileBodyOptions
  #isBegun = false

  constructor(options: FileBodyOptions) {
    super({ read: () => {} })
    this.#options = options
  }

  /** Sends all of it, then ends `destination`. What fails destroys this stream, and ends nothing: nobody takes a part for the whole. */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.#send(destination).then(
      () => {
        if (this.destroyed) return
        if (options?.end !== false) this.once('end', () => destination.end())
        this.push(null)
        this.resume()
      },
      (error: Error) => {
        if (this.#isBegun) this.#options.onTrouble(error)
        this.destroy(error)
      },
    )
    return destination
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#options.reader[Symbol.asyncDispose]().then(() => done(error), done)
  }

  async #send(destination: NodeJS.WritableStream): Promise<void> {
    const { reader, digest, lent } = this.#options
    const { start, end } = this.#options.range
    let isSlow = false
    for (let position = start; position < end && !this.destroyed; ) {
      const buffer = lent.lend(isSlow ? 'small' : 'large')
      const piece = buffer.subarray(0, Math.min(buffer.length, end - position))
      let length: number
      try {
        length = await readSome(reader, digest, piece, position)
      } catch (error) {
        lent.giveBack(buffer)
        // Whoever destroyed this stream has closed the reader.
        if (this.destroyed) return
        throw error
      }
      position += length
      this.#isBegun = true
      const startedMs = performance.now()
      if (await this.#written(destination, piece.subarray(0, length))) lent.giveBack(buffer)
      else lent.forget(buffer)
      isSlow = performance.now() - startedMs > SLOW_MS
    }
  }

  /** Settles when the socket has let go of the bytes: `true`. When the connection broke, which may leave them with it: `false`. */
  #written(destination: NodeJS.WritableStream, bytes: Buffer): Promise<boolean> {
    if (this.destroyed) return Promise.resolve(true)
    return new Promise((resolve) => {
      const broken = () => resolve(false)
      this.once('close', broken)
      destination.write(bytes, (error) => {
        this.removeListener('close', broken)
        resolve(error === null || error === undefined)
      })
    })
  }
}

/** At least one byte. Throws where the blob has none there: it was cut off. */
async function readSome(reader: BlobReader, digest: Digest, into: Uint8Array, position: number): Promise<number> {
  const length = await reader.read(into, position)
  if (length === 0) throw new Error(`Cannot read blob ${digest}: it ended at byte ${position}; run "airlock check"`)
  return length
}
