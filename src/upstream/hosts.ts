/** The hosts that mirrors fetch from: connections counted per host, and its state known, whichever mirrors ask it. */
import { type Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'
import { Reachability } from './reachability.ts'
import { type TlsFiles, tlsOptions } from './tls.ts'

export interface UpstreamHostsOptions {
  readonly limits: Limits
  readonly clock: Clock
  readonly userAgent: string
  /** A host is taken to be gone, or is there again. */
  readonly onTurn?: () => void
}

/** Hosts as one set of certificates sees them. */
export interface HostGroup {
  readonly pages: Dispatcher
  readonly files: Dispatcher
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

class Group implements HostGroup, AsyncDisposable {
  readonly pages: EnvHttpProxyAgent
  readonly files: EnvHttpProxyAgent
  readonly #options: UpstreamHostsOptions
  readonly #known = new Map<string, Reachability>()

  constructor(options: UpstreamHostsOptions, files: TlsFiles) {
    const { limits } = options
    const tls = tlsOptions(files)
    const agent = (connections: number) =>
      new EnvHttpProxyAgent({
        connections,
        connect: { timeout: limits.connectMs, ...tls },
        // Through a proxy these are upstream's; the proxy's own certificate is the machine's matter.
        requestTls: { timeout: limits.connectMs, ...tls },
        headersTimeout: limits.upstreamAnswerMs,
        bodyTimeout: limits.upstreamSilenceMs,
      })
    this.#options = options
    this.pages = agent(limits.upstreamPageConnections)
    this.files = agent(limits.upstreamConnections)
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
    const { statusCode, body } = await this.pages.request({
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
    await Promise.all([this.pages.destroy(), this.files.destroy()])
  }
}
