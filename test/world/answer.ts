/** An HTTP answer as data, and sending one: conditions, ranges, and every way in which a server goes wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { bytesContent, type Chunks, type Content } from '../builders/content.ts'

export interface Answer {
  readonly status: number
  /** Lower-case names. Content-Length is not among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly content: Content
}

/** What a server may do instead of answering well. Bytes are counted in the body. */
export type Behaviour =
  /** Same length, other content: the last byte is another. */
  | { readonly kind: 'wrong-bytes' }
  /** The whole length is promised, and the connection broken after so many bytes; a negative number counts from the end. */
  | { readonly kind: 'cut'; readonly afterBytes?: number }
  /** A body without a promised length ends well-formed, but early. */
  | { readonly kind: 'short'; readonly afterBytes?: number }
  /** The request is taken, and nothing comes back. */
  | { readonly kind: 'hang' }
  /** Headers and so many bytes, then silence. */
  | { readonly kind: 'hang-body'; readonly afterBytes?: number }
  /** So many bytes in a second, without an end to patience. */
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Content-Length says so many bytes more than there are (less, when negative); the connection is closed after them. */
  | { readonly kind: 'wrong-length'; readonly byBytes?: number }
  /** The body, again and again. */
  | { readonly kind: 'endless' }
  /** A redirect to the same address. */
  | { readonly kind: 'redirect-loop' }
  /** A redirect to `to`, absolute or relative. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** 200 and a page for people, as hotel networks and single sign-on answer. */
  | { readonly kind: 'login-page' }
  /** So long before the headers, then well. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** A Content-Encoding that the body does not have. */
  | { readonly kind: 'wrong-encoding'; readonly encoding?: string }
  /** These header fields in place of the true ones: an untrue Content-Range, another ETag. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }

/** Which ranges are known; `no-suffix`: not "the last so many bytes", as with some storage services. */
export type Ranges = boolean | 'no-suffix'

/** The answer that conditions (`If-None-Match`, `If-Modified-Since`) and a single `Range` of the request turn `answer` into. */
export function conditional(request: IncomingMessage, answer: Answer, ranges: Ranges): Answer {
  const { etag, 'last-modified': modified } = answer.headers
  if (answer.status !== 200) return answer
  if (isUnchanged(request, etag, modified)) return { ...answer, status: 304, content: NOTHING }
  const size = answer.content.sizeBytes
  if (ranges === false || size === undefined) return answer
  const headers = { ...answer.headers, 'accept-ranges': 'bytes' }
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  const ifRange = request.headers['if-range']
  if (range === null || (ifRange !== undefined && ifRange !== etag && ifRange !== modified))
    return { ...answer, headers }
  const [, first = '', last = ''] = range
  if (first === '' && ranges === 'no-suffix') return { ...answer, headers }
  if (first === '' && last === '') return { ...answer, headers }
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (from >= size || to <= from) {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${size}` }, content: NOTHING }
  }
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${from}-${to - 1}/${size}` },
    content: { sizeBytes: to - from, read: (a = 0, b = to - from) => answer.content.read(from + a, from + b) },
  }
}

