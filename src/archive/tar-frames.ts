/**
 * Checks the raw blocks of a tar for facts that a reader of members hides: its end, bytes after the end, and sizes given
 * twice (POSIX pax, GNU tar).
 */

export interface TarFrames {
  /** The next bytes, in pieces of any length. */
  take(chunk: Uint8Array): void
  /** After the last of them. */
  readonly found: TarFraming
}

export interface TarFraming {
  /** Two blocks of zeros, or what is left of them, end a tar. */
  readonly hasEnd: boolean
  /** Something else than zeros stands behind the end. */
  readonly hasMore: boolean
  /** A pax header gives another size than the member's own header, which has room for it. */
  readonly hasTwoSizes: boolean
  /** A header for all members that follow gives them one name, size or target. */
  readonly hasGlobalName: boolean
}

const BLOCK = 512
/** A header's field holds no more in octal digits. */
const OCTAL_MOST = 0o77777777777
/** pax records of one member that are looked at: real ones have some 200 bytes. */
const PAX_BYTES = 1024 * 1024
/** The length that begins a record: of more digits it is none, and the next one would be looked for in all that follows. */
const LENGTH_DIGITS_MOST = 16
const PAX = 0x78
const GLOBAL_PAX = 0x67

export function tarFrames(): TarFrames {
  const found = { hasEnd: false, hasMore: false, hasTwoSizes: false, hasGlobalName: false }
  const block = Buffer.alloc(BLOCK)
  let filled = 0
  /** Bytes of the current member, filled up to whole blocks, that are still to come. */
  let skip = 0
  let pax: { text: Buffer[]; bytes: number; isGlobal: boolean } | undefined
  let paxSize: number | undefined

  function header(): void {
    if (block.every((byte) => byte === 0)) {
      found.hasEnd = true
      return
    }
    if (found.hasEnd) {
      found.hasMore = true
      return
    }
    const kind = block[156]!
    const own = sizeOf(block)
    if (kind === PAX || kind === GLOBAL_PAX) {
      pax = { text: [], bytes: own, isGlobal: kind === GLOBAL_PAX }
      skip = padded(own)
      return
    }
    // Between pax header and member GNU tar may put long names; those have sizes of their own.
    const isLongName = kind === 0x4b || kind === 0x4c || kind === 0x4e
    const size = isLongName ? own : (paxSize ?? own)
    if (!isLongName) {
      if (paxSize !== undefined && paxSize !== own && paxSize <= OCTAL_MOST) found.hasTwoSizes = true
      paxSize = undefined
    }
    // Links and folders have no bytes, whatever their header says; hard links of old pax archives may.
    skip = /[2-6]/.test(String.fromCharCode(kind)) ? 0 : padded(size)
  }

  function endPax(): void {
    const { text, bytes, isGlobal } = pax!
    const records = paxRecords(Buffer.concat(text).subarray(0, bytes))
    if (isGlobal && ['path', 'size', 'linkpath'].some((key) => records.has(key))) found.hasGlobalName = true
    const size = Number(records.get('size') ?? Number.NaN)
    if (!isGlobal && Number.isSafeInteger(size) && size >= 0) paxSize = size
    pax = undefined
  }

  function take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + (skip > 0 ? skip : BLOCK - filled))
      at += piece.length
      if (skip === 0) {
        block.set(piece, filled)
        filled += piece.length
        if (filled < BLOCK) continue
        filled = 0
        header()
        continue
      }
      skip -= piece.length
      if (pax === undefined) continue
      if (pax.bytes <= PAX_BYTES) pax.text.push(Buffer.from(piece))
      if (skip === 0) endPax()
    }
  }
  return { take, found }
}

/** Octal digits, or base 256 after a byte of 0x80. */
function sizeOf(block: Buffer): number {
  if ((block[124]! & 0x80) === 0) return Number.parseInt(block.toString('latin1', 124, 136).trim() || '0', 8) || 0
  return Number(block.readBigUInt64BE(128) & 0x1fffffffffffffn)
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK
}

/** `{length} {key}={value}\n`, one after the other. */
function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.subarray(at, at + LENGTH_DIGITS_MOST + 1).indexOf(0x20) + at
    const length = space < at ? Number.NaN : Number(bytes.toString('latin1', at, space))
    if (!Number.isSafeInteger(length) || length <= 0) break
    const [key = '', ...value] = bytes.toString('utf8', space + 1, at + length - 1).split('=')
    records.set(key, value.join('='))
    at += length
  }
  return records
}
