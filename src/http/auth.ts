/** Authentication: finds the principal of a request from its headers. */
import type { FastifyRequest } from 'fastify'
import { ANONYMOUS, type Principal } from '../model/access.ts'
import { whyNoBootstrap } from './bootstrap.ts'
import type { Services } from './services.ts'

/**
 * `X-Devpi-Auth` or HTTP Basic, either with a password, a login token or an API token; `Bearer` with an API token. Wrong credentials are not refused here: the
 * request goes on without a name, as in devpi, and meets the permission it lacks.
 */
export async function principalOf(
  request: FastifyRequest,
  { login, tokens, vouched, server }: Pick<Services, 'login' | 'tokens' | 'vouched' | 'server'>,
): Promise<Principal> {
  const pair = decoded(request.headers['x-devpi-auth']) ?? basic(request.headers.authorization)
  if (pair === undefined) {
    const bearer = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1]
    if (bearer !== undefined) return (await tokens.principal(bearer)) ?? ANONYMOUS
    const named = remoteUser(request, server)
    return named === undefined ? ANONYMOUS : await vouched.principal(named)
  }
  const colon = pair.indexOf(':')
  if (colon === -1) return ANONYMOUS
  const user = pair.slice(0, colon)
  const secret = pair.slice(colon + 1)
  const isLocal = secret === '' && whyNoBootstrap(request, server) === undefined
  return (await tokens.principal(secret, user)) ?? (await login.principal({ user, secret, isLocal }))
}

/** Whom a trusted proxy names in the header that was agreed on. */
function remoteUser(request: FastifyRequest, server: Services['server']): string | undefined {
  if (server.remoteUserHeader === undefined || server.trustedProxy?.isFrom(request.socket.remoteAddress) !== true) {
    return undefined
  }
  const named = request.headers[server.remoteUserHeader]
  return typeof named === 'string' && named !== '' ? named : undefined
}

/** Whether the request carries credentials at all. */
export function hasCredentials(request: FastifyRequest): boolean {
  return request.headers['x-devpi-auth'] !== undefined || request.headers.authorization !== undefined
}

function basic(header: string | undefined): string | undefined {
  const found = /^Basic\s+(\S+)\s*$/i.exec(header ?? '')
  return decoded(found?.[1])
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** base64 of UTF-8, else of latin-1. */
function decoded(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined
  const bytes = Buffer.from(header, 'base64')
  try {
    return UTF8.decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
