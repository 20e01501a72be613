/** One GET to an upstream: with the right credentials at each host that redirects lead to, counted, and told to the circuit. */
import type { Dispatcher } from 'undici'
import type { MirrorAccess } from '../config/upstream-settings.ts'
import type { Clock } from '../lib/clock.ts'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import { UpstreamCredentials, withoutUserinfo } from './credentials.ts'
import { type HostGroup, UpstreamHosts } from './hosts.ts'
import { OutgoingPolicy, type OutgoingRules, type Reach } from './outgoing-policy.ts'
import type { Reachability } from './reachability.ts'

/** Where an upstream is and how it is asked: plain values, which may go to another thread. */
export interface UpstreamPlace {
  /** The Simple index, with or without final slash; user and password in it go to its own host only. */
  readonly url: string
  readonly limits: Limits
  readonly userAgent: string
  readonly outgoing: OutgoingRules
  /** It may be on this machine or in a private network, and then what it links and redirects to may be, too. */
  readonly mayBeNear: boolean
  /** How near it was found to be before; absent: it was not looked for yet. */
  readonly near?: Reach
  /** What the server's environment has for this mirror. */
  readonly access?: MirrorAccess
  /** A netrc file, which may be missing. */
  readonly netrc?: string
  /** A PEM file of authorities that every mirror believes. */
  readonly authorities?: string
  /** The mirror's option `mirror_forbidden_is_absent`. */
  readonly forbiddenIsAbsent?: boolean
}

export interface UpstreamOptions extends UpstreamPlace {
  readonly offline: boolean
  readonly clock: Clock
  /** Connections and states shared with other mirrors; absent: its own. */
  readonly hosts?: UpstreamHosts
}

/** Since this process began to ask. */
export interface UpstreamFigures {
  requests: number
  /** Without answer, or answered with 429, 500 or above. */
  failures: number
  /** Of bodies, as they came over the wire. */
  bytes: number
}

export interface UpstreamAnswer {
  readonly status: number
  /** Where it came from in the end. */
  readonly url: URL
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
  header(name: string): string | undefined
  /** Reads over what is left, so that the connection can be used again. */
  dump(): Promise<void>
}

const REDIRECTS = [301, 302, 303, 307, 308]

export class UpstreamRequests implements AsyncDisposable {
  readonly base: URL
  readonly figures: UpstreamFigures = { requests: 0, failures: 0, bytes: 0 }
  /** Of the index itself. */
  readonly reachability: Reachability
  readonly #options: UpstreamOptions
  readonly #credentials: UpstreamCredentials
  readonly #ownHosts: UpstreamHosts | undefined
  readonly #group: HostGroup
  readonly #policy: OutgoingPolicy
  /** How near the upstream was when it was first found. */
  #near: Reach | undefined
  /** Until then it is not looked for again: where a proxy knows all names, this machine may know none. */
  #unknownUntilMs = 0

  constructor(options: UpstreamOptions) {
    const { url, access, netrc, authorities } = options
    const mirrorUrl = new URL(url.endsWith('/') ? url : `${url}/`)
    this.base = withoutUserinfo(mirrorUrl)
    this.#options = options
    this.#credentials = new UpstreamCredentials({ mirrorUrl, access, netrc })
    this.#policy = new OutgoingPolicy(options.outgoing)
    this.#near = options.near
    if (options.hosts === undefined) this.#ownHosts = new UpstreamHosts({ ...options, policy: this.#policy })
    const tls = {
      authorities: [authorities, access?.authorities].filter((path) => path !== undefined),
      ...(access?.certificate !== undefined && { certificate: access.certificate }),
      ...(access?.key !== undefined && { key: access.key }),
    }
    this.#group = (options.hosts ?? this.#ownHosts!).group(tls, options.mayBeNear)
    this.reachability = this.#group.reachabilityOf(this.base.origin, this.base.pathname, () => this.#reach())
  }

  /** How near the upstream was when it was first found; `undefined` before. */
  get near(): Reach | undefined {
    return this.#near
  }

