/**
 * Lets nginx send a file: the answer names the file on nginx's disk (`X-Accel-Redirect`). nginx handles ranges itself;
 * the configuration that `airlock gen-config` writes passes this server's other headers on.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { BlobMissing, type BlobStore } from '../../blob/blob-store.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Outside } from '../outside.ts'
import { askedRange, isRangeWanted } from './byte-range.ts'

export interface HandOver {
  /** A location of nginx that only it can ask for; begins and ends with a slash. */
  readonly prefix: string
  /** Where in that location a blob is. */
  placeOf(digest: Digest): string
}

/** What a server says of itself that sends files by this header; the name and value are Rack's. */
const SAID_BY = 'x-sendfile-type'
const SAID = 'x-accel-redirect'
/** Conditions that nginx would weigh by a tag that it does not have yet. */
const FOR_US = ['if-match', 'if-unmodified-since']

/**
 * Whether who sent the request will send the file. It has to say so, since not all that comes from a proxy's address comes
 * through it (pip on the same machine), and who does not know of it gets an empty file. And it has to be the proxy, or come by a
 * Unix socket: nobody else has the location.
 */
export function mayHandOver(request: FastifyRequest, server: Outside & { readonly handOver?: HandOver }): boolean {
  if (server.handOver === undefined || request.method !== 'GET') return false
  if (String(request.headers[SAID_BY]).toLowerCase() !== SAID || FOR_US.some((name) => name in request.headers))
    return false
  const peer = request.socket.remoteAddress
  return peer === undefined || server.trustedProxy?.isFrom(peer) === true
}

/** Answers with the place of a blob. A range that lies outside of it is refused here. Throws `BlobMissing`: nginx would call that an absence. */
export async function handOver(
  { blobs, server }: { readonly blobs: BlobStore; readonly server: { readonly handOver?: HandOver } },
  request: FastifyRequest,
  reply: FastifyReply,
  { digest, sizeBytes }: { readonly digest: Digest; readonly sizeBytes: number },
): Promise<FastifyReply> {
  if (isRangeWanted(request, reply) && askedRange(request.headers.range, sizeBytes) === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${sizeBytes}`).header('cache-control', 'no-store').send()
  }
  if ((await blobs.stat(digest)) === undefined) throw new BlobMissing(digest)
  const { prefix, placeOf } = server.handOver!
  return reply.header(SAID, `${prefix}${placeOf(digest)}`).send(Buffer.alloc(0))
}
