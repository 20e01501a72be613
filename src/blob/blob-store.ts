/** Immutable bytes, named by their sha256. A blob is written once and never changes. */
import type { Digest } from '../lib/digest.ts'

export interface BlobInfo {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** `start` inclusive, `end` exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface BlobStore {
  stat(digest: Digest): Promise<BlobInfo | undefined>
  /** Throws `BlobMissing`: callers hold a digest only because the catalog says it exists. */
  open(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>
  /** The same for a caller with its own buffer to read into. Throws `BlobMissing` too. */
  reader(digest: Digest): Promise<BlobReader>
  /** A place to collect bytes whose digest is not known yet. */
  draft(options: { readonly limitBytes: number }): Promise<Draft>
  /** Deleting a blob that is not here is a success. What was opened before is read to its end. */
  delete(digest: Digest): Promise<void>
  /** Keeps `discard` away from a blob until disposed: for a caller that is about to write the row that names it. */
  hold(digest: Digest): Disposable
  /**
   * Deletes a blob that nobody holds and of which `isNamed`, asked after that, says that no row names it. Nothing is
   * published under the digest between the question and the deletion: who commits the same bytes meanwhile finds them
   * gone and writes them anew. `false`: it stays. What was opened before is read to its end.
   */
  discard(digest: Digest, isNamed: () => Promise<boolean>): Promise<boolean>
  /** Every blob, in order of digest, with the time it was last written in ms since 1970. */
  list(): AsyncIterable<BlobInfo & { readonly writtenMs: number }>
  /** Absent where blobs are not files in a folder of this machine: then there is nothing to link, and bytes are copied. */
  readonly files?: BlobFiles
}

/** What can be done with blobs that are files. */
export interface BlobFiles {
  /** Where a blob lies in the folder of all blobs, with a slash between: a web server in front may send it from there. */
  placeOf(digest: Digest): string
  /**
   * Makes the file a blob by a hard link, without a copy: the two are one from now on, and read-only. The caller has
   * found its digest. `false` where the file system or the file's owner does not allow it; nothing happened then.
   */
  adopt(path: string, digest: Digest): Promise<boolean>
  /** Gives a blob a second name at `path`, without a copy. `false` where the file system does not allow it. */
  linkTo(digest: Digest, path: string): Promise<boolean>
}

/** An open blob. Disposing it waits for a read under way: after that nobody writes into what was given to `read`. */
export interface BlobReader extends AsyncDisposable {
  /** Fills `into` with what stands from `position` on; gives how many bytes that were, 0 at the blob's end. */
  read(into: Uint8Array, position: number): Promise<number>
  /** The descriptor of the open file that is the blob, for calls of the system; absent where there is no such file. Not after disposal. */
  readonly descriptor?: number
}

/**
 * Bytes on their way to becoming a blob, readable while they grow. After a crash there is the whole blob or nothing.
 * Disposing a draft that was not committed removes it. From `commit` to `release` or disposal the blob is held: whoever
 * writes the row that names it does either after that.
 */
export interface Draft extends AsyncDisposable {
  /** Bytes appended so far. */
  readonly sizeBytes: number
  /** Throws `BlobTooLarge` past the limit. Chunks are written in the order of the calls; await each. */
  append(chunk: Uint8Array): Promise<void>
  /** Bytes that were appended already; `end` is cut to `sizeBytes`. Works after `commit` too, until disposal. */
  read(range: ByteRange): AsyncIterable<Uint8Array>
  /** All that was appended, where it is in memory and in no file yet. */
  whole(): Buffer | undefined
  /** The sha256 of what was appended. */
  digest(): Digest
  /**
   * Publishes atomically and durably: file and folder are synced before it returns. A blob that exists already is a
   * success. Throws `DigestMismatch` if `expect` disagrees, and then nothing is published.
   */
  commit(expect?: Digest): Promise<BlobInfo>
  /** The row is written: the blob is held no longer. What was appended can be read still. */
  release(): void
}

export class BlobMissing extends Error {
  override readonly name = 'BlobMissing'
  constructor(digest: Digest) {
    super(`Cannot open blob ${digest}: it is named by the catalog and not in the store; run "airlock check"`)
  }
}

export class BlobTooLarge extends Error {
  override readonly name = 'BlobTooLarge'
  readonly limitBytes: number
  constructor(limitBytes: number) {
    super(`Cannot keep more than ${limitBytes} bytes in this blob`)
    this.limitBytes = limitBytes
  }
}

export class DigestMismatch extends Error {
  override readonly name = 'DigestMismatch'
  readonly expected: Digest
  readonly found: Digest
  constructor(expected: Digest, found: Digest) {
    super(`Cannot publish blob: its sha256 is ${found}, expected ${expected}`)
    this.expected = expected
    this.found = found
  }
}

/** The row that names a blob from `writeBlob` is written within this time; a busy catalog needs seconds. */
const ROW_WITHIN_MS = 10 * 60 * 1000

/** Collects a whole source into a blob, held for ten minutes from now on. Throws as `Draft.append` and `Draft.commit` do; nothing is left behind then. */
export async function writeBlob(
  store: BlobStore,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly limitBytes: number; readonly expect?: Digest },
): Promise<BlobInfo> {
  const written = await writeHeldBlob(store, source, options)
  setTimeout(() => written[Symbol.dispose](), ROW_WITHIN_MS).unref()
  return written.blob
}

/** As `writeBlob`, held until it is disposed: for a caller that writes the row next. */
export async function writeHeldBlob(
  store: BlobStore,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly limitBytes: number; readonly expect?: Digest },
): Promise<{ readonly blob: BlobInfo } & Disposable> {
  await using draft = await store.draft({ limitBytes: options.limitBytes })
  for await (const chunk of source) await draft.append(chunk)
  const blob = await draft.commit(options.expect)
  const held = store.hold(blob.digest)
  return { blob, [Symbol.dispose]: () => held[Symbol.dispose]() }
}