  /**
   * The answer, whatever its status. `signal` ends the body too. Throws `upstream-offline`, and `upstream-failed` where no
   * answer is to be had: nobody there, silence, redirects without end, or the host is known to be gone or wants a pause.
   */
  async get(
    target: URL,
    what: 'pages' | 'files',
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<UpstreamAnswer> {
    const { offline, limits } = this.#options
    if (offline) {
      throw new Problem('upstream-offline', `Cannot ask ${this.base.host}: the server runs in offline mode`)
    }
    let url = target
    for (let hop = 0; hop <= limits.redirects; hop++) {
      const answer = await this.#ask(url, what, headers, signal)
      const location = answer.header('location')
      if (!REDIRECTS.includes(answer.status) || location === undefined) return answer
      await answer.dump()
      url = this.#followed(url, location, what)
    }
    throw this.wrong(target, new Error(`it redirected more than ${limits.redirects} times`))
  }

  /** What is wrong with an answer, as a problem; a problem stays what it is. */
  wrong(url: URL, error: unknown): Problem {
    if (error instanceof Problem) return error
    const reason = reasonOf(error)
    return new Problem('upstream-failed', `Cannot use the answer of ${url.host} for ${url.pathname}: ${reason}`, {
      cause: error,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ownHosts?.[Symbol.asyncDispose]()
  }

  async #ask(
    url: URL,
    what: 'pages' | 'files',
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<UpstreamAnswer> {
    const isOwn = url.origin === this.base.origin
    const reach = await this.#reach()
    const reachability = isOwn ? this.reachability : this.#group.reachabilityOf(url.origin, '/', () => this.#reach())
    const authorization = await this.#credentials.headerFor(url)
    if (!reachability.mayTry()) throw unreachable(url, reachability, reachability.reason)
    this.figures.requests++
    // Also while the request waits for a connection, which undici's own limits do not count.
    const patience = new AbortController()
    const timer = setTimeout(
      () => patience.abort(new DOMException('no answer', 'TimeoutError')),
      this.#options.limits.upstreamPageMs,
    )
    try {
      const answer = await this.#group.request(what, reach, {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: {
          ...headers,
          'user-agent': this.#options.userAgent,
          ...(authorization !== undefined && { authorization }),
        },
        signal: signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]),
      })
      const told = this.#told(url, answer)
      if (told.status === 429 || told.status >= 500) {
        this.figures.failures++
        reachability.erred(told.status, retryAfterMs(told.header('retry-after'), this.#options.clock))
      } else {
        // A page is cheaper to make than the list, and it is known to be answered.
        const isGoodProbe = told.status === 200 && what === 'pages' && url.href !== this.base.href
        reachability.answered(isGoodProbe ? url.pathname : undefined)
      }
      return told
    } catch (error) {
      this.figures.failures++
      if (error instanceof Problem) throw error
      const reason = reasonOf(error)
      if (isConnectionTrouble(error)) reachability.failed(reason, url.pathname)
      throw unreachable(url, reachability, reason, error)
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * How near what is asked for may be: as the upstream is. It stays so while the server runs: an upstream that was on the Internet does not come
   * nearer by another answer of its name server.
   */
  async #reach(): Promise<Reach> {
    if (!this.#options.mayBeNear) return 'public'
    const nowMs = performance.now()
    if (this.#near === undefined && nowMs >= this.#unknownUntilMs) {
      this.#near = await this.#policy.reachOf(this.base.hostname)
      this.#unknownUntilMs = nowMs + this.#options.limits.backoffMostMs
    }
    return this.#near ?? 'public'
  }

  #told(url: URL, { statusCode, headers, body }: Dispatcher.ResponseData): UpstreamAnswer {
    const header = (name: string) => {
      const value = headers[name]
      return Array.isArray(value) ? value[0] : value
    }
    const { figures } = this
    async function* counted() {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        figures.bytes += chunk.length
        yield chunk
      }
    }
    return {
      status: statusCode,
      url: withoutUserinfo(url),
      contentType: header('content-type') ?? '',
      header,
      body: counted(),
      dump: () => body.dump(),
    }
  }

  #followed(from: URL, location: string, what: 'pages' | 'files'): URL {
    const to = URL.canParse(location, from) ? new URL(location, from) : undefined
    if (to === undefined || (to.protocol !== 'http:' && to.protocol !== 'https:')) {
      throw this.wrong(from, new Error('it redirected to an address that is not http or https'))
    }
    // A file is checked against the hash on its page; nothing vouches for a page but the way that it came.
    if (what === 'pages' && from.protocol === 'https:' && to.protocol === 'http:') {
      throw this.wrong(from, new Error(`it redirected from https to ${to.origin}, where anybody could answer`))
    }
    return to
  }
}

/** Seconds, or an HTTP date (RFC 9110 §10.2.3); `undefined` for anything else. */
export function retryAfterMs(value: string | undefined, clock: Clock): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value)) * 1000
  const at = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock.now().getTime())
}

function unreachable(url: URL, reachability: Reachability, reason: string, cause?: unknown): Problem {
  return new Problem('upstream-failed', `Cannot reach ${url.host}: ${reason}`, {
    hint: 'what was fetched before is still served; ask again later',
    retrySeconds: reachability.retrySeconds,
    cause,
  })
}

/** Trouble with the way to a host or with the whole of it, not with one request. */
function isConnectionTrouble(error: unknown): boolean {
  const name = (error as Error)?.name
  if (['RequestAbortedError', 'InvalidArgumentError'].includes(name)) return false
  return !(error instanceof Problem) && !(error instanceof SyntaxError) && !(error instanceof TypeError)
}
