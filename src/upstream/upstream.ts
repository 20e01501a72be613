/** A remote Simple index: its list, its pages, its files, read as whatever upstream there is sends them. */
import { collect, limit } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import type { ProjectName } from '../pep/name.ts'
import { HTML_TYPE, JSON_TYPE, type ListedProject, type ProjectDetail } from '../pep/simple.ts'
import { detailFromHtml, namesFromHtml } from '../pep/simple-html.ts'
import { detailFromJson, projectsFromJson } from '../pep/simple-json.ts'
import { begun, decoded, ENCODINGS, pageForm, textOf } from './body.ts'
import type { Reach } from './outgoing-policy.ts'
import { RangedFile } from './ranged-file.ts'
import type { Reachability } from './reachability.ts'
import {
  retryAfterMs,
  type UpstreamAnswer,
  type UpstreamFigures,
  type UpstreamOptions,
  UpstreamRequests,
} from './request.ts'

export type PageAnswer =
  | { readonly kind: 'page'; readonly detail: ProjectDetail; readonly etag?: string; readonly lastModified?: string }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' }

export type DocumentAnswer =
  | { readonly kind: 'document'; readonly text: string; readonly etag?: string }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' }

export type ListAnswer =
  | {
      readonly kind: 'names'
      readonly names: AsyncIterable<ListedProject & { readonly name: ProjectName }>
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
/** JSON first: only that tells each project's change number, by which a page that is older than the list is noticed. */
const LIST_TYPES = `${JSON_TYPE}, ${HTML_TYPE};q=0.5, text/html;q=0.2`

export class Upstream implements AsyncDisposable {
  readonly #options: UpstreamOptions
  readonly #requests: UpstreamRequests
  /** A project page that was shown to us: what is asked for where another one is forbidden. */
  #shown: URL | undefined

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#requests = new UpstreamRequests(options)
  }

  /** Without credentials, for people. */
  get url(): string {
    return this.#requests.base.href
  }

  /** Of the index itself; hosts that files lie on have their own. */
  get reachability(): Reachability {
    return this.#requests.reachability
  }

  /** How near it was when it was first found; `undefined` before. */
  get near(): Reach | undefined {
    return this.#requests.near
  }

  get figures(): Readonly<UpstreamFigures> {
    return this.#requests.figures
  }

  /** A project's page. Throws `upstream-failed`, `upstream-blank` or `upstream-offline`; only upstream's own 404 or 410 is "absent". */
  async page(name: ProjectName, known: { etag?: string; lastModified?: string }): Promise<PageAnswer> {
    const { limits } = this.#options
    const asked = new URL(`${encodeURIComponent(name)}/`, this.#requests.base)
    const signal = AbortSignal.timeout(limits.upstreamPageMs)
    const answer = await this.#requests.get(asked, 'pages', { accept: PAGE_TYPES, ...conditions(known) }, signal)
    const other = await this.#otherThanOk(asked, answer, known)
    if (other !== undefined) return other
    const { url } = answer
    try {
      const bytes = await collect(bodyOf(answer), limits.upstreamPageBytes)
      if (bytes.length === 0) {
        throw new Problem('upstream-blank', `Cannot tell what ${url.host} has of ${name}: its page is empty`, {
          hint: 'a page without files says so; look at what stands between this server and upstream',
        })
      }
      const text = textOf(bytes, answer.contentType)
      const detail = { ...stampOf(answer), ...readPage(answer, text, name) }
      this.#shown = asked
      return { kind: 'page', detail, ...validators(answer) }
    } catch (error) {
      throw this.#requests.wrong(url, error)
    }
  }

  /**
   * A small text that a page points to, such as provenance. Throws as `page` does; only upstream's own 404 or 410 is "absent".
   * `accept`: as the header has it.
   */
  async document(url: string, accept: string, known: { etag?: string }, limitBytes: number): Promise<DocumentAnswer> {
    const target = new URL(url)
    const signal = AbortSignal.timeout(this.#options.limits.upstreamPageMs)
    const answer = await this.#requests.get(target, 'pages', { accept, ...conditions(known) }, signal)
    const other = await this.#otherThanOk(target, answer, known)
    if (other !== undefined) return other
    try {
      const text = textOf(await collect(bodyOf(answer), limitBytes), answer.contentType)
      const { etag } = validators(answer)
      return { kind: 'document', text, ...(etag !== undefined && { etag }) }
    } catch (error) {
      throw this.#requests.wrong(answer.url, error)
    }
  }

  /**
   * The list of all projects, names normalized. Throws as `page` does, and so does `names` while it is read; only upstream's
   * own 404 or 410 is "absent": it has pages, and no list.
   */
  async list(known: { etag?: string; lastModified?: string }): Promise<ListAnswer> {
    const { base } = this.#requests
    const answer = await this.#requests.get(base, 'pages', { accept: LIST_TYPES, ...conditions(known) })
    const other = await this.#otherThanOk(base, answer, known)
    return other ?? { kind: 'names', names: this.#names(answer), ...validators(answer) }
  }

  /**
   * A file's bytes as they come, not checked, whole or (`from`) from where they broke off; an upstream that does not give
   * the part gives the whole, and `start` tells. Throws as `page` does; the stream throws when it is cut, silent or slow.
   */
  async file(url: string, from?: ResumePoint): Promise<Body> {
    const found = await this.#opened(url, from)
    if ('problem' in found) throw found.problem
    return found
  }

  /** As `file`, from the start; `undefined` where upstream says that it has none; 403 says so where `forbiddenIsAbsent`. */
  async fileIfThere(url: string): Promise<Body | undefined> {
    const found = await this.#opened(url)
    if (!('problem' in found)) return found
    const isAbsent = found.status === 403 && this.#options.forbiddenIsAbsent === true
    if (isAbsent || found.status === 404 || found.status === 410) return undefined
    throw found.problem
  }

  /**
   * A file that is read in parts; `sizeBytes` as announced. Throws `NotInParts` where upstream gives no parts, and as `page`
   * does; so do its reads.
   */
  async fileInParts(url: string, sizeBytes: number | undefined): Promise<RangedFile> {
    const target = new URL(url)
    const { limits } = this.#options
    return await RangedFile.open({
      limits,
      sizeBytes,
      ask: async (headers) => {
        const answer = await this.#requests.get(target, 'files', headers, AbortSignal.timeout(limits.upstreamPageMs))
        return { ...answer, body: this.#paced(answer) }
      },
      refused: (answer) => this.#refused(target, answer),
    })
  }

  /** How long a file is, for the price of a byte of it; `undefined` where upstream does not tell. Throws as `page` does. */
  async fileSize(url: string): Promise<number | undefined> {
    const target = new URL(url)
    const answer = await this.#requests.get(target, 'files', { 'accept-encoding': 'identity', range: 'bytes=0-0' })
    await answer.dump()
    // An empty file has no such byte, and some upstreams tell its length then.
    const told = answer.status === 416 ? /^bytes \*\/(\d+)$/.exec(answer.header('content-range') ?? '')?.[1] : undefined
    if (told !== undefined) return Number(told)
    const found = partOf(answer, { start: 0 })
    if (found === undefined) throw this.#refused(target, answer)
    return found.sizeBytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests[Symbol.asyncDispose]()
  }

  async #opened(url: string, from?: ResumePoint): Promise<Body | { status: number; problem: Problem }> {
    const target = new URL(url)
    const part = from !== undefined && from.start > 0 ? from : undefined
    const answer = await this.#requests.get(target, 'files', {
      'accept-encoding': 'identity',
      ...(part !== undefined && { range: `bytes=${part.start}-` }),
      ...(part?.validator !== undefined && { 'if-range': part.validator }),
    })
    const found = partOf(answer, part)
    if (found === undefined) {
      await answer.dump()
      return { status: answer.status, problem: this.#refused(target, answer) }
    }
    const validator = validatorOf(answer)
    return { ...found, bytes: this.#paced(answer), ...(validator !== undefined && { validator }) }
  }

  /** `undefined` for 200; else the body is done with. */
  async #otherThanOk(
    asked: URL,
    answer: UpstreamAnswer,
    known: { etag?: string; lastModified?: string },
  ): Promise<{ kind: 'unchanged' } | { kind: 'absent' } | undefined> {
    const { status } = answer
    if (status === 200) return undefined
    await answer.dump()
    if (status === 304 && (known.etag !== undefined || known.lastModified !== undefined)) return { kind: 'unchanged' }
    if (status === 404 || status === 410) return { kind: 'absent' }
    if (status === 403 && this.#options.forbiddenIsAbsent === true && (await this.#isShownAnything(asked))) {
      return { kind: 'absent' }
    }
    throw this.#refused(asked, answer)
  }

  /**
   * Whether upstream shows us something else now: only then may "forbidden" mean that there is nothing. Without it, a
   * password that has run out would make every project vanish, and who asks would look for it elsewhere.
   */
  async #isShownAnything(forbidden: URL): Promise<boolean> {
    const other = this.#shown ?? this.#requests.base
    if (other.href === forbidden.href) return false
    const answer = await this.#requests.get(other, 'pages', { accept: PAGE_TYPES, 'accept-encoding': ENCODINGS })
    await answer.dump()
    return answer.status === 200
  }

  async *#names(answer: UpstreamAnswer): AsyncGenerator<ListedProject & { readonly name: ProjectName }> {
    try {
      const { start, body } = await begun(limit(bodyOf(answer), this.#options.limits.upstreamListBytes))
      const form = pageForm(answer.contentType, start.toString('latin1'))
      if (form === undefined) throw new SyntaxError(`Cannot read project list: ${typeTold(answer)} is no type of one`)
      if (form === 'json') yield* projectsFromJson(body)
      else for await (const name of namesFromHtml(body)) yield { name }
    } catch (error) {
      throw this.#requests.wrong(answer.url, error)
    }
  }

  /** Cuts a body that is slower than the limit over the whole window: a trickle would hold its readers for days. */
  async *#paced({ url, body }: UpstreamAnswer): AsyncGenerator<Uint8Array> {
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
      throw this.#requests.wrong(url, error)
    }
  }

  #refused(asked: URL, answer: UpstreamAnswer): Problem {
    const { status } = answer
    const waitMs = retryAfterMs(answer.header('retry-after'), this.#options.clock) ?? 0
    const retrySeconds = Math.ceil(Math.min(waitMs, this.#options.limits.retryAfterMostMs) / 1000)
    return new Problem(
      'upstream-failed',
      `Cannot get what was asked for: error ${status} getting ${asked.origin}${asked.pathname}`,
      {
        ...(retrySeconds > 0 && { retrySeconds }),
        ...((status === 401 || status === 403) && {
          hint: 'look whether the mirror has the right credentials, and whether they have run out',
        }),
      },
    )
  }
}

/** Throws `SyntaxError` for what is no page, or the page of another project. */
function readPage(answer: UpstreamAnswer, text: string, name: ProjectName): ProjectDetail {
  const form = pageForm(answer.contentType, text)
  if (form === undefined) throw new SyntaxError(`Cannot read project page: ${typeTold(answer)} is no type of a page`)
  if (form === 'html') return detailFromHtml(text, answer.url, name)
  const detail = detailFromJson(text, answer.url)
  if (detail.name !== name) throw new SyntaxError(`Cannot read project page: it is the page of "${detail.name}"`)
  return detail
}

function bodyOf(answer: UpstreamAnswer): AsyncIterable<Uint8Array> {
  return decoded(answer.body, answer.header('content-encoding') ?? '')
}

function conditions(known: { etag?: string; lastModified?: string }): Record<string, string> {
  return {
    'accept-encoding': ENCODINGS,
    ...(known.etag !== undefined && { 'if-none-match': known.etag }),
    ...(known.lastModified !== undefined && { 'if-modified-since': known.lastModified }),
  }
}

function validators(answer: UpstreamAnswer): { etag?: string; lastModified?: string } {
  const etag = answer.header('etag')
  const lastModified = answer.header('last-modified')
  return { ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) }
}

function typeTold(answer: UpstreamAnswer): string {
  return JSON.stringify(answer.contentType.split(';')[0]!.trim())
}

/** Which part of the file the answer holds; `undefined` where it holds none that was asked for. */
function partOf(answer: UpstreamAnswer, asked: ResumePoint | undefined): Omit<Body, 'bytes'> | undefined {
  if (answer.status === 200) {
    const length = answer.header('content-length')
    return length === undefined ? {} : { sizeBytes: Number(length) }
  }
  if (answer.status !== 206 || asked === undefined) return undefined
  const said = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header('content-range') ?? '')
  if (said === null || Number(said[1]) !== asked.start) return undefined
  return { start: asked.start, ...(said[2] !== '*' && { sizeBytes: Number(said[2]) }) }
}

/** What names these very bytes in a later `If-Range` (RFC 9110 §13.1.5 takes strong tags only). */
function validatorOf(answer: UpstreamAnswer): string | undefined {
  const etag = answer.header('etag')
  return etag !== undefined && !etag.startsWith('W/') ? etag : answer.header('last-modified')
}

function stampOf(answer: UpstreamAnswer): { lastStamp?: number } {
  const stamp = Number(answer.header('x-pypi-last-serial') ?? Number.NaN)
  return Number.isSafeInteger(stamp) ? { lastStamp: stamp } : {}
}
