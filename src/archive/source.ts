/** An archive as bytes that can be read in ranges, and the error for bytes that are no archive. */
import { MetadataError } from '../pep/metadata.ts'

/** A file's bytes; `read` gives those from `start` up to, not including, `end`. */
export interface ArchiveSource {
  readonly size: number
  /**
   * Of a zip far away: where its end record begins (`findZipEnd`). Then little more is read than the directory and the
   * member asked for; whether anything precedes the first member is not looked at.
   */
  readonly endAt?: number | undefined
  read(start: number, end: number): AsyncIterable<Uint8Array>
  /** All of it, where it is in memory anyway. */
  readonly whole?: Buffer | undefined
}

export interface ArchiveLimits {
  /** The metadata file, unpacked. */
  readonly metadataBytes: number
  /** Members of the archive. */
  readonly members: number
}

/** Why an archive was refused: decided on by code, where the message is for people. */
export type ArchiveFault = 'not-an-archive' | 'damaged' | 'no-metadata' | 'too-big'

/** What is thrown for an archive that an installer could not use. Errors of the source itself pass through unchanged. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
  readonly fault: ArchiveFault
  constructor(fault: ArchiveFault, message: string, options?: ErrorOptions) {
    super(`Cannot read archive: ${message}`, options)
    this.fault = fault
  }
}

/** The public index's bound against compression bombs: past this size, at most `RATIO_MAX` times the packed size. */
const UNPACKED_FREE_BYTES = 64 * 1024 * 1024
const RATIO_MAX = 50

/** Throws `ArchiveError` when an archive of `packedBytes` unpacks to suspiciously many bytes. */
export function checkRatio(unpackedBytes: number, packedBytes: number): void {
  if (unpackedBytes > UNPACKED_FREE_BYTES && unpackedBytes > RATIO_MAX * packedBytes) {
    throw new ArchiveError('too-big', `it unpacks to more than ${RATIO_MAX} times its size, as compression bombs do`)
  }
}

/** Of all members' names together, with what else stands beside them: those of 200,000 members have some 20 MiB. */
const NAMES_BYTES_MOST = 64 * 1024 * 1024

/** Throws `ArchiveError` when the names in an archive would fill the memory: in a tar they cost nothing to write. */
export function checkNames(bytes: number): void {
  if (bytes > NAMES_BYTES_MOST) {
    throw new ArchiveError('too-big', `the names of its members have more than ${NAMES_BYTES_MOST} bytes in all`)
  }
}

/** Passes a source's bytes on and remembers its failure, to tell it from a failure of the archive. */
export class WatchedSource implements ArchiveSource {
  readonly size: number
  readonly endAt: number | undefined
  readonly whole: Buffer | undefined
  failure: unknown
  private readonly source: ArchiveSource

  constructor(source: ArchiveSource) {
    this.source = source
    this.size = source.size
    this.endAt = source.endAt
    this.whole = source.whole
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    let rest = end - start
    try {
      for await (const chunk of this.source.read(start, end)) {
        rest -= chunk.length
        yield chunk
      }
      if (rest !== 0)
        throw new Error(`Cannot read bytes ${start} to ${end}: ${Math.abs(rest)} too ${rest > 0 ? 'few' : 'many'} came`)
    } catch (error) {
      this.failure ??= error
      throw error
    }
  }

  /** `error` as what to throw: the source's own failure where it had one, else an `ArchiveError`. */
  explain(error: unknown, message: string): unknown {
    if (this.failure !== undefined) return this.failure
    // What is wrong in the metadata is no damage to the archive that holds them.
    if (error instanceof ArchiveError || error instanceof MetadataError) return error
    const detail = error instanceof Error ? error.message : String(error)
    return new ArchiveError('damaged', `${message}: ${detail}`, { cause: error })
  }
}
