/**
 * Blobs as files, the default. Also usable by hand: `sha256sum` checks any of them.
 *
 *   ROOT/blobs/sha256/ab/ab12…   one blob, read-only
 *   ROOT/drafts/RANDOM           bytes on their way; whatever lies here at start was left by a crash
 */
import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, type FileHandle, link, mkdir, open, readdir, rm, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Digest } from '../lib/digest.ts'
import { BlobHolds } from './blob-holds.ts'
import {
  type BlobInfo,
  BlobMissing,
  type BlobStore,
  BlobTooLarge,
  type ByteRange,
  DigestMismatch,
  type Draft,
} from './blob-store.ts'

export interface FilesystemBlobsOptions {
  readonly root: string
  /** Largest piece read at once. */
  readonly readChunkBytes: number
}

export class FilesystemBlobs implements BlobStore {
  readonly #root: string
  readonly #readChunkBytes: number
  readonly #holds = new BlobHolds()

  private constructor(options: FilesystemBlobsOptions) {
    this.#root = options.root
    this.#readChunkBytes = options.readChunkBytes
  }

  /** Makes the folders where they are missing. With `clear`, removes drafts that a crash left; only the sole writer may. */
  static async open(options: FilesystemBlobsOptions & { readonly clear: boolean }): Promise<FilesystemBlobs> {
    const store = new FilesystemBlobs(options)
    if (options.clear) await rm(store.#drafts(), { recursive: true, force: true })
    await mkdir(store.#drafts(), { recursive: true })
    await mkdir(join(options.root, 'blobs', 'sha256'), { recursive: true })
    return store
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      return { digest, sizeBytes: (await stat(this.#path(digest))).size }
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async open(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    let handle: FileHandle
    try {
      handle = await open(this.#path(digest), 'r')
    } catch (error) {
      throw isAbsent(error) ? new BlobMissing(digest) : error
    }
    const { start, end } = range ?? { start: 0, end: Number.POSITIVE_INFINITY }
    if (start >= end) {
      // A stream cannot be asked for nothing, and a handle that is left open ends the process when it is collected.
      await handle.close()
      return Readable.from([], { objectMode: false })
    }
    return handle.createReadStream({
      start,
      ...(end === Number.POSITIVE_INFINITY ? {} : { end: end - 1 }),
      highWaterMark: this.#readChunkBytes,
    })
  }

  async draft(options: { readonly limitBytes: number }): Promise<Draft> {
    const path = join(this.#drafts(), randomUUID())
    const handle = await open(path, 'wx+', 0o600)
    return new FileDraft(handle, path, options.limitBytes, this.#readChunkBytes, (digest) =>
      this.#publishHeld(path, digest),
    )
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true })
  }

  hold(digest: Digest): Disposable {
    return this.#holds.hold(digest)
  }

  async discard(digest: Digest, isNamed: () => Promise<boolean>): Promise<boolean> {
    return await this.#holds.discard(digest, isNamed, () => this.delete(digest))
  }

  async *list(): AsyncIterable<BlobInfo & { readonly writtenMs: number }> {
    const top = join(this.#root, 'blobs', 'sha256')
    for (const folder of (await readdir(top)).sort()) {
      for (const name of (await readdir(join(top, folder))).sort()) {
        const found = await stat(join(top, folder, name))
        yield { digest: name as Digest, sizeBytes: found.size, writtenMs: found.mtimeMs }
      }
    }
  }

  /**
   * Makes the file a blob by a hard link, without a copy: the two are one from now on, and read-only. The caller has
   * found its digest. `false` where the file system or the file's owner does not allow it; nothing happened then.
   */
  async adopt(path: string, digest: Digest): Promise<boolean> {
    const draft = join(this.#drafts(), randomUUID())
    if (!(await linked(path, draft))) return false
    try {
      const handle = await open(draft, 'r')
      try {
        await handle.chmod(0o444)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await this.#holds.exclusively(digest, () => this.#publish(draft, digest))
      return true
    } finally {
      await unlink(draft)
    }
  }

  /** Gives a blob a second name at `path`, without a copy. `false` where the file system does not allow it. */
  async linkTo(digest: Digest, path: string): Promise<boolean> {
    return await linked(this.#path(digest), path)
  }

  async #publishHeld(draft: string, digest: Digest): Promise<Disposable> {
    const held = this.#holds.hold(digest)
    try {
      await this.#holds.exclusively(digest, () => this.#publish(draft, digest))
      return held
    } catch (error) {
      held[Symbol.dispose]()
      throw error
    }
  }

  /** A hard link is atomic and tells when the blob exists already, where a rename would silently replace it. */
  async #publish(draft: string, digest: Digest): Promise<void> {
    const target = this.#path(digest)
    const folder = join(target, '..')
    if (!(await exists(folder))) {
      await mkdir(folder, { recursive: true })
      await syncFolder(join(folder, '..'))
    }
    try {
      await link(draft, target)
      await syncFolder(folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      // Young again, so that a collection of unnamed blobs leaves it for the row that is about to name it.
      await utimes(target, new Date(), new Date())
    }
  }

  #path(digest: Digest): string {
    return join(this.#root, 'blobs', 'sha256', digest.slice(0, 2), digest)
  }

  #drafts(): string {
    return join(this.#root, 'drafts')
  }
}

class FileDraft implements Draft {
  sizeBytes = 0
  readonly #handle: FileHandle
  readonly #path: string
  readonly #limitBytes: number
  readonly #readChunkBytes: number
  readonly #publish: (digest: Digest) => Promise<Disposable>
  readonly #hash = createHash('sha256')
  #digest: Digest | undefined
  #held: Disposable | undefined

  constructor(
    handle: FileHandle,
    path: string,
    limitBytes: number,
    readChunkBytes: number,
    publish: (digest: Digest) => Promise<Disposable>,
  ) {
    this.#handle = handle
    this.#path = path
    this.#limitBytes = limitBytes
    this.#readChunkBytes = readChunkBytes
    this.#publish = publish
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.sizeBytes + chunk.length > this.#limitBytes) throw new BlobTooLarge(this.#limitBytes)
    this.#hash.update(chunk)
    let written = 0
    while (written < chunk.length) {
      const { bytesWritten } = await this.#handle.write(chunk, written, chunk.length - written, this.sizeBytes)
      written += bytesWritten
      this.sizeBytes += bytesWritten
    }
  }

  async *read(range: ByteRange): AsyncIterable<Uint8Array> {
    const end = Math.min(range.end, this.sizeBytes)
    let position = range.start
    while (position < end) {
      const buffer = Buffer.allocUnsafe(Math.min(this.#readChunkBytes, end - position))
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) throw new Error(`Cannot read draft: it ended at byte ${position} of ${end}`)
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  digest(): Digest {
    this.#digest ??= this.#hash.digest('hex') as Digest
    return this.#digest
  }

  async commit(expect?: Digest): Promise<BlobInfo> {
    const digest = this.digest()
    if (expect !== undefined && expect !== digest) throw new DigestMismatch(expect, digest)
    await this.#handle.chmod(0o444)
    await this.#handle.sync()
    this.#held = await this.#publish(digest)
    return { digest, sizeBytes: this.sizeBytes }
  }

  release(): void {
    this.#held?.[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
    await this.#handle.close()
    await unlink(this.#path)
  }
}

async function linked(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name)
    return true
  } catch (error) {
    if (LINKS_REFUSED.includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

/** Another file system, one without links, too many links to one file, somebody else's file. */
const LINKS_REFUSED = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
