/**
 * `/+authcheck`, for nginx's `auth_request`: whether the request named by `X-Original-Uri` may go on. Empty answers:
 * 200, 403, or 401 with a challenge (for browsers without) for who has given no name yet, or a wrong one (but 403 for devpi-client, which shows it better).
 */
import { readOf } from '../../model/access.ts'
import { principalOf } from '../auth.ts'
import { routedPath } from '../outside.ts'
import { answer, type Route } from '../route.ts'
import { isBrowser } from '../senders.ts'
import type { Services } from '../services.ts'
import { addressReader } from './routed-address.ts'

/** `routes`: all that are served; asked for with the first request, since this answer is one of them. */
export function authcheckAnswer(services: Services, routes: () => readonly Route[]) {
  const { indexes, may, server } = services
  let reader: ReturnType<typeof addressReader> | undefined
  return answer(
    { about: 'Whether nginx may let the request of `X-Original-Uri` through (`auth_request`)' },
    async (request, reply) => {
      const original = request.headers['x-original-uri']
      const path = pathOf(typeof original === 'string' ? original : request.url)
      const routed = path && routedPath(path, request.raw, server)
      if (routed === undefined) return reply.code(403).send()
      reader ??= addressReader(routes(), server.defaultIndex)
      const asked = reader(routed)
      if (asked === undefined) return reply.code(403).send()
      if (asked.index === undefined) return reply.code(200).send()
      const record = await indexes.record(asked.index)
      if (record?.options.acl_pkg_read === undefined) return reply.code(200).send()
      const who = await principalOf(request, services)
      if (may(who, readOf(record))) return reply.code(200).send()
      const isClient = (request.headers['user-agent'] ?? '').includes('devpi-client')
      if (isClient || who.name !== undefined || who.publisher !== undefined) return reply.code(403).send()
      if (!isBrowser(request)) reply.header('www-authenticate', 'Basic realm="pypi"')
      return reply.code(401).send()
    },
  )
}

/**
 * Decoded, without query; a full address is taken too. `undefined` for what is no path, and for one with `.` or `..` in it: nginx
 * resolves those where it answers by itself, and no address of ours has any.
 */
function pathOf(uri: string): string | undefined {
  const path = uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/)[0]!
  try {
    const decoded = decodeURIComponent(path)
    return decoded.startsWith('/') && !/\/\.{1,2}(?:\/|$)/.test(decoded) ? decoded : undefined
  } catch {
    return undefined
  }
}
