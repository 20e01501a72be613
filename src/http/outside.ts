/** The client's address, and the server's address as the client knows it, with proxies in between. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { withoutTrailing } from '../lib/trailing.ts'
import { isHost, type TrustedProxy } from './trusted-proxy.ts'

/** What the server was told of the way to it. */
export interface Outside {
  readonly outsideUrl?: URL
  readonly trustedProxy?: TrustedProxy
}

/**
 * The address the client knows the server by, without final slash: the header `X-Outside-Url`, else the configured
 * outside URL (devpi's order), else what a trusted proxy forwards, else the Host header.
 */
export function outsideBase(request: FastifyRequest, server: Outside): string {
  const said = outsideUrl(request.raw, server)
  if (said !== undefined) return withoutTrailing(said.href.replace(/[?#].*$/s, ''), '/')
  const forwarded = server.trustedProxy?.read(request.raw) ?? {}
  const header = forwarded.host ?? request.headers.host ?? 'localhost'
  const host = isHost(header) ? header : 'localhost'
  const scheme = forwarded.scheme ?? 'http'
  const hasPort = /:\d*$/.test(host)
  const isUsual = forwarded.port === (scheme === 'https' ? '443' : '80')
  const port = forwarded.port === undefined || hasPort || isUsual ? '' : `:${forwarded.port}`
  return `${scheme}://${host}${port}${forwarded.prefix ?? ''}`
}

/**
 * The request's path as the routes know it: `%2B` as `+` where a part begins (pip quotes every path anew), and without
 * the outside URL's path prefix, for proxies that pass it on.
 */
export function routedPath(url: string, request: IncomingMessage, server: Outside): string {
  const said = outsideUrl(request, server)
  const own = said && withoutTrailing(said.pathname, '/')
  const prefix = own ?? server.trustedProxy?.read(request).prefix ?? ''
  const isPrefixed = prefix !== '' && (url === prefix || url.startsWith(`${prefix}/`))
  const [path, ...query] = (isPrefixed ? url.slice(prefix.length) || '/' : url).split('?')
  return [path!.replace(/\/%2b/gi, '/+'), ...query].join('?')
}

/** Who sent the request, as far as proxies that are trusted tell; `undefined` on a Unix socket. */
export function addressOfClient(
  message: Pick<IncomingMessage, 'headers' | 'socket'>,
  { trustedProxy }: Outside,
): string | undefined {
  return trustedProxy?.read(message).client ?? message.socket.remoteAddress
}

/** What answers depend on of who connects: whether its headers are believed. Nothing where none is believed. */
export function peerOf(socket: Pick<Socket, 'remoteAddress'>, { trustedProxy }: Outside): string {
  if (trustedProxy === undefined) return ''
  return trustedProxy.isFrom(socket.remoteAddress) ? 'proxied ' : 'direct '
}

/** What the header says, else the setting. What is no web address is nothing. */
function outsideUrl(request: IncomingMessage, { outsideUrl: configured }: Outside): URL | undefined {
  const header = request.headers['x-outside-url']
  const said = typeof header === 'string' && URL.canParse(header) ? new URL(header) : undefined
  return said !== undefined && /^https?:$/.test(said.protocol) ? said : configured
}
