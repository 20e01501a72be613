/** `POST` to an archive's address: the result of testing it. */
import type { FastifyInstance } from 'fastify'
import { readOf, uploadOf } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import { storeToxResult } from '../../publish/tox-result.ts'
import { sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { checkJsonType } from '../request-origin.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

type Hashed = { Params: { user: string; index: string; first: string; second: string; filename: string } }

export function toxUploadAnswer(services: Services) {
  const { indexes, publishing: publisher, limits, may } = services
  return answer<Hashed>(
    {
      about: 'Add a result of testing the file (`devpi test`)',
      scope: bodiesStayBytes,
      bodyLimit: limits.toxResultBytes,
    },
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
      // Programs of devpi's users send results without a type; a page of elsewhere is known by its origin before.
      if (body.length > 0 && request.headers['content-type'] !== undefined) checkJsonType(request)
      const path = await storeToxResult(publisher, who, record, { hashStart: first + second, filename }, body)
      return sendResult(reply, 200, 'toxresultpath', path)
    },
  )
}

/** The body is the bytes that were sent. */
function bodiesStayBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}
