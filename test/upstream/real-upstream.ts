/**
 * A relay in front of the index that this machine takes packages from. Each real file is fetched once and kept in `.cache/upstream/`
 * for ever, pages for a day, so that tests against the real thing ask little of it and run without it after the first time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { digestOf } from '../../src/lib/digest.ts'
import { collect } from '../../src/lib/streams.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { type Answer, conditional, send, text } from '../world/answer.ts'
import { listen } from '../world/listener.ts'
import { configuredIndex } from './configured-index.ts'
import { type Fetched, type Follower, type Kept, keptFiles } from './kept-files.ts'

export interface RelayRequest {
  readonly method: string
  readonly path: string
  /** The `Range` that was asked for. */
  readonly range: string | undefined
  readonly atMs: number
}

export interface RealUpstream extends AsyncDisposable {
  /** Ends in `/simple/`. */
  readonly url: string
  /** Without a trailing slash. */
  readonly root: string
  readonly requests: readonly RelayRequest[]
  /** Requests for `path` so far; one that ends in `*` stands for all that begin so. */
  count(path: string): number
  /** How often the real index was asked. */
  readonly asked: number
  /** Sentences: what was asked for, is not kept, and could not be fetched. Disposing throws the first of them. */
  readonly unreachable: readonly string[]
  /** Connections are taken, and nothing is ever answered, until `resume()`. */
  swallow(): void
  /** Connections are refused until `resume()`. */
  pause(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

export interface RelayOptions {
  /** Address of a Simple index. The one that pip is configured with unless told. */
  readonly index?: string
  /** `.cache/upstream` unless told. */
  readonly folder?: string
  /** A day unless told. */
  readonly pageAgeMs?: number
  /** A part of a file that is not kept is asked for as such and kept as a part, instead of the whole file. */
  readonly parts?: boolean
  /**
   * Metadata files (PEP 658) as on another index. `none`: pages announce none, and there are none. `announced`: pages
   * announce each wheel's, as the public index does; relays of it have the files, and may have dropped the word.
   */
  readonly metadata?: 'none' | 'announced'
}

const DAY_MS = 24 * 3600 * 1000
/** The largest project pages are some 10 MB. */
const PAGE_BYTES = 128 * 1024 * 1024
/** Bytes that may wait for a slow asker before the fetch waits, too. */
const AHEAD_BYTES = 8 * 1024 * 1024
/** A relay that is closed waits so long for fetches under way. */
const ENDING_MS = 2000
const PASSED_ON = ['content-type', 'content-range', 'etag', 'last-modified', 'cache-control', 'x-pypi-last-serial']
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

export async function realUpstream(options: RelayOptions = {}): Promise<RealUpstream> {
  const index = new URL(options.index ?? (await configuredIndex()))
  const credentials = takeCredentials(index)
  const kept = keptFiles(options.folder ?? join(CHECKOUT, '.cache', 'upstream'))
  const pageAgeMs = options.pageAgeMs ?? DAY_MS
  // Proxies from the environment; certificates from NODE_EXTRA_CA_CERTS.
  const agent = new EnvHttpProxyAgent({
    noProxy: withLoopback(process.env.no_proxy ?? process.env.NO_PROXY),
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  })
  const flights = new Map<string, Promise<Kept>>()
  const requests: RelayRequest[] = []
  const unreachable: string[] = []
  const started = performance.now()
  let asked = 0
  let swallowing = false

  const listener = await listen(async (request, response) => {
    const { method = 'GET', url: path = '/' } = request
    requests.push({ method, path, range: request.headers.range, atMs: performance.now() - started })
    request.resume()
    if (swallowing) return
    if (method !== 'GET' && method !== 'HEAD')
      return send(request, response, refusal(405, 'Only GET and HEAD are relayed'))
    try {
      await answer(request, response, new URL(path, 'http://localhost'))
    } catch (error) {
      const refused = error instanceof Unreachable ? error : new Unreachable(path, error)
      unreachable.push(refused.message)
      if (response.headersSent) response.destroy()
      else await send(request, response, refusal(refused.status, refused.message))
    }
  })

  const isYoung = (known: Kept) => Date.now() - known.keptAt < pageAgeMs

  async function answer(request: IncomingMessage, response: ServerResponse, asks: URL): Promise<void> {
    const accept = request.headers.accept?.includes(JSON_TYPE) ? JSON_TYPE : 'text/html'
    if (asks.pathname === '/simple/') {
      // 40 MB: who asks for the list must not wait for its last byte before seeing the first.
      const passing = passOn(request, response)
      const list = await page(index, accept, passing)
      if (passing.hasBegun()) return void response.end()
      return send(
        request,
        response,
        conditional(request, { ...list, headers: pageHeaders(list, `${list.url} ${list.keptAt}`) }, false),
      )
    }
    const project = /^\/simple\/([^/]+)\/$/.exec(asks.pathname)
    if (project !== null) {
      const found = await page(new URL(`${project[1]}/`, index), accept)
      return send(request, response, conditional(request, await rewritten(found), false))
    }
    if (/^\/simple(\/[^/]+)?$/.test(asks.pathname)) return send(request, response, redirect(`${asks.pathname}/`))
    const target = fileTarget(asks)
    if (target === undefined) return send(request, response, refusal(404, 'Only /simple/ and files are relayed'))
    if (options.metadata === 'none' && target.pathname.endsWith('.metadata')) {
      return send(request, response, refusal(404, 'This index knows no metadata files'))
    }
    await file(request, response, target)
  }

  /** A page from the folder while it is young, or while no newer one can be had. */
  async function page(url: URL, accept: string, passing?: Passing): Promise<Kept> {
    const key = `${accept} ${url.href}`
    const known = await kept.find(key)
    if (known !== undefined && isYoung(known)) return known
    try {
      return await flight(key, () => kept.keep(key, () => ask(url, { accept }), passing))
    } catch (error) {
      if (known !== undefined && passing?.hasBegun() !== true) return known
      throw error
    }
  }

  async function file(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const key = `file ${url.href}`
    const known = await kept.find(key)
    // A file that was not there a day ago may be there now.
    if (known !== undefined && (known.status === 200 || isYoung(known))) return sendKept(request, response, known)
    const { range } = request.headers
    if (options.parts === true && range !== undefined) {
      const part = `part ${range} of ${url.href}`
      const headers = { 'accept-encoding': 'identity', range }
      const found = (await kept.find(part)) ?? (await flight(part, () => kept.keep(part, () => ask(url, headers))))
      return send(request, response, { ...found, headers: { ...found.headers, etag: etagOf(found) } })
    }
    const passing = passOn(request, response)
    const fetched = await flight(key, () => kept.keep(key, () => ask(url, { 'accept-encoding': 'identity' }), passing))
    if (passing.hasBegun()) response.end()
    else await sendKept(request, response, fetched)
  }

  function flight(key: string, start: () => Promise<Kept>): Promise<Kept> {
    const flying = flights.get(key)
    if (flying !== undefined) return flying
    const flown = start().finally(() => flights.delete(key))
    flights.set(key, flown)
    return flown
  }

  async function ask(url: URL, headers: Record<string, string>): Promise<Fetched> {
    asked++
    const own = url.origin === index.origin && credentials !== undefined ? { authorization: credentials } : {}
    const answered = await fetch(url, { headers: { ...headers, ...own }, dispatcher: agent }).catch(
      (error: unknown) => {
        throw new Unreachable(url.href, error)
      },
    )
    const isPart = answered.status === 206 && headers.range !== undefined
    // Anything else is true today only, and may be somebody's trouble: it is passed on and not kept.
    if (!isPart && answered.status !== 200 && answered.status !== 404 && answered.status !== 410) {
      await answered.body?.cancel()
      throw new Unreachable(url.href, new Error(`it answered with status ${answered.status}`), answered.status)
    }
    const passed = PASSED_ON.flatMap((name) => {
      const value = answered.headers.get(name)
      return value === null ? [] : [[name, value]]
    })
    const length = answered.headers.get('content-length')
    const isEncoded = answered.headers.has('content-encoding')
    return {
      head: { url: url.href, finalUrl: answered.url, status: answered.status, headers: Object.fromEntries(passed) },
      promisedBytes: length === null || isEncoded ? undefined : Number(length),
      body: bytesOf(answered),
    }
  }

  async function rewritten(found: Kept): Promise<Answer> {
    if (found.status !== 200) return found
    const body = (await collect(iterate(found), PAGE_BYTES)).toString('utf8')
    const here = (link: string) => relayed(listener.url, new URL(link, found.finalUrl))
    const isJson = found.headers['content-type']?.includes('json') === true
    const rewrite = isJson ? rewriteJson : rewriteHtml
    const changed = rewrite(body, here, options.metadata)
    return { status: 200, headers: pageHeaders(found, changed), content: text(changed) }
  }

  async function close(): Promise<void> {
    await listener.close()
    // What is on its way is kept if it comes soon: it would have to be fetched again.
    const timer = new AbortController()
    const late = delay(ENDING_MS, undefined, { signal: timer.signal }).catch(() => {})
    await Promise.race([Promise.allSettled(flights.values()), late])
    timer.abort()
    await agent.destroy()
    await Promise.allSettled(flights.values())
  }

  return {
    url: `${listener.url}/simple/`,
    root: listener.url,
    requests,
    count: (path) =>
      requests.filter((one) => (path.endsWith('*') ? one.path.startsWith(path.slice(0, -1)) : one.path === path))
        .length,
    get asked() {
      return asked
    },
    unreachable,
    swallow() {
      swallowing = true
    },
    pause: listener.pause,
    async resume() {
      swallowing = false
      await listener.resume()
    },
    close,
    async [Symbol.asyncDispose]() {
      await close()
      if (unreachable[0] !== undefined) throw new Error(unreachable[0])
    },
  }
}

interface Passing extends Follower {
  /** Something was sent: what is left to do is to end it. */
  hasBegun(): boolean
}

/** Passes a fetch on while it comes, where the whole is wanted and it goes well. */
function passOn(request: IncomingMessage, response: ServerResponse): Passing {
  const { range, 'if-none-match': tag, 'if-modified-since': since } = request.headers
  const isWhole = request.method === 'GET' && range === undefined && tag === undefined && since === undefined
  let hasBegun = false
  return {
    hasBegun: () => hasBegun,
    onHead({ head, promisedBytes }) {
      if (!isWhole || head.status !== 200 || response.destroyed) return
      hasBegun = true
      response.writeHead(200, {
        ...head.headers,
        ...(promisedBytes !== undefined && { 'content-length': promisedBytes }),
      })
    },
    async onBytes(bytes) {
      if (!hasBegun || response.destroyed) return
      response.write(bytes)
      if (response.writableLength < AHEAD_BYTES) return
      await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve))
    },
  }
}

