/**
 * HTTP to the server, for all client commands. `node:http` and not undici, because the reason phrase carries devpi's
 * upload errors; its agents read proxies from the environment that the context gives.
 */
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { getCACertificates } from 'node:tls'
import { collect } from '../lib/streams.ts'
import { LIMITS } from '../model/limits.ts'
import { isSamePlace } from './client-url.ts'
import { type Reply, type ReplyHead, readReply } from './reply.ts'
import type { UserSecret } from './secret-table.ts'

export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'PUSH'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  /** Sent as `X-Devpi-Auth`, to the asked place only, never to where it redirects. */
  readonly login?: UserSecret | undefined
  /** Sent as HTTP Basic, likewise. */
  readonly basicAuth?: UserSecret | undefined
  /** Path of a PEM file with certificate and key. */
  readonly certificate?: string | undefined
  /** False accepts any certificate of the server. Secrets must not be sent along. */
  readonly verify?: boolean
}

export interface RequestBody {
  readonly type: string
  readonly sizeBytes: number
  /** Opens the bytes; asked again only when a redirect wants them again. */
  open(): AsyncIterable<Uint8Array>
}

/** The server could not be reached, or broke off. `isCertificate`: its certificate could not be verified. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly isCertificate: boolean
  constructor(url: URL, cause: Error) {
    const isCertificate = isCertificateTrouble(cause)
    super(`${isCertificate ? 'SSL verification failed' : 'could not connect to'} '${url.href}':\n${reasonOf(cause)}`, {
      cause,
    })
    this.isCertificate = isCertificate
  }
}

const USER_AGENT = 'airlock-client'

export class Connection {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>()

  /** `env`: HTTP_PROXY, HTTPS_PROXY, NO_PROXY; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE for a CA of one's own. */
  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env
  }

  /** Asks and reads the whole answer, following redirects. Throws `Unreachable`. */
  async send(ask: Ask): Promise<Reply> {
    // The largest answer is a mirror's list of all projects.
    return await this.#ask(ask, async (head, body) => readReply(head, await collect(body, LIMITS.upstreamListBytes)))
  }

  /**
   * Asks and hands the answer's body to `save` as it comes in; any answer but 200 is read instead. Follows redirects. Throws `Unreachable`, also for a body that ends early.
   */
  async download(ask: Ask, save: (body: AsyncIterable<Uint8Array>) => Promise<void>): Promise<Reply> {
    return await this.#ask(ask, async (head, body) => {
      if (head.status !== 200) return readReply(head, await collect(body, REFUSAL_BYTES_MAX))
      await save(received(body)).catch((error: unknown) => {
        throw error instanceof BodyBroke ? error.cause : new OwnTrouble(error)
      })
      return readReply(head, Buffer.alloc(0))
    })
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
  }

  async #ask(ask: Ask, read: (head: ReplyHead, body: IncomingMessage) => Promise<Reply>): Promise<Reply> {
    let current = ask
    for (let hops = 0; ; hops++) {
      try {
        const answer = await this.#answer(current)
        const head = {
          method: current.method,
          url: current.url,
          status: answer.statusCode ?? 0,
          reason: answer.statusMessage ?? '',
          headers: answer.headers,
        }
        const target = redirectOf(head)
        if (target === undefined || hops >= LIMITS.redirects) return await read(head, answer)
        answer.resume()
        current = redirected(current, head.status, target)
      } catch (error) {
        if (error instanceof OwnTrouble) throw error.cause
        throw error instanceof Error ? new Unreachable(current.url, error) : error
      }
    }
  }

  #answer(ask: Ask): Promise<IncomingMessage> {
    const secure = ask.url.protocol === 'https:'
    const certificate = ask.certificate && secure ? readFileSync(ask.certificate) : undefined
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const request = (secure ? httpsRequest : httpRequest)(ask.url, {
      method: ask.method,
      headers: headersOf(ask),
      agent: this.#agentFor(ask),
      timeout: answerTimeoutMs(this.#env),
      ...(certificate && { cert: certificate, key: certificate }),
    })
    request.on('response', resolve)
    request.on('timeout', () => request.destroy(new Error('the server stays silent')))
    if (ask.body === undefined) {
      request.on('error', reject)
      request.end()
      return promise
    }
    // A refusal can come before the whole body is sent; the answer then counts, not the broken sending.
    const broken = (error: Error) => setTimeout(reject, LATE_ANSWER_MS, error)
    request.on('error', broken)
    pipeline(guarded(ask.body), request).catch(broken)
    return promise
  }

  #agentFor({ url, verify = true }: Ask): HttpAgent | HttpsAgent {
    const kind = `${url.protocol} ${verify}`
    const known = this.#agents.get(kind)
    if (known) return known
    const { REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE } = this.#env
    const bundle = REQUESTS_CA_BUNDLE || CURL_CA_BUNDLE || SSL_CERT_FILE
    const options = { keepAlive: true, maxSockets: 4, proxyEnv: { ...this.#env } as NodeJS.ProcessEnv }
    const agent =
      url.protocol === 'http:'
        ? new HttpAgent(options)
        : new HttpsAgent({
            ...options,
            rejectUnauthorized: verify,
            ca: bundle ? readFileSync(bundle) : knownAuthorities(),
          })
    this.#agents.set(kind, agent)
    return agent
  }
}

