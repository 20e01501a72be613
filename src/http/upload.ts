/** The upload address that twine, uv and devpi-client speak to: `POST /user/index[/]` with a multipart form. */
import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../model/errors.ts'
import { mayUpload, publish } from '../publish/publish.ts'
import { setReason } from './answers.ts'
import { hasCredentials, principalOf } from './auth.ts'
import type { Services } from './services.ts'

export function upload(app: FastifyInstance, services: Services): void {
  const { publisher, limits, log } = services
  // The form is read by the publish floor as it arrives.
  app.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload))

  app.post<{ Params: { user: string; index: string } }>(
    '/:user/:index',
    { config: { speaks: 'text' } },
    async (request, reply) => {
      const name = `${request.params.user}/${request.params.index}`
      const body = request.body as Readable
      const isForm = (request.headers['content-type'] ?? '').startsWith('multipart/form-data')
      try {
        const who = await principalOf(request, services)
        const record = await mayUpload(publisher, who, name, hasCredentials(request))
        if (!isForm) throw new Problem('bad-request', ':action field not found')
        const { note } = await publish(publisher, who, record, request.headers, body)
        log.publish.info({ 'index.name': name, 'user.name': who.name }, 'Upload taken')
        if (note !== '') setReason(reply, note)
        return reply.code(200).header('content-type', 'text/plain; charset=utf-8').send(note)
      } catch (error) {
        // Uploaders send everything before they read: hung up on, they could not tell why.
        if (isForm) await drain(body, limits.refusedBytes)
        throw error
      }
    },
  )
}

/** Reads what the sender still sends, up to a bound. */
async function drain(body: Readable, limitBytes: number): Promise<void> {
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
