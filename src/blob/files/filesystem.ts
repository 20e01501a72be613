/**
 * Blobs as files, the default. Also usable by hand: `sha256sum` checks any of them.
 *
 *   ROOT/blobs/sha256/ab/ab12…   one blob, read-only; a web server in front may read it too (`BlobFiles.placeOf`)
 *   ROOT/drafts/RANDOM           bytes on their way; whatever lies here at start was left by a crash
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readdir, rm, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Digest } from '../../lib/digest.ts'
import { linkDurably, syncFile } from '../../lib/durable.ts'
import { BlobHolds } from '../blob-holds.ts'
import {
  type BlobFiles,
  type BlobInfo,
  BlobMissing,
  type BlobReader,
  type BlobStore,
  type ByteRange,
  type Draft,
} from '../blob-store.ts'
import type { SharedHolds } from '../shared-holds.ts'
import { BlobFolders } from './blob-folders.ts'
import { FileDraft } from './file-draft.ts'

/** Drafts up to this are kept in memory until they are committed: as much as an upload's form takes on its way anyway. */
const DRAFT_KEPT_BYTES = 128 * 1024
/** So many of them at once; others are files from their first byte on. */
const DRAFTS_KEPT = 64

export interface FilesystemBlobsOptions {
  readonly root: string
  /** Largest piece read at once. */
  readonly readChunkBytes: number
  /** What a draft may have before it becomes a file; where not told, as much as a small wheel. */
  readonly draftKeptBytes?: number
  /** Where other workers of this server publish and discard blobs too. */
  readonly holds?: SharedHolds
}

export class FilesystemBlobs implements BlobStore {
  readonly #root: string
  readonly #readChunkBytes: number
  readonly #draftKeptBytes: number
  #draftsKept = 0
  readonly #folders: BlobFolders
  readonly #holds: BlobHolds
  readonly files: BlobFiles = {
    placeOf: blobPlace,
    adopt: (path, digest) => this.#adopt(path, digest),
    linkTo: (digest, path) => linked(this.#path(digest), path),
  }

  private constructor(options: FilesystemBlobsOptions) {
    this.#root = options.root
    this.#readChunkBytes = options.readChunkBytes
    this.#draftKeptBytes = options.draftKeptBytes ?? DRAFT_KEPT_BYTES
    this.#folders = new BlobFolders(join(options.root, 'blobs', 'sha256'))
    this.#holds = new BlobHolds(options.holds)
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
    const handle = await this.#opened(digest)
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

  async reader(digest: Digest): Promise<BlobReader> {
    const handle = await this.#opened(digest)
    return {
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      descriptor: handle.fd,
      [Symbol.asyncDispose]: () => handle.close(),
    }
  }

  async draft(options: { readonly limitBytes: number }): Promise<Draft> {
    const path = join(this.#drafts(), randomUUID())
    const isKept = this.#draftKeptBytes > 0 && this.#draftsKept < DRAFTS_KEPT
    const more = {
      keptBytes: isKept ? this.#draftKeptBytes : 0,
      onReleased: () => {
        if (isKept) this.#draftsKept--
      },
    }
    if (isKept) this.#draftsKept++
    return await FileDraft.create({
      path,
      limitBytes: options.limitBytes,
      readChunkBytes: this.#readChunkBytes,
      ...more,
      publish: (digest) => this.#publishHeld(path, digest),
    })
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

  async #adopt(path: string, digest: Digest): Promise<boolean> {
    const draft = join(this.#drafts(), randomUUID())
    if (!(await linked(path, draft))) return false
    try {
      const handle = await open(draft, 'r')
      try {
        await handle.chmod(0o444)
        await syncFile(handle.fd, draft)
      } finally {
        await handle.close()
      }
      await this.#holds.exclusively(digest, () => this.#publish(draft, digest))
      return true
    } finally {
      await unlink(draft)
    }
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
    const folder = await this.#folders.ready(folderOf(digest))
    try {
      await this.#link(draft, digest)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      // Young again, so that a collection of unnamed blobs leaves it for the row that is about to name it.
      await utimes(join(folder, digest), new Date(), new Date())
    }
    // Also of one that was there: another process may have put it there a moment ago.
    await this.#folders.sync(folder)
  }

  async #link(draft: string, digest: Digest): Promise<void> {
    try {
      linkDurably(draft, this.#path(digest))
    } catch (error) {
      if (!isAbsent(error)) throw error
      // Somebody tidied an empty folder away.
      this.#folders.forget(folderOf(digest))
      await this.#folders.ready(folderOf(digest))
      linkDurably(draft, this.#path(digest))
    }
  }

  async #opened(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#path(digest), 'r')
    } catch (error) {
      throw isAbsent(error) ? new BlobMissing(digest) : error
    }
  }

  #path(digest: Digest): string {
    return join(this.#root, 'blobs', 'sha256', blobPlace(digest))
  }

  #drafts(): string {
    return join(this.#root, 'drafts')
  }
}

/** Where a blob lies below `blobs/sha256/`, with a slash between. */
export function blobPlace(digest: Digest): string {
  return `${folderOf(digest)}/${digest}`
}

function folderOf(digest: Digest): string {
  return digest.slice(0, 2)
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

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
