/** A remote Simple index, asked politely: conditional, limited, timed. The only place that sends requests outwards. */
import { createGunzip } from 'node:zlib'
import { type Dispatcher, EnvHttpProxyAgent, interceptors } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { reasonOf } from '../lib/reason.ts'
import { collect, limit } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { ProjectName } from '../pep/name.ts'
import { HTML_TYPE, JSON_TYPE, type ProjectDetail } from '../pep/simple.ts'
import { detailFromHtml, namesFromHtml } from '../pep/simple-html.ts'
import { detailFromJson, namesFromJson } from '../pep/simple-json.ts'
import { Reachability } from './reachability.ts'

export interface UpstreamOptions {
  /** The Simple index, with or without final slash; user and password in it go to its own host only. */
  readonly url: string
  readonly offline: boolean
  readonly limits: Limits
  readonly clock: Clock
  readonly userAgent: string
}

export type PageAnswer =
  | { readonly kind: 'page'; readonly detail: ProjectDetail; readonly etag?: string; readonly lastModified?: string }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' }

export type ListAnswer =
  | {
      readonly kind: 'names'
      readonly names: AsyncIterable<ProjectName>
      readonly etag?: string
      readonly lastModified?: string
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' }

/** Where a file that broke off goes on: so many bytes of it are here, and this is what upstream knew it by. */
export interface ResumePoint {
  readonly start: number
  /** An entity tag or a date, for `If-Range`; absent where upstream gave neither. */
  readonly validator?: string
}

export interface Body {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Of the whole file, as announced. */
  readonly sizeBytes?: number
  /** Where the bytes begin: 0, unless a part was asked for and given. */
  readonly start?: number
  /** A strong entity tag, else the date of the last change. */
  readonly validator?: string
}

const PAGE_TYPES = `${JSON_TYPE}, ${HTML_TYPE};q=0.2, text/html;q=0.01`
/** HTML first: as JSON the list of all projects is half as long again, and it carries nothing more that is used. */
const LIST_TYPES = `${HTML_TYPE}, text/html;q=0.5, ${JSON_TYPE};q=0.2`

/** Hosts other than the index's own whose state is remembered: one or two are usual. */
const FILE_HOSTS_KEPT = 100

export class Upstream implements AsyncDisposable {
  readonly #base: URL
  readonly #authorization: string | undefined
  readonly #options: UpstreamOptions
  readonly #agent: EnvHttpProxyAgent
  readonly #dispatcher: Dispatcher
  /** Of the index itself. */
  readonly reachability: Reachability
  /** Of hosts that files lie on, by origin: one that is gone says nothing about the index. */
  readonly #fileHosts = new Map<string, Reachability>()

  constructor(options: UpstreamOptions) {
    const base = new URL(options.url.endsWith('/') ? options.url : `${options.url}/`)
    if (base.username !== '') {
      const pair = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
      this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`
      base.username = ''
      base.password = ''
    }
    this.#base = base
    this.#options = options
    const { limits } = options
    this.reachability = new Reachability(options.clock, limits)
    this.#agent = new EnvHttpProxyAgent({
      connections: limits.upstreamConnections,
      connect: { timeout: limits.connectMs },
      headersTimeout: limits.upstreamAnswerMs,
      bodyTimeout: limits.upstreamSilenceMs,
    })
    this.#dispatcher = this.#agent.compose(interceptors.redirect({ maxRedirections: limits.redirects }))
  }

  /** Without credentials, for people. */
  get url(): string {
    return this.#base.href
  }

  /** A project's page. Throws `upstream-failed`, `upstream-blank` or `upstream-offline`; only upstream's own 404 or 410 is "absent". */
  async page(name: ProjectName, known: { etag?: string; lastModified?: string }): Promise<PageAnswer> {
    const url = new URL(`${encodeURIComponent(name)}/`, this.#base)
    const signal = AbortSignal.timeout(this.#options.limits.upstreamPageMs)
    const answer = await this.#get(
      url,
      {
        accept: PAGE_TYPES,
        'accept-encoding': 'gzip',
        ...(known.etag !== undefined && { 'if-none-match': known.etag }),
        ...(known.lastModified !== undefined && { 'if-modified-since': known.lastModified }),
      },
      signal,
    )
    const status = answer.statusCode
    if (status !== 200) {
      await answer.body.dump()
      if (status === 304 && (known.etag !== undefined || known.lastModified !== undefined)) return { kind: 'unchanged' }
      if (status === 404 || status === 410) return { kind: 'absent' }
      throw this.#refused(url, status, answer)
    }
    return await this.#guarded(url, async () => {
      const text = (await collect(plain(answer), this.#options.limits.upstreamPageBytes)).toString('utf8')
      if (text === '') {
        throw new Problem('upstream-blank', `Cannot tell what ${url.host} has of ${name}: its page is empty`, {
          hint: 'a page without files says so; look at what stands between this server and upstream',
        })
      }
      const type = mediaType(answer)
      const detail = { ...serialOf(answer), ...readPage(type, text, url, name) }
      const etag = header(answer, 'etag')
      const lastModified = header(answer, 'last-modified')
      return {
        kind: 'page',
        detail,
        ...(etag !== undefined && { etag }),
        ...(lastModified !== undefined && { lastModified }),
      } as const
    })
  }

  /**
   * The list of all projects, names normalized. Throws as `page` does, and so does `names` while it is read; only upstream's
   * own 404 or 410 is "absent": it has pages, and no list.
   */
  async list(known: { etag?: string; lastModified?: string }): Promise<ListAnswer> {
    const answer = await this.#get(this.#base, {
      accept: LIST_TYPES,
      'accept-encoding': 'gzip',
      ...(known.etag !== undefined && { 'if-none-match': known.etag }),
      ...(known.lastModified !== undefined && { 'if-modified-since': known.lastModified }),
    })
    const status = answer.statusCode
    if (status !== 200) {
      await answer.body.dump()
      if (status === 304 && (known.etag !== undefined || known.lastModified !== undefined)) return { kind: 'unchanged' }
      if (status === 404 || status === 410) return { kind: 'absent' }
      throw this.#refused(this.#base, status, answer)
    }
    const etag = header(answer, 'etag')
    const lastModified = header(answer, 'last-modified')
    return {
      kind: 'names',
      names: this.#names(answer),
      ...(etag !== undefined && { etag }),
      ...(lastModified !== undefined && { lastModified }),
    }
  }

  /**
   * A file's bytes as they come, not checked, whole or (`from`) from where they broke off; an upstream that does not give
   * the part gives the whole, and `start` tells. Throws as `page` does; the stream throws when it is cut, silent or slow.
   */
  async file(url: string, from?: ResumePoint): Promise<Body> {
    const target = new URL(url)
    const part = from !== undefined && from.start > 0 ? from : undefined
    const answer = await this.#get(target, {
      'accept-encoding': 'identity',
      ...(part !== undefined && { range: `bytes=${part.start}-` }),
      ...(part?.validator !== undefined && { 'if-range': part.validator }),
    })
    const found = partOf(answer, part)
    if (found === undefined) {
      await answer.body.dump()
      throw this.#refused(target, answer.statusCode, answer)
    }
    const validator = validatorOf(answer)
    return {
      ...found,
      bytes: this.#paced(target, answer.body),
      ...(validator !== undefined && { validator }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #get(url: URL, headers: Record<string, string>, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (this.#options.offline) {
      throw new Problem('upstream-offline', `Cannot ask ${this.#base.host}: the server runs in offline mode`)
    }
    const reachability = this.#reachabilityOf(url)
    if (!reachability.mayTry()) throw this.#unreachable(url, reachability.failure ?? 'no answer')
    const isOwnHost = url.origin === this.#base.origin
    try {
      const answer = await this.#dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: {
          ...headers,
          'user-agent': this.#options.userAgent,
          ...(isOwnHost && this.#authorization !== undefined && { authorization: this.#authorization }),
        },
        ...(signal !== undefined && { signal }),
      })
      reachability.answered()
      return answer
    } catch (error) {
      const reason = reasonOf(error)
      if (isConnectionTrouble(error)) reachability.failed(reason)
      throw this.#unreachable(url, reason, error)
    }
  }

  async *#names(answer: Dispatcher.ResponseData): AsyncGenerator<ProjectName> {
    try {
      const bytes = limit(plain(answer), this.#options.limits.upstreamListBytes)
      yield* mediaType(answer).endsWith('json') ? namesFromJson(bytes) : namesFromHtml(bytes)
    } catch (error) {
      throw this.#wrong(this.#base, error)
    }
  }

  #reachabilityOf({ origin }: URL): Reachability {
    if (origin === this.#base.origin) return this.reachability
    const known = this.#fileHosts.get(origin)
    if (known !== undefined) return known
    if (this.#fileHosts.size >= FILE_HOSTS_KEPT) this.#fileHosts.delete(this.#fileHosts.keys().next().value!)
    const made = new Reachability(this.#options.clock, this.#options.limits)
    this.#fileHosts.set(origin, made)
    return made
  }

  async #guarded<T>(url: URL, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      throw this.#wrong(url, error)
    }
  }

  /** Cuts a body that is slower than the limit over the whole window: a trickle would hold its readers for days. */
  async *#paced(url: URL, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { trickleWindowMs, trickleBytesPerSecond } = this.#options.limits
    const least = (trickleBytesPerSecond * trickleWindowMs) / 1000
    let windowStart = performance.now()
    let inWindow = 0
    try {
      for await (const chunk of body) {
        inWindow += chunk.length
        const elapsed = performance.now() - windowStart
        if (elapsed >= trickleWindowMs) {
          if (inWindow < least) throw new Error(`it sent ${inWindow} bytes in ${Math.round(elapsed / 1000)} s`)
          windowStart = performance.now()
          inWindow = 0
        }
        yield chunk
      }
    } catch (error) {
      throw this.#wrong(url, error)
    }
  }

  #unreachable(url: URL, reason: string, cause?: unknown): Problem {
    return new Problem('upstream-failed', `Cannot reach ${url.host}: ${reason}`, {
      hint: 'what was fetched before is still served; ask again later',
      retrySeconds: this.#reachabilityOf(url).retrySeconds,
      cause,
    })
  }

  #wrong(url: URL, error: unknown): Problem {
    if (error instanceof Problem) return error
    return new Problem(
      'upstream-failed',
      `Cannot use the answer of ${url.host} for ${url.pathname}: ${reasonOf(error)}`,
      {
        cause: error,
      },
    )
  }

  #refused(url: URL, status: number, answer: Dispatcher.ResponseData): Problem {
    const retry = Number(header(answer, 'retry-after'))
    return new Problem(
      'upstream-failed',
      `Cannot get what was asked for: error ${status} getting ${url.origin}${url.pathname}`,
      {
        ...(Number.isFinite(retry) && retry > 0 && { retrySeconds: Math.ceil(retry) }),
      },
    )
  }
}

