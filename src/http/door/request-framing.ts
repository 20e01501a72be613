/**
 * Request framing: finds where requests begin in the bytes of one connection while node:http reads them. It is exact or
 * gives up: at the first ambiguous byte the framing is lost, for good.
 */
import { maxHeaderSize } from '../../lib/node-http.ts'
import { areDoubtful, bodyFraming, chunkBytes } from './request-head.ts'

type Place =
  /** Before the first byte of a request. */
  'start' | 'head' | 'body' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers' | 'lost'

const LINE_END = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')
/** Of a head that is not complete: node:http refuses before that. */
const MOST_TEXT = 2 * maxHeaderSize

export class RequestFraming {
  #place: Place = 'start'
  /** What came so far of a head, line or trailers, as latin1. */
  #text = ''
  /** Bytes to come of a body or chunk. */
  #left = 0

  /** The next byte is the first of a request. */
  get isAtStart(): boolean {
    return this.#place === 'start'
  }

  get isLost(): boolean {
    return this.#place === 'lost'
  }

  /** Reads `bytes` from `from` to the end of the request, or as far as they go. Returns where the next byte stands. */
  read(bytes: Buffer, from: number): number {
    let at = from
    do {
      at = this.#step(bytes, at)
    } while (at < bytes.length && this.#place !== 'start' && this.#place !== 'lost')
    return at
  }

  #step(bytes: Buffer, from: number): number {
    switch (this.#place) {
      case 'body':
        return this.#skip(bytes, from, 'start')
      case 'chunk':
        return this.#skip(bytes, from, 'chunk end')
      case 'lost':
        return bytes.length
      case 'start':
        this.#place = 'head'
        return this.#collect(bytes, from, HEAD_END)
      case 'head':
      case 'trailers':
        return this.#collect(bytes, from, HEAD_END)
      default:
        return this.#collect(bytes, from, LINE_END)
    }
  }

  #skip(bytes: Buffer, from: number, next: Place): number {
    const skipped = Math.min(this.#left, bytes.length - from)
    this.#left -= skipped
    if (this.#left === 0) this.#place = next
    return from + skipped
  }

  /** Gathers text up to `end`, which may have begun in earlier bytes. */
  #collect(bytes: Buffer, from: number, end: Buffer): number {
    if (this.#text === '') {
      const found = bytes.indexOf(end, from)
      const to = found < 0 ? bytes.length : found
      if (to - from > MOST_TEXT) return this.#lose(bytes)
      const text = bytes.toString('latin1', from, to)
      if (found >= 0) this.#understand(text)
      else this.#text = text
      return found < 0 ? to : found + end.length
    }
    const before = this.#text.length
    const text = this.#text + bytes.toString('latin1', from, Math.min(bytes.length, from + MOST_TEXT))
    const found = text.indexOf(end.toString('latin1'), Math.max(0, before - end.length + 1))
    if ((found < 0 ? text.length : found) > MOST_TEXT) return this.#lose(bytes)
    this.#text = found < 0 ? text : ''
    if (found < 0) return bytes.length
    this.#understand(text.slice(0, found))
    return from + found + end.length - before
  }

  #understand(text: string): void {
    switch (this.#place) {
      case 'head':
        this.#begin(bodyFraming(text))
        break
      case 'chunk size':
        this.#beginChunk(chunkBytes(text))
        break
      case 'chunk end':
        this.#place = text === '' ? 'chunk size' : 'lost'
        break
      default:
        this.#place = areDoubtful(text) ? 'lost' : 'start'
    }
  }

  #begin(body: ReturnType<typeof bodyFraming>): void {
    if (body === undefined) this.#place = 'lost'
    else if (body === 'chunked') this.#place = 'chunk size'
    else {
      this.#left = body
      this.#place = body === 0 ? 'start' : 'body'
    }
  }

  #beginChunk(sizeBytes: number | undefined): void {
    if (sizeBytes === undefined) this.#place = 'lost'
    else if (sizeBytes > 0) {
      this.#left = sizeBytes
      this.#place = 'chunk'
    } else {
      this.#place = 'trailers'
      // The line end of the last chunk's size is the first half of what ends them.
      this.#text = '\r\n'
    }
  }

  #lose(bytes: Buffer): number {
    this.#place = 'lost'
    this.#text = ''
    return bytes.length
  }
}
