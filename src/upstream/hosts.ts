/** The hosts that mirrors fetch from: connections counted per host, and its state known, whichever mirrors ask it. */
import type { Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'
import { judgedConnect } from './judged-connect.ts'
import type { OutgoingPolicy, Reach } from './outgoing-policy.ts'
import { Reachability } from './reachability.ts'
import { believeSystem, type TlsFiles, tlsOptions } from './tls.ts'

export interface UpstreamHostsOptions {
  readonly limits: Limits
  readonly clock: Clock
  readonly userAgent: string
  readonly policy: OutgoingPolicy
  /** A host is taken to be gone, or is there again. */
  readonly onTurn?: () => void
}

/** Hosts as one set of certificates sees them, and mirrors that may reach as much. */
export interface HostGroup {
  /** Throws `upstream-failed` for a host that is not within reach. */
  request(what: 'pages' | 'files', reach: Reach, options: OutgoingRequest): Promise<Dispatcher.ResponseData>
  /** `path` is what a probe asks for while nothing was answered yet, `reach` how far it may. */
  reachabilityOf(origin: string, path: string, reach: () => Promise<Reach>): Reachability
}

type OutgoingRequest = Dispatcher.RequestOptions & { readonly origin: string }

export class UpstreamHosts implements AsyncDisposable {
  readonly #options: UpstreamHostsOptions
  readonly #groups = new Map<string, Group>()

  constructor(options: UpstreamHostsOptions) {
    this.#options = options
  }

  /**
   * Mirrors with the same certificates share connections and what is known of hosts; but not those that may reach near ones with those that may
   * not, who would learn from it what is there. Throws as `tlsOptions`.
   */
  group(files: TlsFiles, mayReachNear: boolean): HostGroup {
    const key = JSON.stringify([files.authorities, files.certificate, files.key, mayReachNear])
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
  /** By what they may reach: a connection that is there is used without another look. */
  readonly #agents = new Map<Reach, Promise<Agents>>()
  readonly #known = new Map<string, Reachability>()

  constructor(options: UpstreamHostsOptions, files: TlsFiles) {
    this.#options = options
    this.#tls = tlsOptions(files)
  }

  async request(what: 'pages' | 'files', reach: Reach, options: OutgoingRequest): Promise<Dispatcher.ResponseData> {
    const { hostname, port, protocol } = new URL(options.origin)
    // Also where a proxy makes the connection.
    this.#options.policy.checkName({ hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) }, reach)
    const agents = this.#agents.get(reach) ?? this.#made(reach)
    this.#agents.set(reach, agents)
    return await (await agents)[what].request(options)
  }

  reachabilityOf(origin: string, path: string, reach: () => Promise<Reach>): Reachability {
    const known = this.#known.get(origin)
    if (known !== undefined) return known
    const { clock, limits, onTurn } = this.#options
    const [oldest] = this.#known.keys()
    if (this.#known.size >= limits.upstreamHosts && oldest !== undefined) {
      this.#known.get(oldest)![Symbol.dispose]()
      this.#known.delete(oldest)
    }
    const made = new Reachability(clock, limits, (answered) => this.#isThere(origin, answered ?? path, reach), onTurn)
    this.#known.set(origin, made)
    return made
  }

  /** Little for both sides, and without credentials: "who are you" is an answer too. */
  async #isThere(origin: string, path: string, reach: () => Promise<Reach>): Promise<boolean> {
    const { limits, userAgent } = this.#options
    const { statusCode, body } = await this.request('pages', await reach(), {
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
    for (const agents of this.#agents.values()) {
      const { pages, files } = await agents
      await Promise.all([pages.destroy(), files.destroy()])
    }
  }

  /** The client is loaded when the first question is asked: it takes 15 MiB, and a server without mirrors asks none. */
  async #made(reach: Reach): Promise<Agents> {
    const { EnvHttpProxyAgent } = await import('undici')
    believeSystem()
    const { limits, policy } = this.#options
    const connect = await judgedConnect(policy, reach, { timeout: limits.connectMs, ...this.#tls })
    const agent = (connections: number) =>
      new EnvHttpProxyAgent({
        connections,
        connect,
        // Through a proxy these are upstream's; the proxy's own certificate is the machine's matter.
        requestTls: { timeout: limits.connectMs, ...this.#tls },
        headersTimeout: limits.upstreamAnswerMs,
        bodyTimeout: limits.upstreamSilenceMs,
      })
    return { pages: agent(limits.upstreamPageConnections), files: agent(limits.upstreamConnections) }
  }
}