/** Throws `SyntaxError` for what is no page; installers skip other types as well (PEP 691 "Content-Types"). */
function readPage(type: string, text: string, url: URL, name: ProjectName): ProjectDetail {
  if (type.endsWith('json')) return detailFromJson(text, url)
  if (type === '' || /^text\/html$|\+html$|\+xml$/.test(type)) return detailFromHtml(text, url, name)
  throw new SyntaxError(`Cannot read project page: "${type}" is no type of a page`)
}

/** Which part of the file the answer holds; `undefined` where it holds none that was asked for. */
function partOf(answer: Dispatcher.ResponseData, asked: ResumePoint | undefined): Omit<Body, 'bytes'> | undefined {
  if (answer.statusCode === 200) {
    const length = header(answer, 'content-length')
    return length === undefined ? {} : { sizeBytes: Number(length) }
  }
  if (answer.statusCode !== 206 || asked === undefined) return undefined
  const said = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header(answer, 'content-range') ?? '')
  if (said === null || Number(said[1]) !== asked.start) return undefined
  return { start: asked.start, ...(said[2] !== '*' && { sizeBytes: Number(said[2]) }) }
}

/** What names these very bytes in a later `If-Range` (RFC 9110 §13.1.5 takes strong tags only). */
function validatorOf(answer: Dispatcher.ResponseData): string | undefined {
  const etag = header(answer, 'etag')
  return etag !== undefined && !etag.startsWith('W/') ? etag : header(answer, 'last-modified')
}

