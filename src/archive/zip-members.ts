/** The members of a zip by path, each to be read on its own: how a zip of documentation is served without unpacking it. */

import { pipeline, Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import yauzl from 'yauzl'
import { isTooLong } from './member-paths.ts'
import { ArchiveError, type ArchiveSource, checkNames, checkRatio, WatchedSource } from './source.ts'
import { openZip } from './zip-opener.ts'

export interface ZipMember {
  /** Below the zip's root, with `/`; never climbs out of it. */
  readonly path: string
  /** Unpacked, as the directory says; what is read never grows past it. */
  readonly sizeBytes: number
  readonly packedBytes: number
  readonly isDeflated: boolean
  readonly crc: number
  /** Where its local header begins. */
  readonly headerAt: number
}

export interface ZipMembers {
  readonly members: ReadonlyMap<string, ZipMember>
  /** Why some of what the zip holds is not among the members: a clause each, the first few. */
  readonly faults: readonly string[]
}

export interface ZipMemberLimits {
  readonly members: number
  /** One member, unpacked. */
  readonly memberBytes: number
}

/**
 * Reads the directory of a zip. What cannot or must not be served (names that climb out, links, what is encrypted or
 * packed in unusual ways) is left out and told in `faults`. Throws `ArchiveError` for what is no zip, has too many or too
 * large members, or unpacks as compression bombs do; errors of `source` pass through.
 */
export async function listZipMembers(source: ArchiveSource, limits: ZipMemberLimits): Promise<ZipMembers> {
  const watched = new WatchedSource(source)
  try {
    const zip = await openZip(watched, { decodeStrings: false, strictFileNames: true })
    try {
      return await readDirectory(zip, source.size, limits)
    } finally {
      zip.close()
    }
  } catch (error) {
    throw watched.explain(error, 'it is no complete zip')
  }
}

/**
 * A member's bytes, or those from `start` up to, not including, `end`. Throws `ArchiveError`, before the last of them,
 * where they do not agree with the directory.
 */
export async function* readZipMember(
  source: ArchiveSource,
  member: ZipMember,
  { start, end }: { readonly start: number; readonly end: number } = { start: 0, end: member.sizeBytes },
): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of checked(unpacked(source, member), member)) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
    at += chunk.length
    if (piece.length > 0) yield piece
    if (at >= end && end < member.sizeBytes) return
  }
}

const LOCAL_HEADER_BYTES = 30
const STORED = 0
const DEFLATED = 8
const FAULTS_TOLD = 5
/** The kind of file in the upper half of the external attributes, where Unix made the zip. */
const MADE_BY_UNIX = 3
const KIND_MASK = 0o170000
const SYMBOLIC_LINK = 0o120000

async function readDirectory(zip: yauzl.ZipFile, sizeBytes: number, limits: ZipMemberLimits): Promise<ZipMembers> {
  if (zip.entryCount > limits.members) throw new ArchiveError('too-big', `it has more than ${limits.members} members`)
  const members = new Map<string, ZipMember>()
  const faults: string[] = []
  let unpackedBytes = 0
  let nameBytes = 0
  for await (const entry of zip.eachEntry()) {
    nameBytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength
    checkNames(nameBytes)
    const path = pathOf(entry)
    const fault = faultOf(entry, path) ?? (members.has(path) ? 'is there twice' : undefined)
    if (fault !== undefined) {
      if (faults.length < FAULTS_TOLD) faults.push(`its member ${JSON.stringify(path.slice(0, 200))} ${fault}`)
      continue
    }
    if (path.endsWith('/')) continue
    if (entry.uncompressedSize > limits.memberBytes) {
      throw new ArchiveError('too-big', `a member of it is larger than ${limits.memberBytes} bytes`)
    }
    unpackedBytes += entry.uncompressedSize
    checkRatio(unpackedBytes, sizeBytes)
    members.set(path, {
      path,
      sizeBytes: entry.uncompressedSize,
      packedBytes: entry.compressedSize,
      isDeflated: entry.compressionMethod === DEFLATED,
      crc: entry.crc32,
      headerAt: entry.relativeOffsetOfLocalHeader,
    })
  }
  return { members, faults }
}

function pathOf(entry: yauzl.Entry): string {
  const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry
  return yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true).replace(/^(\.\/)+(?=.)/, '')
}

function faultOf(entry: yauzl.Entry, path: string): string | undefined {
  if (isTooLong(path)) return 'has a name of too many folders, or too long'
  const climbs = path.split('/').some((part) => part === '..' || part === '.') || /\p{Cc}/u.test(path)
  if (path === '' || climbs || yauzl.validateFileName(path) !== null) {
    return 'has a name that is no path below the root, with / between folders'
  }
  if (entry.isEncrypted()) return 'is encrypted'
  const isUnix = entry.versionMadeBy >>> 8 === MADE_BY_UNIX
  if (isUnix && ((entry.externalFileAttributes >>> 16) & KIND_MASK) === SYMBOLIC_LINK) return 'is a symbolic link'
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    return 'is neither stored nor deflated'
  return undefined
}

async function* unpacked(source: ArchiveSource, member: ZipMember): AsyncGenerator<Uint8Array> {
  if (member.packedBytes === 0) return
  const start = await dataStart(source, member)
  const packed = source.read(start, start + member.packedBytes)
  if (!member.isDeflated) return yield* packed
  const inflate = createInflateRaw()
  // A failure on either side ends the other; the reader below is told by `inflate`.
  pipeline(Readable.from(packed, { objectMode: false }), inflate, () => {})
  try {
    yield* inflate as AsyncIterable<Uint8Array>
  } catch (error) {
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new ArchiveError('damaged', 'a member cannot be inflated', { cause: error })
  }
}

async function dataStart(source: ArchiveSource, { headerAt, packedBytes }: ZipMember): Promise<number> {
  const headerEnd = headerAt + LOCAL_HEADER_BYTES
  if (headerEnd > source.size) throw new ArchiveError('damaged', 'a member lies outside of it')
  const header = Buffer.concat(await Array.fromAsync(source.read(headerAt, headerEnd)))
  if (header.toString('latin1', 0, 4) !== 'PK\x03\x04') throw new ArchiveError('damaged', 'a member has no header')
  const start = headerEnd + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (start + packedBytes > source.size) throw new ArchiveError('damaged', 'a member reaches past its end')
  return start
}

/** Passes bytes on and keeps the last ones back until size and checksum have proved right. */
async function* checked(source: AsyncIterable<Uint8Array>, member: ZipMember): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  let crc = 0
  let last: Uint8Array | undefined
  for await (const chunk of source) {
    sizeBytes += chunk.length
    if (sizeBytes > member.sizeBytes) break
    crc = crc32(chunk, crc)
    if (last !== undefined) yield last
    last = chunk
  }
  if (sizeBytes !== member.sizeBytes || crc !== member.crc) {
    throw new ArchiveError('damaged', 'a member does not match its size or its checksum')
  }
  if (last !== undefined) yield last
}
