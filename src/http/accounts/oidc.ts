/** Trusted Publishing as PyPI's uploaders know it, at the root of the host, and how to discover it (PEP 807). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { parseBoundedJson } from '../../lib/bounded-json.ts'
import { publisherLabel } from '../../model/access.ts'
import { Problem } from '../../model/errors.ts'
import { sendJson } from '../answers.ts'
import { outsideBase, routedPath } from '../outside.ts'
import { STATUS } from '../problems.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

/** PEP 807's own type; programs that are older than it take anything, or JSON. */
const PYTP_TYPE = 'application/vnd.pypi.pytp.v1+json'

export function oidcAnswers(services: Services) {
  const { exchange, tokens, publishers, log, server } = services

  return {
    audience: answer(
      { about: 'The audience that an OIDC token is to have', scope: bytesInJsonOut },
      async (request, reply) => answerTyped(request, reply, 200, { audience: exchange.audience }),
    ),
    discovery: answer<{ Querystring: { discover?: string } }>(
      {
        about:
          'Whether the address in `?discover=` takes uploads of trusted publishers, and where they get tokens (PEP 807)',
        scope: bytesInJsonOut,
      },
      async (request, reply) => {
        const index = uploadedTo(request)
        if (index === undefined || !(await publishers.areAt(index))) return reply.code(404).send()
        const base = outsideBase(request, server)
        return answerTyped(request, reply, 200, {
          'audience-endpoint': `${base}/_/oidc/audience`,
          'mint-token-endpoint': `${base}/_/oidc/mint-token`,
        })
      },
    ),
    mint: answer({ about: 'A short-lived API token for uploading', scope: bytesInJsonOut }, async (request, reply) => {
      try {
        const { secret, expiresMs, identity, publishers } = await exchange.exchange(tokenOf(request))
        const indexes = [...new Set(publishers.map((each) => each.index))]
        log.publish.info({ publisher: publisherLabel(identity), indexes }, 'Upload token minted')
        return answerTyped(request, reply, 200, { success: true, token: secret, expires: expiresMs / 1000 })
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        log.publish.info({ reason: error.message, code: error.code }, 'No upload token minted')
        if (error.retrySeconds !== undefined) reply.header('retry-after', String(error.retrySeconds))
        const description = error.hint === undefined ? error.message : `${error.message} (hint: ${error.hint})`
        const errors = [{ code: error.code, description }]
        return answerTyped(request, reply, statusOf(error), { message: 'Token request failed', errors })
      }
    }),
    // uv gives its token back when it is done. Nobody is told whether it was one.
    burn: answer({ about: 'Give such a token back', scope: bytesInJsonOut }, async (request, reply) => {
      const token = tokenOf(request)
      if (typeof token === 'string') await tokens.burn(token)
      return answerTyped(request, reply, 202, { message: 'Accepted' })
    }),
  }

  /** The index that uploads to the path in question go to: with and without the outside URL's own path. */
  function uploadedTo(request: FastifyRequest<{ Querystring: { discover?: string } }>): string | undefined {
    const { discover } = request.query
    if (typeof discover !== 'string') return undefined
    const path = routedPath(discover, request.raw, server)
    if (/^\/legacy\/?$/.test(path) && !server.takenAliases.has('legacy')) return server.defaultIndex
    const [, index] = /^\/([^/?#]+\/[^/?#]+)\/?$/.exec(path) ?? []
    return index
  }
}

/** Uploaders do not all say that they send JSON, and what is none is told in their form. */
function bytesInJsonOut(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // Before an OIDC token is used up for an answer that cannot be given.
  scope.addHook('onRequest', async (request, reply) => {
    if (typeOf(request) !== undefined) return
    const errors = [{ code: 'not-acceptable', description: `The answer is ${PYTP_TYPE} or application/json` }]
    return sendJson(reply, 406, { message: 'Not Acceptable', errors })
  })
}

/** What the body has under `token`; `undefined` where it is no JSON object. */
function tokenOf({ body }: FastifyRequest): unknown {
  try {
    const value: unknown = parseBoundedJson(Buffer.isBuffer(body) ? body.toString('utf8') : '')
    return (value as { token?: unknown } | null)?.token
  } catch {
    // Told as what has no token.
    return undefined
  }
}

/** Where a request is at fault it is 422, as at PyPI. */
function statusOf({ code }: Problem): number {
  return code === 'bad-request' ? 422 : STATUS[code]
}

/** What was asked for of the two; `undefined` where it is neither (PEP 807: 406). */
function typeOf(request: FastifyRequest): string | undefined {
  return new Negotiator(request.raw).mediaType(['application/json', PYTP_TYPE])
}

/** Never kept by a cache. */
function answerTyped(request: FastifyRequest, reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('content-type', typeOf(request) ?? PYTP_TYPE)
    .send(Buffer.from(`${JSON.stringify(body)}\n`))
}
