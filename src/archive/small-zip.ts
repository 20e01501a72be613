/**
 * The listing of a zip that is in memory and as plain as build tools write them: read at once, where `listZip` waits for each of
 * its many small reads. Only what leaves no room for doubt is read here; anything else, and all that is wrong, is left to `listZip`.
 */
import type { ListedMember, LocalHeader, ZipListing } from './zip-listing.ts'

const END = 0x06054b50
const END_BYTES = 22
const LOCATOR = 0x07064b50
const LOCATOR_BYTES = 20
const ENTRY = 0x02014b50
const ENTRY_BYTES = 46
const HEADER = 0x04034b50
const HEADER_BYTES = 30
const HEAD_BYTES = 512
const STORED = 0
const DEFLATED = 8
/** How hard was tried to pack it, sizes behind the bytes, name in UTF-8. */
const PLAIN_FLAGS = 0x2 | 0x4 | 0x8 | 0x800
const FULL16 = 0xffff
const FULL32 = 0xffffffff
/** What unpacks to more is looked at closely: see `checkRatio`. */
const RATIO_PLAIN = 50
const MADE_BY_UNIX = 3
const KIND_MASK = 0o170000
const NONE: readonly number[] = []

/** What `listZip` gives of the same bytes; `undefined` where only that can tell. */
export function listSmallZip(bytes: Buffer, membersMost: number): ZipListing | undefined {
  const at = bytes.length - END_BYTES
  if (at < 0 || bytes.readUInt32LE(0) !== HEADER || bytes.readUInt32LE(at) !== END) return undefined
  if (at >= LOCATOR_BYTES && bytes.readUInt32LE(at - LOCATOR_BYTES) === LOCATOR) return undefined
  const count = bytes.readUInt16LE(at + 10)
  const directoryBytes = bytes.readUInt32LE(at + 12)
  const directoryAt = bytes.readUInt32LE(at + 16)
  const isWhole = bytes.readUInt32LE(at + 4) === 0 && bytes.readUInt16LE(at + 8) === count
  const isPlain = isWhole && bytes.readUInt16LE(at + 20) === 0 && directoryAt + directoryBytes === at
  if (!isPlain || count > membersMost || count === FULL16) return undefined

  const members: ListedMember[] = []
  let unpackedBytes = 0
  let next = directoryAt
  for (let left = count; left > 0; left--) {
    const member = memberAt(bytes, next, at, directoryAt)
    if (member === undefined) return undefined
    unpackedBytes += member.sizeBytes
    members.push(member)
    next += ENTRY_BYTES + member.rawPath.length
  }
  if (next !== at || unpackedBytes > RATIO_PLAIN * bytes.length) return undefined
  return {
    members,
    paths: members.map(({ path }) => {
      const isFolder = path.endsWith('/')
      return { path: isFolder ? path.slice(0, -1) : path, isFolder }
    }),
    end: { commentBytes: 0, members: count, directoryAt, directoryBytes, at, agrees: true },
    directoryEndsAt: next,
    head: bytes.subarray(0, HEAD_BYTES),
  }
}

/** The entry there, which ends before `end`; its member ends before `membersEnd`. */
function memberAt(bytes: Buffer, at: number, end: number, membersEnd: number): ListedMember | undefined {
  if (at + ENTRY_BYTES > end || bytes.readUInt32LE(at) !== ENTRY) return undefined
  const flags = bytes.readUInt16LE(at + 8)
  const method = bytes.readUInt16LE(at + 10)
  const packedBytes = bytes.readUInt32LE(at + 20)
  const sizeBytes = bytes.readUInt32LE(at + 24)
  const nameBytes = bytes.readUInt16LE(at + 28)
  // Neither extra fields nor a comment.
  if ((flags & ~PLAIN_FLAGS) !== 0 || bytes.readUInt16LE(at + 30) !== 0 || bytes.readUInt16LE(at + 32) !== 0)
    return undefined
  if (method === STORED ? packedBytes !== sizeBytes : method !== DEFLATED) return undefined
  if (sizeBytes === FULL32 || at + ENTRY_BYTES + nameBytes > end) return undefined
  const path = bytes.toString('latin1', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)
  if (!isAscii(path)) return undefined
  const headerAt = bytes.readUInt32LE(at + 42)
  const local = headerOf(bytes, headerAt, path, membersEnd - packedBytes)
  if (local === undefined) return undefined
  const isUnix = bytes[at + 5] === MADE_BY_UNIX
  return {
    rawPath: path,
    path,
    isText: true,
    flags,
    method,
    crc: bytes.readUInt32LE(at + 16),
    packedBytes,
    sizeBytes,
    kind: isUnix ? bytes.readUInt16LE(at + 40) & KIND_MASK : 0,
    hasComment: false,
    extras: NONE,
    headerAt,
    local,
  }
}

/** The header there, with the same name; the member's bytes begin at `dataMost` at the latest. */
function headerOf(bytes: Buffer, at: number, path: string, dataMost: number): LocalHeader | undefined {
  const dataAt = at + HEADER_BYTES + path.length
  if (dataAt > dataMost || bytes.readUInt32LE(at) !== HEADER) return undefined
  if (bytes.readUInt16LE(at + 26) !== path.length || bytes.readUInt16LE(at + 28) !== 0) return undefined
  if (bytes.toString('latin1', at + HEADER_BYTES, dataAt) !== path) return undefined
  const packedBytes = bytes.readUInt32LE(at + 18)
  const sizeBytes = bytes.readUInt32LE(at + 22)
  if (packedBytes === FULL32 || sizeBytes === FULL32) return undefined
  return {
    rawPath: path,
    flags: bytes.readUInt16LE(at + 6),
    method: bytes.readUInt16LE(at + 8),
    crc: bytes.readUInt32LE(at + 14),
    packedBytes,
    sizeBytes,
    extras: NONE,
    dataAt,
  }
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}
