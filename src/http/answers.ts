/** Writes answers on the wire: devpi's JSON envelope, reason phrases, relative links. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readableJson } from '../lib/readable-json.ts'

/**
 * devpi's JSON: two spaces, a final newline, and a Content-Type of exactly `application/json`, because its client
 * compares it by equality. (Sent as a buffer: Fastify would add a charset to anything else.)
 */
export function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(`${readableJson(body)}\n`))
}

/** `{result, type}` with a message where there is one. */
export function sendResult(
  reply: FastifyReply,
  status: number,
  type: string,
  result: unknown,
  message?: string,
): FastifyReply {
  return sendJson(reply, status, { result, type, ...(message !== undefined && { message }) })
}

/** Nothing may be loaded from elsewhere, and no script at all: what a README smuggles in stays text. */
export const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** A page for people. Asked for again each time, and under the policy of all pages, unless the reply says otherwise already. */
export function sendPage(reply: FastifyReply, html: string): FastifyReply {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache')
  if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', POLICY)
  return (
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('x-content-type-options', 'nosniff')
      // Nobody else is told; without a referrer at all, browsers say of a page's own forms that they come from nowhere (`Origin: null`).
      .header('referrer-policy', 'same-origin')
      .header('vary', 'Accept, User-Agent')
      .send(html)
  )
}

/** The answer to HEAD: the headers that were set, and no body. (Fastify says `content-length: 0` for anything but a stream.) */
export function sendHead(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]))
}

/** Puts a sentence into the status line, where devpi-client and twine look for it; what a status line cannot carry is replaced. */
export function setReason(reply: FastifyReply, sentence: string): void {
  // A control character would end the status line.
  const reason = sentence
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 500)
  if (reason !== '') reply.raw.statusMessage = reason
}

/** The server's root as seen from the page that was asked for: `../../` and so on, so that links survive any proxy. */
export function rootFrom(request: FastifyRequest): string {
  const path = request.url.split('?')[0]!
  return '../'.repeat(path.split('/').length - 2) || './'
}

/** A path below the root with every part percent-encoded, except `+`, which devpi has in its addresses as it is. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%2B', '+'))
    .join('/')
}
