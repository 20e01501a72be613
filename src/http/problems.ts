/** The one table from problem to status, and the shapes in which a problem is told. */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { Problem, ProblemCode } from '../model/errors.ts'
import { sendJson, sendPage, setReason } from './answers.ts'

export const STATUS: Readonly<Record<ProblemCode, number>> = {
  'bad-request': 400,
  busy: 503,
  'digest-differs': 400,
  'directory-in-use': 500,
  'directory-not-ours': 500,
  'directory-too-new': 500,
  'disk-full': 507,
  'file-deleted': 410,
  'file-exists': 409,
  'file-invalid': 400,
  'file-withheld': 403,
  'index-exists': 409,
  'index-not-volatile': 403,
  'login-refused': 401,
  'login-required': 401,
  'metadata-invalid': 400,
  // devpi's own status for an upload to a mirror.
  'mirror-read-only': 404,
  'name-invalid': 400,
  'no-such-file': 404,
  'no-such-group': 404,
  'no-such-index': 404,
  'no-such-project': 404,
  'no-such-user': 404,
  'no-such-version': 404,
  'not-allowed': 403,
  'option-invalid': 400,
  'port-in-use': 500,
  // devpi's own status for a push to an index where the user may not upload.
  'push-refused': 401,
  'setting-invalid': 500,
  'too-large': 413,
  'upload-incomplete': 400,
  'upstream-blank': 502,
  'upstream-failed': 502,
  'upstream-offline': 503,
  'user-exists': 409,
  'user-not-volatile': 403,
}

/** A page for a browser, from what went wrong. */
export type ProblemPage = (
  request: FastifyRequest,
  status: number,
  title: string,
  message: string,
  hint?: string,
) => string

const SHAPES = ['text/plain', 'application/json', 'application/problem+json', 'text/html']
const API_SHAPES = ['application/json', 'application/problem+json', 'text/html', 'text/plain']

/**
 * Answers with a problem in the shape the sender reads: devpi's `{"message"}`, RFC 9457, a page, or plain text with the
 * sentence in the status line too. A sender that reads anything gets text for files, pages and uploads, else JSON.
 */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
  page: ProblemPage,
): FastifyReply {
  const status = STATUS[problem.code]
  const { speaks, prefers } = request.routeOptions.config
  const isPlain = speaks === 'text' && !isPush(request)
  const shapes = isPlain && prefers !== 'json' ? SHAPES : API_SHAPES
  const shape = new Negotiator(request.raw).mediaType(shapes) ?? 'text/plain'
  const said = problem.hint === undefined ? problem.message : `${problem.message}\nhint: ${problem.hint}`
  if (problem.code === 'login-required') reply.header('www-authenticate', 'Basic realm="pypi"')
  if (status === 503 && problem.retrySeconds !== undefined) reply.header('retry-after', String(problem.retrySeconds))
  reply.header('cache-control', 'no-store')
  // Who looks at devpi's client for the word "Unauthorized" finds it; twine shows people the whole.
  const word = problem.code === 'login-required' ? 'Unauthorized: ' : ''
  if (isPlain) setReason(reply, word + problem.message)
  switch (shape) {
    case 'application/json':
      return sendJson(reply, status, {
        message: problem.message,
        ...(problem.hint !== undefined && { hint: problem.hint }),
      })
    case 'application/problem+json': {
      const body = { type: 'about:blank', title: STATUS_CODES[status], status, detail: said, code: problem.code }
      return reply
        .code(status)
        .header('content-type', shape)
        .send(Buffer.from(JSON.stringify(body)))
    }
    case 'text/html': {
      const html = page(request, status, problem.code.replaceAll('-', ' '), problem.message, problem.hint)
      return sendPage(reply.code(status), html)
    }
    default:
      return reply.code(status).header('content-type', 'text/plain; charset=utf-8').send(`${said}\n`)
  }
}

/** JSON to where uploads go: its sender reads JSON, too. */
function isPush({ method, headers }: FastifyRequest): boolean {
  return method === 'POST' && /^application\/json\b/i.test(headers['content-type'] ?? '')
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a sender without preference gets when something is wrong: text for installers and uploaders, else JSON. */
    speaks?: 'text'
    /** JSON after all, with the sentence in the status line as well: what devpi answers about files. */
    prefers?: 'json'
  }
}
