/** OSV's API under OSV's own addresses, for `uv audit`, pip-audit and other scanners. As with OSV, everybody may ask. */
import { Readable } from 'node:stream'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Advisories, AdvisoryPage } from '../../browse/advisories.ts'
import { Problem } from '../../model/errors.ts'
import { type AdvisoryQuery, readAdvisoryQuery } from '../../pep/osv-query.ts'
import { STATUS } from '../problems.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

export function advisoryAnswers({ advisories }: Services) {
  const errorHandler = answerProblem
  // pip-audit does not say that it sends JSON; and a question changes nothing, whoever has it sent.
  const config = { takesUntypedJson: true } as const
  return {
    query: answer(
      { about: 'Known vulnerabilities of one version of a project (OSV)', errorHandler, config },
      async (request, reply) => {
        const [page] = await advisories.find([asked(request.body)])
        return fresh(reply).send(Readable.from(fullAnswer(advisories, page!)))
      },
    ),
    queryBatch: answer({ about: 'The same, for many', errorHandler, config }, async (request, reply) => {
      const { queries } = (request.body ?? {}) as { queries?: unknown }
      if (!Array.isArray(queries)) throw new Problem('bad-request', 'Invalid query: "queries" is no list')
      const pages = await advisories.find(queries.map(asked))
      const results = pages.map(({ advisories: vulns, nextPageToken }) => ({
        ...(vulns.length > 0 && { vulns }),
        ...(nextPageToken !== undefined && { next_page_token: nextPageToken }),
      }))
      return fresh(reply).send(Buffer.from(JSON.stringify({ results })))
    }),
    one: answer<{ Params: { id: string } }>(
      { about: 'One known vulnerability', errorHandler },
      async (request, reply) => {
        const record = await advisories.record(request.params.id)
        return fresh(reply).send(Buffer.from(record))
      },
    ),
  }
}

/** OSV answers with the codes of gRPC. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 404: 5, 413: 8, 503: 14 }

function asked(value: unknown): AdvisoryQuery {
  try {
    return readAdvisoryQuery(value)
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem('bad-request', error.message, { cause: error })
    throw error
  }
}

/** Records one by one: those of one project can have 50 MiB. */
async function* fullAnswer(advisories: Advisories, page: AdvisoryPage): AsyncGenerator<string> {
  const { nextPageToken: token, advisories: found } = page
  yield '{'
  for (const [place, { id }] of found.entries()) {
    yield `${place === 0 ? '"vulns":[' : ','}${await advisories.record(id)}`
  }
  if (found.length > 0) yield ']'
  if (token !== undefined) yield `${found.length > 0 ? ',' : ''}"next_page_token":${JSON.stringify(token)}`
  yield '}'
}

function fresh(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-cache').header('content-type', 'application/json')
}

/** What is no fault of the asker goes on to the handler of all addresses. */
function answerProblem(error: FastifyError | Problem, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error instanceof Problem ? STATUS[error.code] : (error.statusCode ?? 500)
  const code = CODES[status]
  if (code === undefined) throw error
  const hint = error instanceof Problem && error.hint !== undefined ? `; ${error.hint}` : ''
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify({ code, message: error.message + hint })))
}
