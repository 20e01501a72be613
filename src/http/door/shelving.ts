/** Puts the app's answers into the response cache (the shelf): decides which may be cached, and captures their bytes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cacheNote } from '../cache-note.ts'
import { KEEP_ALIVE_SECONDS } from './front-door.ts'
import { keyOf } from './plain-request.ts'
import type { Shelf } from './shelf.ts'

/** To be called before anything is read for the answer. */
export function beginAnswer(shelf: Shelf, request: FastifyRequest): void {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  request.cacheNote = cacheNote(isReading ? shelf.begin() : undefined)
}

/** Puts the answer on the shelf, if it may stand there; its headers are all set. `peer`: see `Shelf.find`. */
export function shelve(
  shelf: Shelf,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  peer: string,
): void {
  const { basis, begun, isForSome } = request.cacheNote
  if (basis === undefined || begun === undefined || isForSome) return
  const status = reply.statusCode
  if (status === 200 ? !Buffer.isBuffer(payload) : status !== 304) return
  // Fastify adds the length of nothing to a 304 for HEAD, after this.
  if (status === 304 && request.method === 'HEAD') return
  const key = keyOf(request.method, request.originalUrl, request.raw.rawHeaders)
  if (key === undefined) return
  const body = status === 200 ? (payload as Buffer) : undefined
  const headers = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)] as const)
  // Fastify adds it last, where it is not there.
  if (body !== undefined && !reply.hasHeader('content-length')) headers.push(['content-length', String(body.length)])
  const isBodySent = body !== undefined && request.method === 'GET'
  const parts = { status: status as 200 | 304, headers, body: isBodySent ? body : NOTHING }
  shelf.put(peer + key, { ...parts, keepAliveSeconds: KEEP_ALIVE_SECONDS }, basis, begun)
}

const NOTHING = new Uint8Array(0)
