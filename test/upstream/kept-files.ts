/**
 * What was fetched from the real index once, for all test processes and runs. One file for each address:
 *
 *     {sha256 of the key, first two digits}/{sha256}         a line of JSON (`KeptHead`), then the bytes
 *     {sha256 of the key, first two digits}/{sha256}.lock    somebody is fetching it
 */
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { digestOf } from '../../src/lib/digest.ts'
import type { Content } from '../builders/content.ts'

export interface KeptHead {
  readonly url: string
  /** After redirects. */
  readonly finalUrl: string
  readonly status: number
  /** Those worth passing on, lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Kept extends KeptHead {
  /** Milliseconds since 1970. */
  readonly keptAt: number
  readonly content: Content & { readonly sizeBytes: number }
}

export interface Fetched {
  readonly head: KeptHead
  readonly promisedBytes: number | undefined
  readonly body: AsyncIterable<Uint8Array>
}

export interface Follower {
  /** Before the first byte. */
  onHead(fetched: Fetched): void
  onBytes(bytes: Uint8Array): Promise<void> | void
}

export interface KeptFiles {
  /** Whatever its age. */
  find(key: string): Promise<Kept | undefined>
  /**
   * Keeps what `fetching()` gives, all of it or nothing, and passes it on to `follower` while it comes. Throws what `fetching()` or
   * its body throws. Another process may have kept the same meanwhile; then `fetching` and `follower` are not called.
   */
  keep(key: string, fetching: () => Promise<Fetched>, follower?: Follower): Promise<Kept>
}

/** A process that fetches the same is waited for this long; then it is fetched twice, which harms nothing. */
const LOCK_MS = 2000
const HEAD_BYTES = 64 * 1024

export function keptFiles(folder: string): KeptFiles {
  const place = (key: string) => {
    const digits = digestOf(key)
    return join(folder, digits.slice(0, 2), digits)
  }

  async function keep(key: string, fetching: () => Promise<Fetched>, follower?: Follower): Promise<Kept> {
    const path = place(key)
    await mkdir(dirname(path), { recursive: true })
    const before = await read(path)
    const until = performance.now() + LOCK_MS
    while (!(await lock(`${path}.lock`)) && performance.now() < until) {
      await delay(25)
      const other = await read(path)
      if (other !== undefined && other.keptAt !== before?.keptAt) return other
    }
    const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
    try {
      await write(temporary, await fetching(), follower)
      await rename(temporary, path)
    } finally {
      await rm(temporary, { force: true })
      await rm(`${path}.lock`, { force: true })
    }
    const kept = await read(path)
    if (kept === undefined) throw new Error(`Cannot find what was kept a moment ago: "${path}"`)
    return kept
  }

  return { find: (key) => read(place(key)), keep }
}

async function read(path: string): Promise<Kept | undefined> {
  try {
    await using file = await open(path, 'r')
    const { size, mtimeMs } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const start = buffer.subarray(0, bytesRead).indexOf('\n') + 1
    if (start === 0) throw new SyntaxError(`Cannot read "${path}": it does not begin with a line of JSON`)
    const head: KeptHead = JSON.parse(buffer.toString('utf8', 0, start))
    const sizeBytes = size - start
    return {
      ...head,
      keptAt: mtimeMs,
      content: { sizeBytes, read: (from, to) => slice(path, start, from, to ?? sizeBytes) },
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function lock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

async function write(path: string, fetched: Fetched, follower: Follower | undefined): Promise<void> {
  const { head, promisedBytes, body } = fetched
  follower?.onHead(fetched)
  await using file = await open(path, 'wx')
  await file.writeFile(`${JSON.stringify(head)}\n`)
  let seen = 0
  for await (const chunk of body) {
    await file.writeFile(chunk)
    seen += chunk.length
    await follower?.onBytes(chunk)
  }
  if (promisedBytes !== undefined && promisedBytes !== seen) {
    throw new Error(`Cannot keep "${head.url}": ${promisedBytes} bytes were promised and ${seen} came`)
  }
  // A machine that loses power must not keep the name without the bytes.
  await file.sync()
}

async function* slice(path: string, start: number, from = 0, to: number): AsyncIterable<Uint8Array> {
  if (to > from) yield* createReadStream(path, { start: start + from, end: start + to - 1 })
}
