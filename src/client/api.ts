/** The server's JSON API: one question, its answer checked, and what went wrong said in devpi's words. */

import { withoutTrailing } from '../lib/trailing.ts'
import { type Ask, type Connection, Unreachable } from './connection.ts'
import type { CliExit } from './context.ts'
import type { Output } from './output.ts'
import { messageOf, type Reply, statusLine } from './reply.ts'
import type { ClientState } from './state.ts'

export interface ApiAsk {
  readonly method: Ask['method']
  readonly url: URL
  /** Sent as JSON. */
  readonly send?: unknown
  /** The `type` that the answer must have. */
  readonly type?: string
  /** `reply` gives refusals (400 and above) to the caller instead of ending the command. */
  readonly refusal?: 'end' | 'reply'
  readonly login?: Ask['login']
  readonly basicAuth?: Ask['basicAuth']
  readonly certificate?: Ask['certificate']
  readonly verify?: boolean
  /** `getjson` shows answers of any server. */
  readonly anyServer?: boolean
}

/** The version of the wire format that we speak: `X-DEVPI-API-VERSION`. */
const API_VERSION = '2'

export class Api {
  readonly #connection: Connection
  readonly #out: Output
  #hasWarnedOfVersion = false

  constructor(connection: Connection, out: Output) {
    this.#connection = connection
    this.#out = out
  }

  /** Throws `CliExit`, its reason said, when the server cannot be reached or, unless told otherwise, refuses. */
  async ask(ask: ApiAsk, state: ClientState): Promise<Reply> {
    const reply = await this.#send(ask, state)
    if (!isSameAddress(reply.url, ask.url)) this.#out.info(`*redirected from ${ask.url.href} to ${reply.url.href}`)
    await forgetExpiredLogin(reply, state, this.#out)
    if (!ask.anyServer) this.#checkVersion(reply)
    if (reply.status === 200 || reply.status === 201) {
      if (ask.type !== undefined && reply.json?.type !== ask.type) {
        const got = typeof reply.json?.type === 'string' ? `'${reply.json.type}'` : 'None'
        throw this.#out.failure(`${ask.url.href}: got result type ${got}, expected '${ask.type}'`)
      }
      return reply
    }
    if (reply.status < 400 || ask.refusal !== 'reply') throw this.refused(reply)
    return reply
  }

  /** Says `METHOD URL`, the status and the server's message, and gives the error to throw. */
  refused(reply: Reply): CliExit {
    const whole = this.#out.options.debug && messageOf(reply) === '' ? reply.text : ''
    return this.#out.failure(`${reply.method} ${reply.url.href}\n${statusLine(reply)}${whole}`)
  }

  async #send(ask: ApiAsk, state: ClientState): Promise<Reply> {
    const body = ask.send === undefined ? undefined : Buffer.from(JSON.stringify(ask.send))
    // Whoever presents a certificate that proves nothing gets to see no secret.
    const secrets =
      ask.verify === false
        ? {}
        : {
            login: 'login' in ask ? ask.login : state.loginFor(ask.url),
            basicAuth: ask.basicAuth ?? state.basicAuthFor(ask.url),
            certificate: ask.certificate ?? state.certificateFor(ask.url),
          }
    try {
      return await this.#connection.send({
        method: ask.method,
        url: ask.url,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        ...(body && { body: { type: 'application/json', sizeBytes: body.length, open: () => once(body) } }),
        ...(ask.verify !== undefined && { verify: ask.verify }),
        ...secrets,
      })
    } catch (error) {
      if (!(error instanceof Unreachable) || (error.isCertificate && ask.verify !== undefined)) throw error
      throw this.#out.unreachable(error)
    }
  }

  #checkVersion(reply: Reply): void {
    const version = reply.headers['x-devpi-api-version']
    if (version === API_VERSION) return
    if (version !== undefined) {
      throw this.#out.failure(`airlock got a reply with API-VERSION ${version}, acceptable are: ${API_VERSION}`)
    }
    if (!this.#hasWarnedOfVersion) {
      this.#out.error(`WARN: airlock got an unversioned reply, assuming API-VERSION ${API_VERSION}`)
    }
    this.#hasWarnedOfVersion = true
  }
}

/** A 401 with a Location is how devpi's servers say that the login is used up. */
export async function forgetExpiredLogin(reply: Reply, state: ClientState, out: Output): Promise<void> {
  if (reply.status !== 401 || reply.headers.location === undefined) return
  if (await state.dropLogin()) out.error('removed expired authentication information')
}

async function* once(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body
}

function isSameAddress(a: URL, b: URL): boolean {
  return withoutTrailing(a.href, '/') === withoutTrailing(b.href, '/')
}
