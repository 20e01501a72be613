/** Answers that depend on who asks: no cache may give one reader's to another. */
import type { FastifyReply, FastifyRequest } from 'fastify'

const requests = new WeakSet<FastifyRequest>()

/** An access list was asked for this answer, whatever it said. */
export function markForSome(request: FastifyRequest): void {
  requests.add(request)
}

export function isForSomeOnly(request: FastifyRequest): boolean {
  return requests.has(request)
}

/** `private` in place of `public`. The sender's own cache keeps what it may, for as long as it may. */
export function keepFromShared(reply: FastifyReply): void {
  const said = String(reply.getHeader('cache-control') ?? '')
  if (/\b(private|no-store)\b/.test(said)) return
  const rest = said.split(/,\s*/).filter((directive) => directive !== '' && directive !== 'public')
  reply.header('cache-control', [...rest, 'private'].join(', '))
}
