/** The list of all projects: from what lies ready where a mirror has it, else written name by name. */
import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { LayeredList } from '../indexes/layered.ts'
import type { OpenIndex } from '../indexes/open-index.ts'
import { Problem } from '../model/errors.ts'
import type { NameBatches } from '../names/name-batches.ts'
import { type FormName, LIST_FORMS, type NameList } from '../names/name-list.ts'
import { type ListFrame, mergedList, wholeList } from '../names/ready-list.ts'
import { JSON_TYPE } from '../pep/simple.ts'
import { listToHtml } from '../pep/simple-html.ts'
import { listToJson } from '../pep/simple-json.ts'
import { sendHead } from './answers.ts'
import { contentType, matches, representation } from './representation.ts'
import type { Services } from './services.ts'

/** What is sent of a list that lies ready. */
export interface ReadyAnswer extends ListFrame {
  readonly form: FormName
  /** The value of `Content-Type`. */
  readonly type: string
}

/** Every name of the index and its bases, as a simple page. */
export async function sendList(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
): Promise<FastifyReply> {
  // Before the names are read: what changes meanwhile must not stand under the later serial for good.
  const { serial } = services.catalog
  const type = representation(request)
  const form = type === JSON_TYPE ? 'json' : 'html'
  const { ready, others, othersAreJournalled } = await listOf(opened, reply)
  if (ready === undefined) return await sendNames(request, reply, type, others ?? nothing())
  const answer = { ...LIST_FORMS[form], form, type: contentType(type) } as const
  if (others === undefined) return await sendReady(request, reply, ready, answer)
  const chain = opened.chain.map((record) => record.id)
  const state = othersAreJournalled ? [services.server.uuid, serial, ...chain].join(' ') : undefined
  return await sendMerged(request, reply, ready, answer, others, state)
}

/** A list that lies ready, with `answer`'s own text around it. Closes the list. */
export async function sendReady(
  request: FastifyRequest,
  reply: FastifyReply,
  list: NameList,
  answer: ReadyAnswer,
): Promise<FastifyReply> {
  await using open = new AsyncDisposableStack()
  open.use(list)
  const index = await list.index()
  const modifiedMs = Math.floor(index.changedMs / 1000) * 1000
  const encoding = encodingOf(request)
  const tag = tagOf(index.id, answer, encoding)
  cached(reply)
  reply.header('etag', `"${tag}"`).header('last-modified', new Date(modifiedMs).toUTCString())
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers
  const isKnown = tags === undefined ? Date.parse(since ?? '') >= modifiedMs : matches(tags, `"${tag}"`)
  if (isKnown) return reply.code(304).send()
  const { sizeBytes, plainBytes, read } = wholeList(list, index, answer.form, answer)
  const isPlain = encoding === 'identity'
  if (!isPlain) reply.header('content-encoding', encoding)
  reply.header('content-type', answer.type).header('content-length', isPlain ? plainBytes : sizeBytes)
  if (request.method === 'HEAD') return sendHead(reply)
  open.move()
  return reply.send(sent(read(), list, isPlain))
}

/** Says when to ask again where the list cannot be had, whatever the status: pip, which would sleep so long, asks for no list. */
async function listOf(opened: OpenIndex, reply: FastifyReply): Promise<LayeredList> {
  try {
    return await opened.index.list()
  } catch (error) {
    const seconds = error instanceof Problem ? error.retrySeconds : undefined
    if (seconds !== undefined) reply.header('retry-after', String(seconds))
    throw error
  }
}

async function sendMerged(
  request: FastifyRequest,
  reply: FastifyReply,
  list: NameList,
  answer: ReadyAnswer,
  others: NameBatches,
  state: string | undefined,
): Promise<FastifyReply> {
  await using open = new AsyncDisposableStack()
  open.use(list)
  const index = await list.index()
  const encoding = encodingOf(request)
  cached(reply)
  if (state !== undefined) {
    const tag = tagOf(`${index.id} ${state}`, answer, encoding)
    // Weak: a name that comes while the list is sent may be in it already.
    reply.header('etag', `W/"${tag}"`)
    if (matches(request.headers['if-none-match'], `"${tag}"`)) return reply.code(304).send()
  }
  const chunks = await begun(mergedList(list, index, answer.form, others))
  reply.header('content-type', answer.type)
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  if (request.method === 'HEAD') {
    await chunks.return(undefined)
    return sendHead(reply)
  }
  open.move()
  return reply.send(sent(chunks, list, encoding === 'identity'))
}

/** Names that lie nowhere ready: those of stages, and what is held of mirrors. */
async function sendNames(
  request: FastifyRequest,
  reply: FastifyReply,
  type: ReturnType<typeof representation>,
  names: NameBatches,
): Promise<FastifyReply> {
  const chunks = await begun(type === JSON_TYPE ? listToJson(names) : listToHtml(names))
  cached(reply)
  reply.header('content-type', contentType(type))
  if (request.method === 'HEAD') {
    await chunks.return(undefined)
    return sendHead(reply)
  }
  return reply.send(Readable.from(chunks, { objectMode: false }))
}

/** With its first chunk read, so that a list that cannot be had is answered with an error and not cut short. */
async function begun(chunks: AsyncGenerator<Buffer>): Promise<AsyncGenerator<Buffer>> {
  const first = await chunks.next()
  async function* all() {
    try {
      if (first.done) return
      yield first.value
      yield* chunks
    } finally {
      await chunks.return(undefined)
    }
  }
  return all()
}

/** The gzip stream, or what is in it for who cannot read it. The list is closed behind it. */
function sent(chunks: AsyncGenerator<Buffer>, list: NameList, isPlain: boolean): Readable {
  const source = Readable.from(chunks, { objectMode: false })
  // Not in a generator's `finally`: a stream that nobody began to read never comes there.
  source.once('close', () => void list[Symbol.asyncDispose]())
  if (!isPlain) return source
  // The stream that is sent carries the error, if there is one.
  return pipeline(source, createGunzip(), () => {})
}

/** What the client can read. */
function encodingOf(request: FastifyRequest): 'gzip' | 'identity' {
  return new Negotiator(request.raw).encoding(['gzip', 'identity']) === 'gzip' ? 'gzip' : 'identity'
}

/** Tells caches what the choice of an answer depends on, and that they must ask again. */
function cached(reply: FastifyReply): void {
  reply.header('vary', `${reply.getHeader('vary') ?? 'Accept'}, Accept-Encoding`).header('cache-control', 'no-cache')
}

function tagOf(state: string, { head, tail, type }: ReadyAnswer, encoding: string): string {
  return createHash('sha256').update([state, type, encoding, head, tail].join('\0')).digest('hex').slice(0, 32)
}

async function* nothing(): AsyncGenerator<never> {}
