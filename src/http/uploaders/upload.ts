/**
 * The address that twine, uv and devpi-client upload to, `POST /user/index[/]` with a form, and `/legacy/` for the default
 * index; a body without a form is a push.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Principal, publisherLabel } from '../../model/access.ts'
import { mayUpload } from '../../publish/may-upload.ts'
import { setReason } from '../answers.ts'
import { hasCredentials, principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { pushes } from './push.ts'

/** `publish/publish.ts`, once it is loaded: asked for again it would be looked up by name, with every upload. */
let publishing: typeof import('../../publish/publish.ts') | undefined

export function uploadAnswers(services: Services) {
  const { publishing: publisher, limits, log, server } = services
  const answerPush = pushes(services)
  const options = { config: { speaks: 'text' }, scope: formsStayStreams } as const
  return {
    upload: answer<{ Params: { user: string; index: string } }>(
      {
        ...options,
        about:
          'Upload a file or documentation with a form; with a JSON object (also as `PUSH`), push a release to another index',
      },
      async (request, reply) => take(request, reply, `${request.params.user}/${request.params.index}`),
    ),
    legacy: answer(
      { ...options, about: 'Upload to the default index, at `/legacy/`; without the slash it is a redirect' },
      async (request, reply) => {
        if (request.url.split('?')[0] !== '/legacy') return await take(request, reply, server.defaultIndex)
        if (request.body instanceof Readable) await drain(request.body, limits.refusedBytes)
        return reply.redirect('legacy/', 308)
      },
    ),
  }

  async function take(request: FastifyRequest, reply: FastifyReply, name: string): Promise<FastifyReply> {
    const body = request.body as Readable | Buffer | undefined
    const isStream = body instanceof Readable
    if (!isStream && !isTextForm(request.headers['content-type'], body)) {
      return await answerPush(request, reply, name, body ?? Buffer.alloc(0))
    }
    const form = isStream ? body : Readable.from([body!])
    try {
      // Loaded with the first upload, with all that reads forms and archives: some 100 files.
      publishing ??= await import('../../publish/publish.ts')
      const who = await principalOf(request, services)
      const record = await mayUpload(publisher, who, name, hasCredentials(request))
      const { note } = await publishing.publish(publisher, who, record, request.headers, form)
      log.publish.info({ 'index.name': name, 'user.name': who.name, ...publishedBy(who) }, 'Upload taken')
      if (note !== '') setReason(reply, note)
      // devpi's own type for saying nothing.
      const type = note === '' ? 'text/html' : 'text/plain'
      return reply.code(200).header('content-type', `${type}; charset=utf-8`).send(note)
    } catch (error) {
      // Uploaders send everything before they read: hung up on, they could not tell why.
      await drain(form, limits.refusedBytes)
      throw error
    }
  }
}

/** Forms with files stay streams, which the publish floor reads, and all else is bytes. */
function formsStayStreams(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload))
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** A form without files, as devpi's own pushes register releases. curl calls anything that it sends one. */
function isTextForm(type: string | undefined, body: Buffer | undefined): boolean {
  if (body === undefined || !/^application\/x-www-form-urlencoded\b/i.test(type ?? '')) return false
  return new URLSearchParams(body.toString('utf8')).has(':action')
}

/** Reads what the sender still sends, up to a bound. */
export async function drain(body: Readable, limitBytes: number): Promise<void> {
  if (body.destroyed || body.readableEnded) return
  let seen = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const event of ['end', 'close', 'error']) body.once(event, resolve)
  body.on('data', (chunk: Buffer) => {
    seen += chunk.length
    if (seen > limitBytes) {
      body.destroy()
      resolve()
    }
  })
  body.resume()
  await promise
}

/** For the log: the build that a trusted publisher is. */
function publishedBy({ publisher }: Principal): { readonly publisher?: string } {
  return publisher === undefined ? {} : { publisher: publisherLabel(publisher) }
}
