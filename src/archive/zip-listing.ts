/**
 * Lists a zip's members from both the directory at its end and the header before each member, so that checks can compare
 * the two (APPNOTE 4.3). Contents are not read; memory grows only with the number of members.
 */
import type yauzl from 'yauzl'
import type { MemberPath } from './member-paths.ts'
import { ArchiveError, checkNames, checkRatio, type WatchedSource } from './source.ts'

/** A member as the directory tells it. */
export interface ListedMember {
  /** As bytes (a character each) and as text; the text is UTF-8 where that is possible, and then `isText`. */
  readonly rawPath: string
  readonly path: string
  readonly isText: boolean
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly sizeBytes: number
  /** Kind of file in Unix's terms, `0` where the zip does not say. */
  readonly kind: number
  readonly hasComment: boolean
  /** Numbers of the extra fields, in order. */
  readonly extras: readonly number[]
  /** The other name that the Unicode Path field gives it. */
  readonly otherPath?: string
  readonly headerAt: number
  /** The header before its bytes; absent where none is. */
  readonly local?: LocalHeader
}

export interface LocalHeader {
  readonly rawPath: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  /** `undefined`: told by a zip64 field that is not there. */
  readonly packedBytes: number | undefined
  readonly sizeBytes: number | undefined
  readonly extras: readonly number[]
  /** Where the member's bytes begin. */
  readonly dataAt: number
}

/** The records at the end of a zip. */
export interface ZipEnd {
  readonly commentBytes: number
  readonly members: number
  readonly directoryAt: number
  readonly directoryBytes: number
  /** Where the first of the end records begins: the directory has to reach up to there. */
  readonly at: number
  /** Whether the zip64 record, where there is one, stands in its place and agrees with the other. */
  readonly agrees: boolean
}

export interface ZipListing {
  readonly members: readonly ListedMember[]
  /** The members' paths, those of folders without the slash at their end. */
  readonly paths: readonly MemberPath[]
  readonly end: ZipEnd
  /** Where the entry after the last one would begin. */
  readonly directoryEndsAt: number
  /** The first bytes: 512 of them, where the zip is that long. */
  readonly head: Buffer
}

const END_BYTES = 22
const LOCATOR_BYTES = 20
const END64_BYTES = 56
const FULL16 = 0xffff
const FULL32 = 0xffffffff
const ZIP64 = 0x0001
const UNICODE_PATH = 0x7075
/** Whose kinds of files the external attributes tell. */
const MADE_BY_UNIX = 3
const KIND_MASK = 0o170000

/** Throws `ArchiveError` for too many members and for a compression bomb; what yauzl throws for a zip that it cannot read. */
export async function listZip(zip: yauzl.ZipFile, source: WatchedSource, membersMost: number): Promise<ZipListing> {
  if (zip.entryCount > membersMost) throw new ArchiveError('too-big', `it has more than ${membersMost} members`)
  const listed: ListedMember[] = []
  let unpackedBytes = 0
  let nameBytes = 0
  for await (const entry of zip.eachEntry()) {
    nameBytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength
    checkNames(nameBytes)
    unpackedBytes += entry.uncompressedSize
    checkRatio(unpackedBytes, source.size)
    listed.push(listedMember(entry))
  }
  const directoryEndsAt = Number(zip.readEntryCursor)
  // In the order of the file, so that blocks which are read for one header serve the next.
  const inOrder = listed.map((_, at) => at).sort((a, b) => listed[a]!.headerAt - listed[b]!.headerAt)
  const members = [...listed]
  let headerBytes = 0
  for (const at of inOrder) {
    const local = await localHeader(zip, listed[at]!, source.size)
    if (local === undefined) continue
    // Each may be the same place with a name of 64 KiB: the whole would be read as often as there are members.
    headerBytes += local.dataAt - listed[at]!.headerAt
    if (headerBytes > source.size) throw new ArchiveError('damaged', 'its members overlap')
    members[at] = { ...listed[at]!, local }
  }
  const paths = members.map(({ path }) => ({ path: path.replace(/\/$/, ''), isFolder: path.endsWith('/') }))
  return { members, paths, end: await readEnd(source), directoryEndsAt, head: await bytesAt(source, 0, 512) }
}

