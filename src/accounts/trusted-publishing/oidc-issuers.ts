/** Issuers of OIDC tokens: their keys, found by discovery (OpenID Connect Discovery 1.0 §4), and kept for some minutes. */

import type { JSONWebKeySet } from 'jose'
import { parseBoundedJson } from '../../lib/bounded-json.ts'
import type { Clock } from '../../lib/clock.ts'
import { Recent } from '../../lib/recent.ts'
import { collect } from '../../lib/streams.ts'
import { withoutTrailing } from '../../lib/trailing.ts'
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import { UpstreamHosts } from '../../upstream/hosts.ts'
import { OutgoingPolicy, type OutgoingRules } from '../../upstream/outgoing-policy.ts'
import { UpstreamRequests } from '../../upstream/request.ts'
import { isTrustworthy } from './issuer-address.ts'

export interface OidcIssuersOptions {
  readonly clock: Clock
  readonly limits: Limits
  readonly userAgent: string
  readonly outgoing: OutgoingRules
  /** A PEM file of authorities that are believed besides the machine's own. */
  readonly authorities?: string
}

interface Known {
  readonly keys: JSONWebKeySet
  readonly fetchedMs: number
}

/** Asked only for issuers that some index trusts: strangers cannot make the server ask anybody else. */
export class OidcIssuers implements AsyncDisposable {
  readonly #options: OidcIssuersOptions
  readonly #hosts: UpstreamHosts
  readonly #known: Recent<string, Known>
  readonly #failed: Recent<string, { readonly problem: Problem; readonly untilMs: number }>
  readonly #flights = new Map<string, Promise<Known>>()

  constructor(options: OidcIssuersOptions) {
    // A redirect could lead to where others may write: the issuer itself has to answer.
    const limits = { ...options.limits, redirects: 0, upstreamPageMs: options.limits.issuerAnswerMs }
    this.#options = { ...options, limits }
    this.#hosts = new UpstreamHosts({ ...this.#options, policy: new OutgoingPolicy(options.outgoing) })
    this.#known = new Recent(limits.issuersKept)
    this.#failed = new Recent(limits.issuersKept)
  }

  /**
   * The issuer's keys, not older than `issuerKeysMs`. `mayBeNear`: it may be on this machine or in a private network. Throws `upstream-failed`.
   */
  async keys(issuer: string, mayBeNear: boolean): Promise<JSONWebKeySet> {
    const known = this.#known.get(issuer)
    const isFresh = known !== undefined && this.#ageMs(known) < this.#options.limits.issuerKeysMs
    return isFresh ? known.keys : (await this.#fetched(issuer, mayBeNear)).keys
  }

  /** For a token whose key is not among them: `undefined` when they were asked for a moment ago. Throws `upstream-failed`. */
  async keysAnew(issuer: string, mayBeNear: boolean): Promise<JSONWebKeySet | undefined> {
    const known = this.#known.get(issuer)
    if (known !== undefined && this.#ageMs(known) < this.#options.limits.issuerRefetchMs) return undefined
    return (await this.#fetched(issuer, mayBeNear)).keys
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]()
  }

  #ageMs({ fetchedMs }: Known): number {
    return this.#options.clock.now().getTime() - fetchedMs
  }

  async #fetched(issuer: string, mayBeNear: boolean): Promise<Known> {
    const { clock, limits } = this.#options
    const failed = this.#failed.get(issuer)
    if (failed !== undefined && failed.untilMs > clock.now().getTime()) throw failed.problem
    const flight = this.#flights.get(issuer) ?? this.#fetch(issuer, mayBeNear)
    this.#flights.set(issuer, flight)
    try {
      const known = await flight
      this.#known.set(issuer, known, 1)
      return known
    } catch (error) {
      const problem = cannotAsk(issuer, error)
      this.#failed.set(issuer, { problem, untilMs: clock.now().getTime() + limits.issuerRetryMs }, 1)
      throw problem
    } finally {
      this.#flights.delete(issuer)
    }
  }

  async #fetch(issuer: string, mayBeNear: boolean): Promise<Known> {
    const fetchedMs = this.#options.clock.now().getTime()
    const requests = new UpstreamRequests({
      ...this.#options,
      url: issuer,
      mayBeNear,
      offline: false,
      hosts: this.#hosts,
    })
    const signal = AbortSignal.timeout(this.#options.limits.issuerAnswerMs)
    const discovery = new URL(`${withoutTrailing(issuer, '/')}/.well-known/openid-configuration`)
    const { issuer: said, jwks_uri } = await this.#json(requests, discovery, signal)
    if (said !== issuer) throw new SyntaxError(`it calls itself ${JSON.stringify(said)?.slice(0, 200)}`)
    const address = typeof jwks_uri === 'string' ? URL.parse(jwks_uri) : null
    // Plain HTTP only within this machine, and only for an issuer that is there as well.
    if (
      address === null ||
      !isTrustworthy(address) ||
      (address.protocol === 'http:' && discovery.protocol !== 'http:')
    ) {
      throw new SyntaxError('its jwks_uri is no https address')
    }
    const keys = await this.#json(requests, address, signal)
    if (!isKeySet(keys)) throw new SyntaxError(`what is at ${address.href} is no set of keys (RFC 7517)`)
    return { keys, fetchedMs }
  }

  async #json(requests: UpstreamRequests, url: URL, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const headers = { accept: 'application/json', 'accept-encoding': 'identity' }
    const answer = await requests.get(url, 'pages', headers, signal)
    if (answer.status !== 200) {
      await answer.dump()
      throw new SyntaxError(`it answered ${answer.status} for ${url.pathname}`)
    }
    const bytes = await collect(answer.body, this.#options.limits.issuerBytes)
    const value: unknown = parseBoundedJson(bytes.toString('utf8'))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SyntaxError(`what is at ${url.href} is no JSON object`)
    }
    return value as Readonly<Record<string, unknown>>
  }
}

function isKeySet(value: Readonly<Record<string, unknown>>): value is JSONWebKeySet & Record<string, unknown> {
  const { keys } = value
  return Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null && !Array.isArray(key))
}

function cannotAsk(issuer: string, error: unknown): Problem {
  if (!(error instanceof Error)) throw error
  return new Problem('upstream-failed', `Cannot ask issuer "${issuer}" for its keys: ${error.message}`, {
    hint: 'look whether this server reaches the issuer, and ask again',
    retrySeconds: 10,
    cause: error,
  })
}
