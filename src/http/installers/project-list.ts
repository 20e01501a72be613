/** The list of all projects: from a mirror's compressed list if there is one, otherwise written name by name. */
import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { LayeredList } from '../../indexes/layered.ts'
import type { OpenIndex } from '../../indexes/open-index.ts'
import { Problem } from '../../model/errors.ts'
import type { ListedBatches } from '../../names/name-batches.ts'
import { type FormName, idOf, LIST_FORMS, type ListIndex, type NameList } from '../../names/name-list.ts'
import { type ListFrame, mergedList, wholeList } from '../../names/ready-list.ts'
import { JSON_TYPE, type ListedProject } from '../../pep/simple.ts'
import { listToHtml } from '../../pep/simple-html.ts'
import { jsonListHead, listToJson } from '../../pep/simple-json.ts'
import { sendHead } from '../answers.ts'
import { mayStandReady } from '../cache-note.ts'
import type { Services } from '../services.ts'
import { sendEncoded } from './encoded.ts'
import { contentType, matches, representation } from './representation.ts'

/** What is sent of a list that lies ready. */
export interface ReadyList extends ListFrame {
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
  const serial = await services.catalog.latestSerial()
  const type = representation(request)
  const isJson = type === JSON_TYPE
  const { ready, others, othersAreJournalled, isMirror } = await listOf(opened, reply, isJson)
  if (ready === undefined) {
    const isOfStages = opened.chain.every(({ options }) => options.type === 'stage')
    return await sendNames(services, request, reply, type, others ?? nothing(), isOfStages)
  }
  await using open = new AsyncDisposableStack()
  open.use(ready)
  const index = await ready.index()
  const form = isJson ? (isMirror ? 'json' : 'own') : 'html'
  const own = isMirror ? index.lastOwn : Math.max(index.lastOwn, services.catalog.lastStamp)
  const last = isMirror ? (index.lastUpstream ?? own) : own
  reply.header('x-pypi-last-serial', String(last))
  const head = isJson ? jsonListHead(last) : LIST_FORMS[form].head
  const answer = { ...LIST_FORMS[form], head, form, type: contentType(type) } as const
  open.move()
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
  answer: ReadyList,
): Promise<FastifyReply> {
  await using open = new AsyncDisposableStack()
  open.use(list)
  const index = await list.index()
  const modifiedMs = Math.floor(changedMs(index, answer.form) / 1000) * 1000
  const encoding = encodingOf(request)
  const tag = tagOf(idOf(index, answer.form), answer, encoding)
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
async function listOf(opened: OpenIndex, reply: FastifyReply, isNumbered: boolean): Promise<LayeredList> {
  try {
    return await opened.index.list(isNumbered)
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
  answer: ReadyList,
  others: ListedBatches,
  state: string | undefined,
): Promise<FastifyReply> {
  await using open = new AsyncDisposableStack()
  open.use(list)
  const index = await list.index()
  const encoding = encodingOf(request)
  cached(reply)
  if (state !== undefined) {
    const tag = tagOf(`${idOf(index, answer.form)} ${state}`, answer, encoding)
    // Weak: a name that comes while the list is sent may be in it already.
    reply.header('etag', `W/"${tag}"`)
    if (matches(request.headers['if-none-match'], `"${tag}"`)) return reply.code(304).send()
  }
  const chunks = await begun(mergedList(list, index, answer.form, answer, others))
  reply.header('content-type', answer.type)
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  if (request.method === 'HEAD') {
    await chunks.return(undefined)
    return sendHead(reply)
  }
  open.move()
  return reply.send(sent(chunks, list, encoding === 'identity'))
}

/** Names that lie nowhere ready: those of stages, and what is held of mirrors. A short list is sent, and kept, as a page is. */
async function sendNames(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  type: ReturnType<typeof representation>,
  listed: ListedBatches,
  isOfStages: boolean,
): Promise<FastifyReply> {
  const last = services.catalog.lastStamp
  reply.header('x-pypi-last-serial', String(last))
  const { first, chunks } = await shortened(
    type === JSON_TYPE ? listToJson(withStamps(listed), last) : listToHtml(namesOf(listed)),
    services.limits.shelfListBytes,
  )
  if (chunks === undefined) {
    reply.header('cache-control', 'no-cache')
    if (isOfStages) mayStandReady(request, { group: 'simple' })
    return await sendEncoded(services.encoded, request, reply, contentType(type), first)
  }
  cached(reply)
  reply.header('content-type', contentType(type))
  if (request.method === 'HEAD') {
    await chunks.return(undefined)
    return sendHead(reply)
  }
  return reply.send(Readable.from(chunks, { objectMode: false }))
}

async function* namesOf(listed: ListedBatches): AsyncGenerator<readonly string[]> {
  for await (const batch of listed) yield batch.map((each) => each.name)
}

async function* withStamps(listed: ListedBatches): AsyncGenerator<readonly ListedProject[]> {
  for await (const batch of listed) yield batch.map(({ name, own }) => ({ name, lastStamp: own }))
}

function changedMs(index: ListIndex, form: FormName): number {
  return idOf(index, form) === index.id ? index.changedMs : index.listedMs
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

/** The whole as one buffer where it is no longer than so many bytes; else all of it as chunks. Throws as the first of them. */
async function shortened(
  source: AsyncGenerator<Buffer>,
  mostBytes: number,
): Promise<{ readonly first: Buffer; readonly chunks?: AsyncGenerator<Buffer> }> {
  const before: Buffer[] = []
  let bytes = 0
  while (bytes <= mostBytes) {
    const next = await source.next()
    if (next.done === true) return { first: Buffer.concat(before) }
    before.push(next.value)
    bytes += next.value.length
  }
  const first = Buffer.concat(before)
  async function* all() {
    try {
      yield first
      yield* source
    } finally {
      await source.return(undefined)
    }
  }
  return { first, chunks: all() }
}

/** The gzip stream, or its content for clients that do not accept gzip. The list is closed behind it. */
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

function tagOf(state: string, { head, tail, type }: ReadyList, encoding: string): string {
  return createHash('sha256').update([state, type, encoding, head, tail].join('\0')).digest('hex').slice(0, 32)
}

async function* nothing(): AsyncGenerator<never> {}
