/** A cache of compressed pages: plain, gzip or zstd, each made once while the page is unchanged. */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gzip, zstdCompress } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { Recent } from '../../lib/recent.ts'
import { matches } from './representation.ts'

export type Encoding = 'zstd' | 'gzip' | 'identity'

/** Below this a compressed page is no smaller on the wire: headers and page fit one packet. */
const WORTH_BYTES = 1024
const compress = {
  gzip: promisify(gzip),
  zstd: async (bytes: Uint8Array) =>
    await promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 6 } }),
}

/** The compressed bytes of pages that were sent lately, by their tag; several who ask at once wait for the same work. */
export class EncodedPages {
  readonly #kept: Recent<string, Buffer>
  readonly #underWay = new Map<string, Promise<Buffer>>()

  /** `mostBytes`: of compressed pages kept in memory. */
  constructor(mostBytes: number) {
    this.#kept = new Recent(mostBytes)
  }

  async encode(tag: string, encoding: 'zstd' | 'gzip', body: Uint8Array): Promise<Buffer> {
    const known = this.#kept.get(tag) ?? this.#underWay.get(tag)
    if (known !== undefined) return await known
    const work = compress[encoding](body).finally(() => this.#underWay.delete(tag))
    this.#underWay.set(tag, work)
    const bytes = await work
    this.#kept.set(tag, bytes, bytes.length)
    return bytes
  }
}

/**
 * Sends a page whose other headers are set: its strong tag (every encoding is other bytes and has its own, RFC 9110
 * §8.8.3.3), 304 where the client has it, `Vary`, and the encoding that the client likes best.
 */
export async function sendEncoded(
  pages: EncodedPages,
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  body: Buffer,
): Promise<FastifyReply> {
  const encoding = body.length < WORTH_BYTES ? 'identity' : encodingOf(request)
  const hash = createHash('sha256').update(type).update(body).digest('hex').slice(0, 32)
  const tag = encoding === 'identity' ? hash : `${hash}-${encoding}`
  const varies = String(reply.getHeader('vary') ?? 'Accept')
  reply.header('etag', `"${tag}"`).header('vary', `${varies}, Accept-Encoding`)
  if (matches(request.headers['if-none-match'], `"${tag}"`)) return reply.code(304).send()
  reply.header('content-type', type)
  if (encoding === 'identity') return reply.send(body)
  reply.header('content-encoding', encoding)
  return reply.send(await pages.encode(tag, encoding, body))
}

/** Of those the client names; zstd first where it likes them the same, which is half the work to read. A mere `*` names none. */
export function encodingOf(request: FastifyRequest): Encoding {
  const named = (request.headers['accept-encoding'] ?? '').toString().toLowerCase()
  const offers = (['zstd', 'gzip', 'identity'] as const).filter((each) => each === 'identity' || named.includes(each))
  const negotiator = new Negotiator(request.raw) as unknown as Preferring
  return negotiator.encoding(offers, { preferred: ['zstd', 'gzip'] }) ?? 'identity'
}

/** Its type declarations do not know this parameter yet. */
interface Preferring {
  encoding(offers: readonly Encoding[], options: { preferred: readonly Encoding[] }): Encoding | undefined
}
