/**
 * A request's cache note: what is known of its answer while it is made, for the response cache and for the caches of others.
 * It is one object on the request.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Basis } from './door/ready-answer.ts'
import type { Beginning } from './door/shelf.ts'

export interface CacheNote {
  /** Where things stood when the request began; absent for methods whose answers are not kept. */
  readonly begun: Beginning | undefined
  /** What the answer depends on, where it may be kept. */
  basis: Basis | undefined
  /** Others wait for this answer until it is disposed of. */
  flight: Disposable | undefined
  /** It depends on who asks: no cache may give one reader's answer to another. */
  isForSome: boolean
}

export function cacheNote(begun: Beginning | undefined): CacheNote {
  return { begun, basis: undefined, flight: undefined, isForSome: false }
}

/** The answer depends on nothing but its basis, the accounts and indexes, and what `keyOf` knows of the request. */
export function mayStandReady(request: FastifyRequest, basis: Basis): void {
  request.cacheNote.basis = basis
}

/** An access list was asked for this answer, whatever it said. */
export function markForSome(request: FastifyRequest): void {
  request.cacheNote.isForSome = true
}

/** `private` in place of `public`. The sender's own cache keeps what it may, for as long as it may. */
export function keepFromShared(reply: FastifyReply): void {
  const said = String(reply.getHeader('cache-control') ?? '')
  if (/\b(private|no-store)\b/.test(said)) return
  const rest = said.split(/,\s*/).filter((directive) => directive !== '' && directive !== 'public')
  reply.header('cache-control', [...rest, 'private'].join(', '))
}

/** The answer is in the response cache, or will not be: nobody has to wait for it. */
export function land(request: FastifyRequest): void {
  request.cacheNote.flight?.[Symbol.dispose]()
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the first hook of a request. (Where Fastify refuses an address before it, no hook reads it either.) */
    cacheNote: CacheNote
  }
}