class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly status: number
  constructor(url: string, cause: unknown, status = 502) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
    super(
      `Cannot fetch "${url}" from the index that pip is configured with, and it is not kept in .cache/upstream: ` +
        `${inner instanceof Error ? inner.message : String(inner)}\nhint: run this test once where that index can be reached`,
      { cause },
    )
    this.status = status
  }
}

function withLoopback(noProxy: string | undefined): string {
  return [noProxy, '127.0.0.1', 'localhost'].filter(Boolean).join(',')
}

/** Removes user and password from `index`: they are sent as a header. */
function takeCredentials(index: URL): string | undefined {
  if (index.username === '') return undefined
  const pair = `${decodeURIComponent(index.username)}:${decodeURIComponent(index.password)}`
  index.username = ''
  index.password = ''
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/** `/file/{origin in base64url}/{path at that origin}`: the end of a file's path stays as it was. */
function relayed(root: string, url: URL): string {
  return `${root}/file/${Buffer.from(url.origin).toString('base64url')}${url.pathname}${url.search}`
}

function fileTarget(asks: URL): URL | undefined {
  const parts = /^\/file\/([\w-]+)(\/.*)$/.exec(asks.pathname)
  if (parts === null) return undefined
  const origin = Buffer.from(parts[1]!, 'base64url').toString()
  return URL.parse(`${parts[2]}${asks.search}`, origin) ?? undefined
}

const METADATA_KEYS = ['core-metadata', 'dist-info-metadata', 'data-dist-info-metadata']

function rewriteJson(body: string, here: (link: string) => string, metadata: RelayOptions['metadata']): string {
  const detail = JSON.parse(body) as {
    files: ({ filename: string; url: string; provenance?: string | null } & Record<string, unknown>)[]
  }
  for (const file of detail.files) {
    if (metadata === 'none') for (const key of METADATA_KEYS) delete file[key]
    if (metadata === 'announced' && file.filename.endsWith('.whl')) file['core-metadata'] ||= true
    file.url = here(file.url)
    if (typeof file.provenance === 'string') file.provenance = here(file.provenance)
  }
  return JSON.stringify(detail)
}

function rewriteHtml(body: string, here: (link: string) => string, metadata: RelayOptions['metadata']): string {
  const page = metadata === 'none' ? body.replace(/ data-(core|dist-info)-metadata="[^"]*"/g, '') : body
  return page.replace(
    /\b(href|data-provenance)="([^"#]+)(#[^"]*)?"/g,
    (_, attribute: string, link: string, fragment = '') => {
      const address = here(link.replaceAll('&amp;', '&')).replaceAll('&', '&amp;')
      return `${attribute}="${address}${fragment}"`
    },
  )
}

/** The real page's validators do not fit a page with other links. */
function pageHeaders(found: Kept, content: string): Record<string, string> {
  const { 'last-modified': _, ...headers } = found.headers
  return { ...headers, vary: 'Accept', etag: `"${digestOf(content).slice(0, 32)}"` }
}

function sendKept(request: IncomingMessage, response: ServerResponse, found: Kept): Promise<void> {
  const headers = { ...found.headers, etag: etagOf(found) }
  return send(request, response, conditional(request, { ...found, headers }, true))
}

/** The same for a file and its parts. */
function etagOf(found: Kept): string {
  return found.headers.etag ?? `"${digestOf(found.url).slice(0, 32)}"`
}

/** Holds on to the answer: undici ends the body of one that was collected as garbage, and ends it as if that were all. */
async function* bytesOf(answered: Response): AsyncIterable<Uint8Array> {
  if (answered.body !== null) yield* answered.body
  void answered.status
}

async function* iterate(found: Kept): AsyncIterable<Uint8Array> {
  yield* found.content.read()
}

function redirect(location: string): Answer {
  return { status: 301, headers: { location }, content: text('') }
}

function refusal(status: number, sentence: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, content: text(`${sentence}\n`) }
}
