/** The hosts that mirrors fetch from: connections counted per host, and its state known, whichever mirrors ask it. */
import type { Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'
import { Reachability } from './reachability.ts'
import { believeSystem, type TlsFiles, tlsOptions } from './tls.ts'

export interface UpstreamHostsOptions {
  readonly limits: Limits
  readonly clock: Clock
  readonly userAgent: string
  /** A host is taken to be gone, or is there again. */
  readonly onTurn?: () => void
}

/** Hosts as one set of certificates sees them. */
export interface HostGroup {
  request(what: 'pages' | 'files', options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /** `path` is what a probe asks for while nothing was answered yet. */
  reachabilityOf(origin: string, path: string): Reachability
}

export class UpstreamHosts implements AsyncDisposable {
  readonly #options: UpstreamHostsOptions
  readonly #groups = new Map<string, Group>()

  constructor(options: UpstreamHostsOptions) {
    this.#options = options
  }

  /** Mirrors with the same certificates share connections and what is known of hosts. Throws as `tlsOptions`. */
  group(files: TlsFiles): HostGroup {
    const key = JSON.stringify([files.authorities, files.certificate, files.key])
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const made = new Group(this.#options, files)
    this.#groups.set(key, made)
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group[Symbol.asyncDispose]()))
    this.#groups.clear()
  }
}

interface Agents {
  readonly pages: EnvHttpProxyAgent
  readonly files: EnvHttpProxyAgent
}

class Group implements HostGroup, AsyncDisposable {
  readonly #options: UpstreamHostsOptions
  readonly #tls: ReturnType<typeof tlsOptions>
  #agents: Promise<Agents> | undefined
  readonly #known = new Map<string, Reachability>()

  constructor(options: UpstreamHostsOptions, files: TlsFiles) {
    this.#options = options
    this.#tls = tlsOptions(files)
  }

  async request(what: 'pages' | 'files', options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    this.#agents ??= this.#made()
    return await (await this.#agents)[what].request(options)
  }

  reachabilityOf(origin: string, path: string): Reachability {
    const known = this.#known.get(origin)
    if (known !== undefined) return known
    const { clock, limits, onTurn } = this.#options
    const [oldest] = this.#known.keys()
    if (this.#known.size >= limits.upstreamHosts && oldest !== undefined) {
      this.#known.get(oldest)![Symbol.dispose]()
      this.#known.delete(oldest)
    }
    const made = new Reachability(clock, limits, (answered) => this.#isThere(origin, answered ?? path), onTurn)
    this.#known.set(origin, made)
    return made
  }

  /** Little for both sides, and without credentials: "who are you" is an answer too. */
  async #isThere(origin: string, path: string): Promise<boolean> {
    const { limits, userAgent } = this.#options
    const { statusCode, body } = await this.request('pages', {
      origin,
      path,
      method: 'HEAD',
      headers: { 'user-agent': userAgent },
      signal: AbortSignal.timeout(limits.connectMs + limits.upstreamAnswerMs),
    })
    await body.dump()
    return statusCode < 500 && statusCode !== 429
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#known.values()) each[Symbol.dispose]()
    const agents = await this.#agents
    if (agents !== undefined) await Promise.all([agents.pages.destroy(), agents.files.destroy()])
  }

  /** The client is loaded when the first question is asked: it takes 15 MiB, and a server without mirrors asks none. */
  async #made(): Promise<Agents> {
    const { EnvHttpProxyAgent } = await import('undici')
    believeSystem()
    const { limits } = this.#options
    const agent = (connections: number) =>
      new EnvHttpProxyAgent({
        connections,
        connect: { timeout: limits.connectMs, ...this.#tls },
        // Through a proxy these are upstream's; the proxy's own certificate is the machine's matter.
        requestTls: { timeout: limits.connectMs, ...this.#tls },
        headersTimeout: limits.upstreamAnswerMs,
        bodyTimeout: limits.upstreamSilenceMs,
      })
    return { pages: agent(limits.upstreamPageConnections), files: agent(limits.upstreamConnections) }
  }
}