/** Sends `answer`, spoiled by `behaviour`. Settles when all was sent or the asker has gone; a hanging answer waits for the latter. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  behaviour?: Behaviour,
  onBytes: (count: number) => void = () => {},
): Promise<void> {
  const gone = new Promise<void>((resolve) => response.once('close', resolve))
  const abort = new AbortController()
  gone.then(() => abort.abort())
  // A path that is asked for while the connection breaks is no error of this server.
  response.on('error', () => {})
  const wait = (ms: number) => delay(ms, undefined, { signal: abort.signal }).catch(() => {})
  const size = answer.content.sizeBytes
  const half = Math.floor((size ?? 2) / 2)

  const fromEnd = (bytes: number) => (bytes < 0 ? Math.max(0, (size ?? 0) + bytes) : bytes)

  function head(status: number, headers: Readonly<Record<string, string>>, length: number | undefined): void {
    const all: Record<string, string> = { ...headers }
    if (length !== undefined && status !== 304) all['content-length'] = String(length)
    response.writeHead(status, all)
  }
  async function body(chunks: Chunks): Promise<void> {
    if (request.method === 'HEAD') return
    for await (const chunk of chunks) {
      if (response.destroyed) return
      onBytes(chunk.length)
      if (!response.write(chunk)) await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone])
    }
  }
  async function plainly(other: Answer, length = other.content.sizeBytes): Promise<void> {
    head(other.status, other.headers, length)
    await body(other.content.read())
    response.end()
  }

  switch (behaviour?.kind) {
    case undefined:
      return plainly(answer)
    case 'slow':
      await wait(behaviour.ms)
      return response.destroyed ? undefined : plainly(answer)
    case 'wrong-bytes':
      return plainly({ ...answer, content: { sizeBytes: size, read: () => lastByteChanged(answer.content) } })
    case 'cut': {
      head(answer.status, answer.headers, size)
      response.flushHeaders()
      await body(answer.content.read(0, fromEnd(behaviour.afterBytes ?? half)))
      // What was written must reach the asker before the break: an empty write is called back when it is on its way.
      await new Promise((resolve) => response.write('', resolve))
      response.socket?.destroySoon()
      return gone
    }
    case 'short':
      return plainly({
        ...answer,
        content: { sizeBytes: undefined, read: () => answer.content.read(0, behaviour.afterBytes ?? half) },
      })
    case 'hang':
      return gone
    case 'hang-body':
      head(answer.status, answer.headers, size)
      response.flushHeaders()
      await body(answer.content.read(0, behaviour.afterBytes ?? half))
      return gone
    case 'trickle':
      head(answer.status, answer.headers, size)
      response.flushHeaders()
      await trickled(behaviour.bytesPerSecond)
      response.end()
      return
    case 'status': {
      const retry = behaviour.retryAfterSeconds
      const headers: Record<string, string> = { 'content-type': 'text/plain' }
      if (retry !== undefined) headers['retry-after'] = String(retry)
      return plainly({
        status: behaviour.status,
        headers,
        content: text(`This answer is ${behaviour.status} on purpose\n`),
      })
    }
    case 'wrong-length': {
      head(
        answer.status,
        { ...answer.headers, connection: 'close' },
        Math.max(0, (size ?? 0) + (behaviour.byBytes ?? 10)),
      )
      await body(answer.content.read())
      await new Promise((resolve) => response.write('', resolve))
      response.socket?.destroySoon()
      return gone
    }
    case 'endless':
      head(answer.status, answer.headers, undefined)
      while (!response.destroyed && request.method !== 'HEAD') {
        await body(answer.content.read())
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
      return
    case 'redirect-loop':
      return plainly({ status: 302, headers: { location: request.url ?? '/' }, content: NOTHING })
    case 'redirect':
      return plainly({ status: 302, headers: { location: behaviour.to }, content: NOTHING })
    case 'login-page':
      return plainly({
        status: 200,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        content: text('<!DOCTYPE html><title>Sign in</title><h1>Sign in</h1><a href="/terms">Terms of use</a>\n'),
      })
    case 'headers':
      return plainly({ ...answer, headers: { ...answer.headers, ...behaviour.headers } })
    case 'wrong-encoding':
      return plainly({ ...answer, headers: { ...answer.headers, 'content-encoding': behaviour.encoding ?? 'gzip' } })
  }

  async function trickled(bytesPerSecond: number): Promise<void> {
    // About ten pieces a second, or fewer where a piece would be less than a byte.
    const pieceBytes = Math.max(1, Math.floor(bytesPerSecond / 10))
    for await (const chunk of answer.content.read()) {
      for (let at = 0; at < chunk.length && !response.destroyed; at += pieceBytes) {
        const piece = chunk.subarray(at, at + pieceBytes)
        await body([piece])
        await wait((piece.length / bytesPerSecond) * 1000)
      }
    }
  }
}

/** A short text as content. */
export function text(value: string): Content {
  return bytesContent(Buffer.from(value))
}

export const NOTHING: Content = bytesContent(new Uint8Array())

function isUnchanged(request: IncomingMessage, etag: string | undefined, modified: string | undefined): boolean {
  const asked = request.headers['if-none-match']
  if (asked !== undefined) {
    if (etag === undefined) return false
    return asked === '*' || asked.split(',').some((one) => weakly(one) === weakly(etag))
  }
  const since = request.headers['if-modified-since']
  return since !== undefined && modified !== undefined && Date.parse(since) >= Date.parse(modified)
}

function weakly(etag: string): string {
  return etag.trim().replace(/^W\//, '')
}

async function* lastByteChanged(content: Content): AsyncIterable<Uint8Array> {
  let held: Uint8Array | undefined
  for await (const chunk of content.read()) {
    if (held !== undefined) yield held
    held = chunk
  }
  if (held === undefined) return
  const changed = Uint8Array.from(held)
  changed[changed.length - 1] = changed[changed.length - 1]! ^ 1
  yield changed
}