function header(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function mediaType(answer: Dispatcher.ResponseData): string {
  return (header(answer, 'content-type') ?? '').split(';')[0]!.trim().toLowerCase()
}

/** The body without its transfer encoding. */
function plain(answer: Dispatcher.ResponseData): AsyncIterable<Uint8Array> {
  const encoding = header(answer, 'content-encoding')?.toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '') return answer.body
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw new Error(`it used the encoding "${encoding}", which was not asked for`)
  const gunzip = createGunzip()
  answer.body.on('error', (error: Error) => gunzip.destroy(error))
  return answer.body.pipe(gunzip) as AsyncIterable<Uint8Array>
}

/** Trouble with the way to upstream or with the whole of it, not with one answer (a redirect to nowhere is one). */
function isConnectionTrouble(error: unknown): boolean {
  const name = (error as Error)?.name
  if (['RequestAbortedError', 'InvalidArgumentError', 'MaxRedirectsError'].includes(name)) return false
  return !(error instanceof SyntaxError) && !(error instanceof TypeError)
}

function serialOf(answer: Dispatcher.ResponseData): { lastSerial?: number } {
  const serial = Number(header(answer, 'x-pypi-last-serial') ?? Number.NaN)
  return Number.isSafeInteger(serial) ? { lastSerial: serial } : {}
}
