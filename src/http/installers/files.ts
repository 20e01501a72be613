/** Sends files to clients: whole or a range, from disk or while they arrive from upstream. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { BlobMissing } from '../../blob/blob-store.ts'
import type { AskedAddress } from '../../indexes/asked-address.ts'
import type { FileSource } from '../../indexes/package-index.ts'
import { attestedFilename } from '../../model/provenance-address.ts'
import { type IndexRecord, isMirror } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { sendHead, sendResult } from '../answers.ts'
import { askedRecord } from '../asked.ts'
import { mayStandReady } from '../cache-note.ts'
import type { Basis } from '../door/ready-answer.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { type AskedIndexes, fileAt } from './asked-file.ts'
import { askedRange, isRangeWanted } from './byte-range.ts'
import { fileMeta } from './file-meta.ts'
import { handOver, mayHandOver } from './hand-over.ts'
import { sendFileProvenance } from './provenance.ts'
import { isUnchangedSince, matches } from './representation.ts'

type Hashed = { Params: { user: string; index: string; first: string; second: string; filename: string } }
type Unhashed = { Params: { user: string; index: string; folder: string; filename: string } }

/** Addresses carry a digest and never name other content: devpi's own header. */
const IMMUTABLE = 'max-age=365000000, immutable, public'

export function fileAnswers(services: Services) {
  const config = { speaks: 'text', prefers: 'json' } as const
  return {
    hashed: answer<Hashed>(
      {
        about: 'The file, whole or a range; with `.metadata` or `.provenance` behind it, its metadata or provenance',
        config,
      },
      async (request, reply) => {
        const { first, second } = request.params
        const record = await askedRecord(services, request)
        return await sendFile(services, request, reply, await onIndex(services, record), {
          kind: '+f',
          hashStart: first + second,
        })
      },
    ),
    unhashed: answer<Unhashed>(
      { about: 'The same, where upstream announces no hash', config },
      async (request, reply) => {
        const record = await askedRecord(services, request)
        return await sendFile(services, request, reply, await onIndex(services, record), {
          kind: '+e',
          folder: request.params.folder,
        })
      },
    ),
  }
}

/** An index without its bases: devpi's addresses name the very index that a file lies on. */
async function onIndex({ indexes }: Services, record: IndexRecord): Promise<AskedIndexes> {
  return { record, chain: [record], index: await indexes.layer(record) }
}

/** The file at an address of an index that the requester may read. Throws `no-such-file`, `file-deleted`, and what the index throws. */
export async function sendFile(
  services: Services,
  request: FastifyRequest<{ Params: { filename: string } }>,
  reply: FastifyReply,
  asked: AskedIndexes,
  address: AskedAddress,
): Promise<FastifyReply> {
  const { filename } = request.params
  const attested = attestedFilename(filename)
  if (attested !== undefined) return await sendFileProvenance(services, request, reply, asked, address, attested)
  const { located, record } = await fileAt(asked, address, filename)
  const isMeta = request.headers.accept?.includes('application/json') === true && !filename.endsWith('.metadata')
  if (isMeta) return sendResult(reply, 200, 'releasefilemeta', fileMeta(located))
  const { source } = located
  const { options } = record
  const isElsewhere = options.type === 'mirror' && options.mirror_use_external_urls === true
  if (source.from === 'upstream' && isElsewhere) {
    return reply.header('cache-control', 'no-cache').redirect(located.origin!, 302)
  }
  if (source.from === 'blob') mayStandReady(request, basisOf(services, record, located.project))
  reply.header('cache-control', source.from === 'memory' && source.mayChange === true ? 'max-age=600' : IMMUTABLE)
  try {
    return await sendSource(services, request, reply, filename, source)
  } catch (error) {
    if (!(error instanceof BlobMissing) || !isMirror(record)) throw error
    // Let go to make room since the row was read: upstream has it still.
    await (await services.mirrors.get(record)).forgetLost(filename)
    const again = await fileAt(asked, address, filename)
    reply.code(200).removeHeader('content-range').removeHeader('content-length').removeHeader('x-accel-redirect')
    return await send(services, request, reply, again.located.source)
  }
}

