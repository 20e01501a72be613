/** The one range a client asks for (RFC 9110 §14). Several ranges, other units and nonsense are answered with the whole. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ByteRange } from '../../blob/blob-store.ts'

/** `undefined`: the whole. `unsatisfiable`: begins past the end. */
export function askedRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (found === null || (found[1] === '' && found[2] === '')) return undefined
  if (found[1] === '') {
    const last = Number(found[2])
    return last === 0 ? 'unsatisfiable' : { start: Math.max(0, sizeBytes - last), end: sizeBytes }
  }
  const start = Number(found[1])
  const end = found[2] === '' ? sizeBytes : Math.min(sizeBytes, Number(found[2]) + 1)
  if (start >= sizeBytes) return 'unsatisfiable'
  return end <= start ? undefined : { start, end }
}

/**
 * Whether ranges mean anything here: for GET alone (RFC 9110 §14.2), and with the version that the client has part of. With
 * another tag or date it gets the whole (§13.1.5).
 */
export function isRangeWanted(request: FastifyRequest, reply: FastifyReply): boolean {
  const condition = request.headers['if-range']
  if (request.method !== 'GET') return false
  return (
    condition === undefined || condition === reply.getHeader('etag') || condition === reply.getHeader('last-modified')
  )
}