/** What reading the bytes to send threw, or keeping those that came: no trouble of the network's. */
class OwnTrouble extends Error {
  override readonly cause: unknown
  constructor(cause: unknown) {
    super('Cannot read the file to send, or write the received file')
    this.cause = cause
  }
}

/** What the network did to a body on its way to us. */
class BodyBroke extends Error {
  override readonly cause: unknown
  constructor(cause: unknown) {
    super('The body broke off')
    this.cause = cause
  }
}

/** An answer sent just before the connection broke arrives within this. */
const LATE_ANSWER_MS = 200
/** The words in which a server refuses a file. */
const REFUSAL_BYTES_MAX = 1024 * 1024
/** A mirror may load its upstream's whole list of projects first. */
const ANSWER_MS = 300_000

/** AIRLOCK_CLIENT_TIMEOUT, in seconds, for servers that answer slower than anybody should wait by default. */
function answerTimeoutMs(env: Readonly<Record<string, string | undefined>>): number {
  const seconds = Number(env.AIRLOCK_CLIENT_TIMEOUT)
  return seconds > 0 ? Math.min(seconds * 1000, 24 * 3600 * 1000) : ANSWER_MS
}

async function* received(body: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>
  } catch (error) {
    throw new BodyBroke(error)
  }
}

async function* guarded(body: RequestBody): AsyncGenerator<Uint8Array> {
  let sent = 0
  try {
    for await (const chunk of body.open()) {
      sent += chunk.length
      yield chunk
    }
    if (sent !== body.sizeBytes)
      throw new Error(`Cannot send: ${sent} bytes were read where ${body.sizeBytes} were announced`)
  } catch (error) {
    throw new OwnTrouble(error)
  }
}

function headersOf(ask: Ask): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': USER_AGENT, accept: '*/*', ...ask.headers }
  if (ask.body) {
    headers['content-type'] = ask.body.type
    headers['content-length'] = String(ask.body.sizeBytes)
  } else if (ask.method !== 'GET' && ask.method !== 'HEAD') {
    headers['content-length'] = '0'
  }
  if (ask.login) headers['x-devpi-auth'] = base64(ask.login)
  if (ask.basicAuth) headers.authorization = `Basic ${base64(ask.basicAuth)}`
  return headers
}

function base64([user, secret]: UserSecret): string {
  return Buffer.from(`${user}:${secret}`).toString('base64')
}

function redirectOf({ status, headers, url }: ReplyHead): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined
  const target = URL.parse(headers.location, url)
  return target && /^https?:$/.test(target.protocol) ? target : undefined
}

/** As browsers and Python's requests do: 303 and 302 become GET, 301 does for POST; secrets stay with their place. */
function redirected(ask: Ask, status: number, target: URL): Ask {
  const becomesGet = status === 303 || status === 302 || (status === 301 && ask.method === 'POST')
  const { body, login, basicAuth, certificate, ...rest } = ask
  return {
    ...rest,
    url: target,
    method: becomesGet ? 'GET' : ask.method,
    ...(body && !becomesGet && { body }),
    ...(isSamePlace(ask.url, target) && { login, basicAuth, certificate }),
  }
}

function reasonOf(cause: Error): string {
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error)
    return cause.errors.map(({ message }) => message).join('\n')
  // What follows a semicolon there is advice for people who run Node by hand.
  if (isCertificateTrouble(cause)) return cause.message.split(';')[0]!
  return cause.message || (cause as NodeJS.ErrnoException).code || cause.name
}

/** Node's own list and the machine's: a company's CA is installed there. */
function knownAuthorities(): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system')]
}

function isCertificateTrouble(cause: Error): boolean {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  return /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code)
}