/** The bytes under that name, whole or the range that is asked for. How long they may be kept, the caller has said. */
export async function sendSource(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  filename: string,
  source: FileSource,
): Promise<FastifyReply> {
  reply.header('content-type', mediaType(filename)).header('x-content-type-options', 'nosniff')
  if (source.modified !== undefined) reply.header('last-modified', new Date(source.modified).toUTCString())
  return await send(services, request, reply, source)
}

/** Uses of a mirror's files are noted by the mirror, so that room is made where nobody looks: it must be asked now and then. */
function basisOf({ clock, limits }: Services, record: IndexRecord, project: ProjectName): Basis {
  const untilMs = clock.now().getTime() + limits.shelfMirroredMs
  return { project, group: 'files', ...(isMirror(record) && { untilMs }) }
}

async function send(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  source: FileSource,
): Promise<FastifyReply> {
  // RFC 9211: whether the bytes were here before anybody asked.
  reply.header('cache-status', source.from === 'blob' ? 'airlock; hit' : 'airlock; fwd=miss')
  if (source.digest !== undefined) {
    const etag = `"${source.digest}"`
    reply.header('etag', etag)
    if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  }
  if (isUnchangedSince(request, source.modified)) return reply.code(304).send()
  switch (source.from) {
    case 'memory': {
      const { bytes } = source
      return await sendBytes(request, reply, source, bytes.length, async (start, end) => [bytes.subarray(start, end)])
    }
    case 'blob': {
      const { digest } = source
      if (mayHandOver(request, services.server)) return await handOver(services, request, reply, source)
      return await sendBytes(request, reply, source, source.sizeBytes, (start, end) =>
        services.fileBodies.open(digest, { start, end }),
      )
    }
    case 'upstream': {
      // A question about the size alone is answered from the page, else by upstream; the file is not fetched for it.
      if (request.method === 'HEAD') {
        const sizeBytes = source.sizeBytes ?? (await source.askSize())
        return sizeBytes === undefined
          ? sendHead(reply)
          : await sendBytes(request, reply, source, sizeBytes, async () => [])
      }
      // Not checked yet: a tag would let a client join what it got of a wrong file to the rest of the right one.
      reply.removeHeader('etag')
      const download = source.fetch()
      const { sizeBytes } = await download.head
      reply.header('x-accel-buffering', 'no')
      if (sizeBytes !== undefined) {
        return await sendBytes(request, reply, source, sizeBytes, async (start, end) => download.read(start, end))
      }
      return reply.send(stream(download.read()))
    }
  }
}

async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  source: FileSource,
  sizeBytes: number,
  open: (start: number, end: number) => Promise<Buffer | AsyncIterable<Uint8Array> | Iterable<Uint8Array>>,
): Promise<FastifyReply> {
  reply.header('accept-ranges', 'bytes')
  const range = isRangeWanted(request, reply) ? askedRange(request.headers.range, sizeBytes) : undefined
  if (range === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${sizeBytes}`).header('cache-control', 'no-store').send()
  }
  const { start, end } = range ?? { start: 0, end: sizeBytes }
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`)
  reply.header('content-length', String(end - start))
  if (request.method === 'HEAD') return sendHead(reply)
  if (source.from === 'blob' && start === end) return reply.send(Buffer.alloc(0))
  const body = await open(start, end)
  return reply.send(Buffer.isBuffer(body) ? body : stream(body))
}

function stream(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Readable {
  return source instanceof Readable ? source : Readable.from(source, { objectMode: false })
}

function mediaType(filename: string): string {
  if (filename.endsWith('.metadata')) return 'text/plain; charset=utf-8'
  if (/\.(whl|zip|egg)$/.test(filename)) return 'application/zip'
  if (/\.(tar\.gz|tgz)$/.test(filename)) return 'application/gzip'
  return 'application/octet-stream'
}
