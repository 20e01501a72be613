/**
 * One gzip stream put together from pieces that were compressed apart (each ends on a byte and looks back at nothing
 * before it), so that pieces can be kept, left out and replaced without compressing the rest again.
 */
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw } from 'node:zlib'

/** What is known of a piece: enough to end the stream without reading it again. */
export interface PieceFacts {
  /** Compressed. */
  readonly sizeBytes: number
  readonly plainBytes: number
  /** CRC-32 of the plain bytes. */
  readonly crc: number
}
export interface Piece extends PieceFacts {
  readonly bytes: Buffer
}

/** What a stream begins with: no name, no time, no system. */
export const GZIP_HEAD: Buffer = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** Bytes that `GzipSum.end()` gives. */
export const GZIP_TAIL_BYTES = 10

/** Compresses one piece. */
export async function compressPiece(plain: Buffer): Promise<Piece> {
  const bytes = await compress(plain, { finishFlush: constants.Z_FULL_FLUSH })
  return { bytes, sizeBytes: bytes.length, plainBytes: plain.length, crc: crc32(plain) }
}

/** A piece that is stored as it is: for the few bytes around others, which are not worth a compressor's memory. */
export function storePiece(plain: Buffer): Piece {
  const blocks: Buffer[] = []
  for (let at = 0; at < plain.length; at += STORED_MOST) {
    const part = plain.subarray(at, at + STORED_MOST)
    const head = Buffer.from([0, 0, 0, 0, 0])
    head.writeUInt16LE(part.length, 1)
    head.writeUInt16LE(part.length ^ 0xffff, 3)
    blocks.push(head, part)
  }
  const bytes = Buffer.concat(blocks)
  return { bytes, sizeBytes: bytes.length, plainBytes: plain.length, crc: crc32(plain) }
}

/** Follows the pieces of a stream, in order, and ends it. */
export class GzipSum implements PieceFacts {
  sizeBytes = 0
  plainBytes = 0
  crc = 0

  add(piece: PieceFacts): void {
    this.crc = combine(this.crc, piece.crc, piece.plainBytes)
    this.sizeBytes += piece.sizeBytes
    this.plainBytes += piece.plainBytes
  }

  /** An empty last block, the sum of all pieces, and their length (RFC 1952 §2.3.1). */
  end(): Buffer {
    const tail = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0])
    tail.writeUInt32LE(this.crc, 2)
    tail.writeUInt32LE(this.plainBytes % 2 ** 32, 6)
    return tail
  }
}

/** Bytes in one stored block (RFC 1951 §3.2.4). */
const STORED_MOST = 65_535

const compress = promisify(deflateRaw) as (plain: Buffer, options: { readonly finishFlush: number }) => Promise<Buffer>

/**
 * The CRC of two texts one after the other from theirs. Zero bits behind a text multiply its CRC by x in the field of
 * polynomials modulo CRC-32's own, so `second`'s length is a power of x, and the sum is `first` times that, plus `second`.
 */
function combine(first: number, second: number, secondBytes: number): number {
  return (multiply(xToThe(secondBytes), first) ^ second) >>> 0
}

/** CRC-32's polynomial, its bits turned round as zlib keeps them: the highest bit stands for 1. */
const POLYNOMIAL = 0xedb88320
const ONE = 0x80000000

function multiply(one: number, other: number): number {
  let sum = 0
  let factor = other
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((one & bit) !== 0) sum ^= factor
    factor = (factor & 1) === 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1
  }
  return sum >>> 0
}

/** x to the power of eight times `bytes`. */
function xToThe(bytes: number): number {
  let power = ONE
  // x^8, and then its squares.
  let square = ONE >>> 8
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}
