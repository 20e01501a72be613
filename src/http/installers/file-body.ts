/**
 * Sends a blob to a client. The system sends it from its file (`sendfile`) if it can; otherwise the blob is read piece by
 * piece into buffers of a pool, which go straight to the socket.
 */
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { BlobReader, BlobStore, ByteRange } from '../../blob/blob-store.ts'
import type { Digest } from '../../lib/digest.ts'
import { LentBuffers } from '../../lib/lent-buffers.ts'
import type { Sendfile } from '../../lib/sendfile.ts'
import type { Limits } from '../../model/limits.ts'
import { bareSocketOf } from '../door/bare-socket.ts'

/** A client that takes longer for a piece gets small buffers: large ones are for clients that give them back soon. */
const SLOW_MS = 500

type SendsFiles = Pick<Sendfile, 'isCached' | 'send'>

export interface FileBodiesOptions {
  readonly blobs: BlobStore
  readonly limits: Pick<Limits, 'sentPieceBytes' | 'sentPieces' | 'smallPieceBytes'>
  /** The system's way, where there is one. */
  readonly sendfile: () => SendsFiles | undefined
  /** Told what broke an answer of which a part was sent: no other answer can tell of it. */
  readonly onTrouble: (error: Error) => void
}

/** What sends blobs, with the memory that all of them share. */
export class FileBodies {
  readonly #options: FileBodiesOptions
  readonly #lent: LentBuffers

  constructor(options: FileBodiesOptions) {
    this.#options = options
    const { sentPieceBytes, sentPieces, smallPieceBytes } = options.limits
    this.#lent = new LentBuffers({ largeBytes: sentPieceBytes, most: sentPieces, smallBytes: smallPieceBytes })
  }

  /** What to send for that range, which lies in the blob. Throws `BlobMissing`, and when a small one cannot be read. */
  async open(digest: Digest, range: ByteRange): Promise<Buffer | Readable> {
    const { blobs, limits, onTrouble } = this.#options
    const reader = await blobs.reader(digest)
    if (range.end - range.start > limits.smallPieceBytes) {
      const sendfile = reader.descriptor === undefined ? undefined : this.#options.sendfile()
      return new FileBody({ reader, digest, range, lent: this.#lent, limits, sendfile, onTrouble })
    }
    await using _ = reader
    const bytes = Buffer.allocUnsafe(range.end - range.start)
    for (let at = 0; at < bytes.length; ) {
      at += someOf(await reader.read(bytes.subarray(at), range.start + at), digest, range.start + at)
    }
    return bytes
  }
}

interface FileBodyOptions extends Pick<FileBodiesOptions, 'limits' | 'onTrouble'> {
  readonly reader: BlobReader
  readonly digest: Digest
  readonly range: ByteRange
  readonly lent: LentBuffers
  readonly sendfile: SendsFiles | undefined
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
    const { range, sendfile } = this.#options
    // Where the system may send the rest, the first piece brings the head of the answer on its way, and is no longer than it has to be.
    let size: 'small' | 'large' = sendfile === undefined ? 'large' : 'small'
    for (let position = range.start; position < range.end && !this.destroyed; ) {
      const startedMs = performance.now()
      position = await this.#sendPiece(destination, position, size)
      const isSlow = performance.now() - startedMs > SLOW_MS
      const passed = await this.#pass(destination, position)
      // The socket is full: the next piece is there to learn when it is not.
      size = isSlow || passed > position ? 'small' : 'large'
      position = passed
    }
  }

  /** Gives the position after it. */
  async #sendPiece(destination: NodeJS.WritableStream, position: number, size: 'small' | 'large'): Promise<number> {
    const { reader, digest, lent, range } = this.#options
    const buffer = lent.lend(size)
    const piece = buffer.subarray(0, Math.min(buffer.length, range.end - position))
    let length: number
    try {
      length = someOf(await reader.read(piece, position), digest, position)
    } catch (error) {
      lent.giveBack(buffer)
      // Whoever destroyed this stream has closed the reader.
      if (this.destroyed) return position
      throw error
    }
    this.#isBegun = true
    if (await this.#written(destination, piece.subarray(0, length))) lent.giveBack(buffer)
    else lent.forget(buffer)
    return position + length
  }

  /** Has the system send from `position` on what is in its memory and the socket takes. Gives the position after that. */
  async #pass(destination: NodeJS.WritableStream, position: number): Promise<number> {
    const { reader, digest, range, limits, sendfile } = this.#options
    if (sendfile === undefined) return position
    let reached = position
    while (reached < range.end && !this.destroyed) {
      const socket = bareSocketOf(destination)
      const end = Math.min(range.end, reached + limits.sentPieceBytes)
      if (socket === undefined || !sendfile.isCached(reader.descriptor!, reached, end)) break
      const sent = sendfile.send(socket, reader.descriptor!, reached, end - reached)
      if (sent === undefined) break
      reached += someOf(sent, digest, reached)
      // Nothing here waits: others have their turn between pieces.
      await turn()
    }
    return reached
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

/** `length`, which is at least 1. Throws where the blob has nothing at `position`: it was cut off. */
function someOf(length: number, digest: Digest, position: number): number {
  if (length > 0) return length
  throw new Error(`Cannot read blob ${digest}: it ended at byte ${position}; run "airlock check"`)
}
