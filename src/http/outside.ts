/** Where a request comes from and what address its sender knows us by, with proxies in between. */
import { networkInterfaces } from 'node:os'
import type { FastifyRequest } from 'fastify'

/**
 * The address the client knows the server by, without final slash: the header `X-Outside-Url`, else the configured
 * outside URL, else the Host header (devpi's order).
 */
export function outsideBase(request: FastifyRequest, configured: URL | undefined): string {
  const header = request.headers['x-outside-url']
  const said = typeof header === 'string' && URL.canParse(header) ? header : configured?.href
  if (said !== undefined && /^https?:/i.test(said)) return said.replace(/[?#].*$/s, '').replace(/\/+$/, '')
  const host = request.headers.host ?? 'localhost'
  return `http://${/^[A-Za-z0-9._:[\]-]+$/.test(host) ? host : 'localhost'}`
}

/**
 * The request's path as the routes know it: `%2B` as `+` where a part begins (pip quotes every path anew), and without
 * the outside URL's path prefix, for proxies that pass it on.
 */
export function routedPath(
  url: string,
  outsideHeader: string | string[] | undefined,
  configured: URL | undefined,
): string {
  const said = typeof outsideHeader === 'string' && URL.canParse(outsideHeader) ? new URL(outsideHeader) : configured
  const prefix = said?.pathname.replace(/\/+$/, '') ?? ''
  const isPrefixed = prefix !== '' && (url === prefix || url.startsWith(`${prefix}/`))
  const [path, ...query] = (isPrefixed ? url.slice(prefix.length) || '/' : url).split('?')
  return [path!.replace(/\/%2b/gi, '/+'), ...query].join('?')
}

/** What a proxy adds, or passes on from a sender who would like to seem near. */
const SIGNS_OF_A_PROXY = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-outside-url',
  'x-real-ip',
]

/**
 * Whether the sender is on this very machine: any of its own addresses counts. What came through a proxy, even one on
 * this machine, is taken for a stranger's: the headers that say otherwise could be the stranger's own.
 */
export function isLocal(request: FastifyRequest): boolean {
  const isProxied = SIGNS_OF_A_PROXY.some((header) => header in request.headers)
  return !isProxied && isOwnAddress(request.ip)
}

function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '').replace(/%.*$/, '')
  if (plain === '::1' || /^127\./.test(plain)) return true
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => each.address === plain))
}