function listedMember(entry: yauzl.Entry): ListedMember {
  // No piece of the bytes is kept: it would keep the block that they are a piece of.
  const bytes = entry.fileNameRaw
  const path = bytes.toString('utf8')
  const isText = Buffer.from(path).equals(bytes)
  const isUnix = entry.versionMadeBy >>> 8 === MADE_BY_UNIX
  const other = entry.extraFields
    .find(({ id }) => id === UNICODE_PATH)
    ?.data.subarray(5)
    .toString('utf8')
  return {
    // The same text is kept once: of a member that is all there is room for.
    rawPath: isText && bytes.length === path.length ? path : bytes.toString('latin1'),
    path,
    isText,
    flags: entry.generalPurposeBitFlag,
    method: entry.compressionMethod,
    crc: entry.crc32,
    packedBytes: entry.compressedSize,
    sizeBytes: entry.uncompressedSize,
    kind: isUnix ? (entry.externalFileAttributes >>> 16) & KIND_MASK : 0,
    hasComment: entry.fileCommentLength > 0,
    extras: idsOf(entry.extraFields),
    ...(other !== undefined && { otherPath: other }),
    headerAt: entry.relativeOffsetOfLocalHeader,
  }
}

async function localHeader(
  zip: yauzl.ZipFile,
  { headerAt, rawPath }: ListedMember,
  sizeBytes: number,
): Promise<LocalHeader | undefined> {
  // What lies outside is told by the checks, in a sentence of their own.
  if (headerAt + 30 > sizeBytes) return undefined
  const place = { relativeOffsetOfLocalHeader: headerAt, compressedSize: 0 } as yauzl.Entry
  const found = await zip.readLocalFileHeaderPromise(place).catch((error: unknown) => {
    if (error instanceof Error && /^invalid local file header|overflows file bounds/.test(error.message))
      return undefined
    throw error
  })
  if (found === undefined) return undefined
  const extras = extraFields(found.extraField)
  const zip64 = extras.find(({ id }) => id === ZIP64)?.data
  let at = 0
  const size = (short: number) => {
    if (short !== FULL32) return short
    at += 8
    return zip64 !== undefined && zip64.length >= at ? Number(zip64.readBigUInt64LE(at - 8)) : undefined
  }
  const unpacked = size(found.uncompressedSize)
  const ownPath = found.fileName.toString('latin1')
  return {
    rawPath: ownPath === rawPath ? rawPath : ownPath,
    flags: found.generalPurposeBitFlag,
    method: found.compressionMethod,
    crc: found.crc32,
    sizeBytes: unpacked,
    packedBytes: size(found.compressedSize),
    extras: idsOf(extras),
    dataAt: found.fileDataStart,
  }
}

const NONE: readonly number[] = []

function idsOf(fields: readonly { readonly id: number }[]): readonly number[] {
  return fields.length === 0 ? NONE : fields.map(({ id }) => id)
}

/** What is left over after the last whole field is padding, which some tools align members with. */
function extraFields(bytes: Buffer): { id: number; data: Buffer }[] {
  const fields: { id: number; data: Buffer }[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt16LE(at + 2)
    if (end > bytes.length) break
    fields.push({ id: bytes.readUInt16LE(at), data: bytes.subarray(at + 4, end) })
    at = end
  }
  return fields
}

/** yauzl has found the records already; here they are looked at as they stand. */
async function readEnd(source: WatchedSource): Promise<ZipEnd> {
  const tailAt = Math.max(0, source.size - END_BYTES - FULL16 - LOCATOR_BYTES)
  const tail = await bytesAt(source, tailAt, source.size)
  const found = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'), tail.length - END_BYTES)
  const end = tail.subarray(found)
  const short = {
    commentBytes: end.readUInt16LE(20),
    members: end.readUInt16LE(10),
    directoryAt: end.readUInt32LE(16),
    directoryBytes: end.readUInt32LE(12),
    at: tailAt + found,
    agrees: end.readUInt16LE(8) === end.readUInt16LE(10) && end.readUInt16LE(4) === 0 && end.readUInt16LE(6) === 0,
  }
  const locator = tail.subarray(Math.max(0, found - LOCATOR_BYTES), found)
  if (locator.length < LOCATOR_BYTES || locator.toString('latin1', 0, 4) !== 'PK\x06\x07') return short
  const at = Number(locator.readBigUInt64LE(8))
  const end64 = at + END64_BYTES <= source.size ? await bytesAt(source, at, at + END64_BYTES) : undefined
  if (end64 === undefined) return { ...short, agrees: false }
  const long = {
    members: Number(end64.readBigUInt64LE(32)),
    directoryAt: Number(end64.readBigUInt64LE(48)),
    directoryBytes: Number(end64.readBigUInt64LE(40)),
  }
  const reaches = at + 12 + Number(end64.readBigUInt64LE(4)) === short.at - LOCATOR_BYTES
  const agrees =
    reaches &&
    end64.readBigUInt64LE(24) === end64.readBigUInt64LE(32) &&
    [FULL16, long.members].includes(short.members) &&
    [FULL32, long.directoryAt].includes(short.directoryAt) &&
    [FULL32, long.directoryBytes].includes(short.directoryBytes)
  return { ...long, commentBytes: short.commentBytes, at, agrees }
}

async function bytesAt(source: WatchedSource, start: number, end: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source.read(start, Math.min(end, source.size))))
}
