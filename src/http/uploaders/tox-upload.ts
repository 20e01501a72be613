/** `POST` to an archive's address: the result of testing it. */
import type { FastifyInstance } from 'fastify'
import { readOf, uploadOf } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import { storeToxResult } from '../../publish/tox-result.ts'
import { sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { checkJsonType } from '../request-origin.ts'
import type { Services } from '../services.ts'

type Hashed = { Params: { user: string; index: string; first: string; second: string; filename: string } }

export function toxUpload(app: FastifyInstance, services: Services): void {
  const { indexes, publishing: publisher, limits, may } = services
  // A scope of its own, where the body stays the bytes that were sent.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<Hashed>(
      '/:user/:index/+f/:first/:second/:filename',
      { bodyLimit: limits.toxResultBytes },
      async (request, reply) => {
        const { user, index, first, second, filename } = request.params
        const record = await indexes.record(`${user}/${index}`)
        if (record === undefined) throw noSuchIndex(`${user}/${index}`)
        const who = await principalOf(request, services)
        // Of which project the archive is, is not known yet.
        const isAllowed = may(who, readOf(record)) && may(who, uploadOf('upload-toxresult', record, undefined))
        if (!isAllowed) {
          throw new Problem(
            'not-allowed',
            'No permission to upload tox results. You can use the devpi test --no-upload option to skip the upload.',
          )
        }
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        if (body.length > 0) checkJsonType(request)
        const path = await storeToxResult(publisher, who, record, { hashStart: first + second, filename }, body)
        return sendResult(reply, 200, 'toxresultpath', path)
      },
    )
  })
}
