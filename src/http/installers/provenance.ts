/** Provenance objects on the wire (PEP 740): beside their files, and by the Integrity API. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { StoredProvenance } from '../../catalog/provenance.ts'
import type { AskedAddress } from '../../indexes/asked-address.ts'
import { digestOf } from '../../lib/digest.ts'
import { Problem } from '../../model/errors.ts'
import { PROVENANCE_TYPE } from '../../pep/provenance.ts'
import type { Services } from '../services.ts'
import type { AskedIndexes } from './asked-file.ts'
import { matches } from './representation.ts'

const PLAIN_TYPE = 'application/json'

/** That of the file at the address. Throws `no-such-file`, and what the index throws. */
export async function sendFileProvenance(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  { record: asked, chain, index }: AskedIndexes,
  address: AskedAddress,
  filename: string,
): Promise<FastifyReply> {
  const located = await index.at(address, filename)
  const isThere = located !== undefined && located !== 'deleted'
  const record = isThere ? chain.find((each) => each.name === located.file.index) : undefined
  const stored = isThere && record && (await services.provenances.read(record, located.project, filename))
  if (!stored) throw noProvenance(filename, asked.name)
  return sendProvenance(request, reply, stored, acceptedType(request) ?? PLAIN_TYPE)
}

/** Which of its types an answer gets; `undefined` where the client takes none. Without preference it is the Integrity API's own. */
export function acceptedType(request: FastifyRequest): string | undefined {
  return new Negotiator(request.raw).mediaType([PROVENANCE_TYPE, PLAIN_TYPE])
}

/** To be asked for again each time, cheaply: it may gain bundles. */
export function sendProvenance(
  request: FastifyRequest,
  reply: FastifyReply,
  { text }: StoredProvenance,
  type: string,
): FastifyReply {
  const etag = `"${digestOf(`${type} ${text}`).slice(0, 32)}"`
  reply.header('etag', etag).header('cache-control', 'no-cache').header('vary', 'Accept')
  reply.header('x-content-type-options', 'nosniff')
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  // As a buffer: Fastify would add a charset to anything else.
  return reply.header('content-type', type).send(Buffer.from(text))
}

export function noProvenance(filename: string, index: string): Problem {
  return new Problem('no-such-file', `no provenance of ${filename} on ${index}`)
}
