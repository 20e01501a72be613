/**
 * The empty password is a bootstrap, not a login: the way to the first password. It counts only for a program on this machine
 * that asks the server directly; never for a request that a browser, a proxy or the server itself may have made.
 */
import type { FastifyRequest } from 'fastify'
import { isOwnAddress } from '../lib/addresses.ts'
import type { Outside } from './outside.ts'
import { type OwnHosts, readHost } from './own-hosts.ts'
import { servicePeer } from './peer-account.ts'

export interface BootstrapGround extends Pick<Outside, 'trustedProxy'> {
  readonly ownHosts: OwnHosts
}

/**
 * What programs send of their own accord: devpi's client and ours, pip, uv, twine, curl, libraries for HTTP. Whatever else a request
 * carries was added by a browser (`Origin`, `Referer`, `Cookie`, `Sec-Fetch-…`, `Accept-Language`) or on the way, and there is
 * no end to the headers in which proxies tell whom they speak for.
 */
const OF_PROGRAMS = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'cache-control',
  'connection',
  'content-disposition',
  'content-length',
  'content-type',
  'expect',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'keep-alive',
  'pragma',
  'range',
  'te',
  'transfer-encoding',
  'user-agent',
  'x-devpi-auth',
])

/** Browsers, whatever else they send or leave out; and this program's own requests, for which an upstream's redirect may have chosen the address. */
const NO_CLIENT = /^(?:Mozilla|Opera|airlock)\//i

/** Why the empty password does not count for the request, as the end of a sentence that begins with "this request"; `undefined` where it does. */
export function whyNoBootstrap(request: FastifyRequest, ground: BootstrapGround): string | undefined {
  const { socket, headers, raw } = request
  const peer = socket.remoteAddress
  if (peer === undefined) return 'came through a Unix socket, which is there for a proxy'
  if (!isOwnAddress(peer)) return 'came from another machine'
  if (ground.trustedProxy?.isFrom(peer) === true) return 'came from the trusted proxy'
  if (raw.httpVersion !== '1.1') return `came over HTTP/${raw.httpVersion}, as from a proxy`
  const other = Object.keys(headers).find((name) => !OF_PROGRAMS.has(name))
  if (other !== undefined) return `has the header "${other.slice(0, 100)}", as from a browser or a proxy`
  const said = headers['user-agent'] ?? ''
  if (NO_CLIENT.test(said)) return `was sent by "${said.slice(0, 20)}", which is no client`
  const service = servicePeer(socket)
  if (service !== undefined) return `was made by a service of this machine (user id ${service}), as by a proxy`
  return whyNotAskedDirectly(request, ground)
}

/** A name that is not ours may be a stranger's page's; a port that is not ours is that of whatever passes the request on. */
function whyNotAskedDirectly({ raw, socket }: FastifyRequest, { ownHosts }: BootstrapGround): string | undefined {
  const header = raw.headers.host ?? ''
  const host =
    raw.rawHeaders.filter((each, at) => at % 2 === 0 && each.toLowerCase() === 'host').length > 1
      ? undefined
      : readHost(header)
  if (host === undefined || !ownHosts.isOwn(host)) {
    return `names the host ${JSON.stringify(header.slice(0, 100))}, which is no address of this machine`
  }
  const { localPort } = socket
  if (localPort === undefined || (host.port ?? 80) === localPort) return undefined
  return `names the port ${host.port ?? 80} where it came in by ${localPort}`
}
