/** Bodies that are read in pieces from any place, so that a file of gigabytes costs no memory. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digestOf, parseDigest } from '../../src/lib/digest.ts'
import { CHECKOUT } from '../programs/server-process.ts'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export interface Content {
  /** `undefined` where it is told at the end only. */
  readonly sizeBytes: number | undefined
  /** Bytes `from` to `to` (exclusive), in chunks of at most 64 KiB. */
  read(from?: number, to?: number): Chunks
}

export interface File extends Content {
  readonly sizeBytes: number
  readonly sha256: Digest
}

const CHUNK = 64 * 1024

export function bytesContent(bytes: Uint8Array): Content & { readonly sizeBytes: number } {
  return {
    sizeBytes: bytes.length,
    *read(from = 0, to = bytes.length) {
      const end = Math.min(to, bytes.length)
      for (let at = from; at < end; at += CHUNK) yield bytes.subarray(at, Math.min(at + CHUNK, end))
    },
  }
}

export function bytesFile(bytes: Uint8Array): File {
  return { ...bytesContent(bytes), sha256: digestOf(bytes) }
}

/** Text whose pieces are made while it is read: its length is not known before. A part costs all that stands before it. */
export function lazyContent(pieces: () => Iterable<string>): Content {
  return {
    sizeBytes: undefined,
    *read(from = 0, to = Number.POSITIVE_INFINITY) {
      let at = 0
      for (const chunk of chunks(pieces())) {
        if (at >= to) return
        const part = chunk.subarray(Math.max(0, from - at), Math.min(chunk.length, to - at))
        if (part.length > 0) yield part
        at += chunk.length
      }
    },
  }
}

function* chunks(pieces: Iterable<string>): Iterable<Uint8Array> {
  let waiting = ''
  for (const piece of pieces) {
    waiting += piece
    if (waiting.length < CHUNK) continue
    yield Buffer.from(waiting)
    waiting = ''
  }
  if (waiting !== '') yield Buffer.from(waiting)
}

/**
 * `sizeBytes` bytes that do not compress and that depend on `seed` alone. Every chunk is the same noise with its own number
 * in front, so any place can be read at the price of a copy. The sha256 of a file over 256 MiB is remembered in
 * `.cache/generated/`.
 */
export async function generatedFile(sizeBytes: number, seed: string): Promise<File> {
  const noise = noiseFor(seed)
  function* read(from = 0, to = sizeBytes): Iterable<Uint8Array> {
    const end = Math.min(to, sizeBytes)
    for (let at = from; at < end; ) {
      const number = Math.floor(at / CHUNK)
      const chunk = Buffer.from(noise)
      chunk.writeUInt32LE(number % 2 ** 32, 0)
      const start = at % CHUNK
      const piece = chunk.subarray(start, Math.min(CHUNK, start + end - at))
      yield piece
      at += piece.length
    }
  }
  return { sizeBytes, read, sha256: await remembered(sizeBytes, seed, read) }
}

function noiseFor(seed: string): Buffer {
  const pieces: Buffer[] = []
  for (let i = 0; i < CHUNK / 64; i++) pieces.push(createHash('sha512').update(`${seed} ${i}`).digest())
  return Buffer.concat(pieces)
}

async function remembered(sizeBytes: number, seed: string, read: () => Iterable<Uint8Array>): Promise<Digest> {
  if (sizeBytes < 256 * 1024 * 1024) return hashed(read())
  const folder = join(CHECKOUT, '.cache', 'generated')
  const path = join(folder, `${digestOf(seed)}-${sizeBytes}.sha256`)
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known !== undefined) return parseDigest(known.trim())
  const digest = await hashed(read())
  await mkdir(folder, { recursive: true })
  await writeFile(`${path}.${process.pid}`, digest)
  await rename(`${path}.${process.pid}`, path)
  return digest
}

async function hashed(chunks: Iterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256')
  let sincePause = 0
  for (const chunk of chunks) {
    hash.update(chunk)
    sincePause += chunk.length
    if (sincePause < 32 * 1024 * 1024) continue
    sincePause = 0
    await new Promise((resolve) => setImmediate(resolve))
  }
  return parseDigest(hash.digest('hex'))
}
