/** The one table from problem code to HTTP status, and the formats of error responses. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { STATUS_CODES } from '../lib/node-http.ts'
import type { Problem, ProblemCode } from '../model/errors.ts'
import { sendJson, sendPage, setReason } from './answers.ts'
import { isBrowser, readsProblems } from './senders.ts'

export const STATUS: Readonly<Record<ProblemCode, number>> = {
  'advisories-missing': 503,
  'attestation-invalid': 400,
  'bad-request': 400,
  busy: 503,
  'digest-differs': 400,
  'directory-in-use': 500,
  'directory-not-ours': 500,
  'directory-too-new': 500,
  'directory-too-old': 500,
  'disk-full': 507,
  'file-deleted': 410,
  'file-exists': 409,
  'file-invalid': 400,
  'file-withheld': 403,
  // Misdirected Request (RFC 9110 §15.5.20).
  'host-unknown': 421,
  'index-exists': 409,
  'index-not-volatile': 403,
  'login-refused': 401,
  'login-required': 401,
  'mechanism-unknown': 422,
  'metadata-invalid': 400,
  // devpi's own status for an upload to a mirror.
  'mirror-read-only': 404,
  'name-invalid': 400,
  'no-such-advisory': 404,
  'no-such-file': 404,
  'no-such-group': 404,
  'no-such-index': 404,
  'no-such-project': 404,
  'no-such-publisher': 404,
  'no-such-session': 404,
  'no-such-token': 404,
  'no-such-user': 404,
  'no-such-version': 404,
  'not-acceptable': 406,
  'not-allowed': 403,
  'not-enabled': 404,
  // As PyPI answers who asks for an upload token in vain.
  'oidc-token-invalid': 422,
  'oidc-token-used': 422,
  'option-invalid': 400,
  'origin-foreign': 403,
  'port-in-use': 500,
  'project-closed': 403,
  'publisher-unknown': 422,
  // devpi's own status for a push to an index where the user may not upload.
  'push-refused': 401,
  'session-conflict': 409,
  'session-open': 409,
  'setting-invalid': 500,
  'too-large': 413,
  'type-unsupported': 415,
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
 * sentence in the status line too. A sender that reads anything gets text for files, pages and uploads, else JSON;
 * uv gets RFC 9457, whatever it accepts.
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
  const shape =
    speaks === 'problem' || readsProblems(request)
      ? 'application/problem+json'
      : (new Negotiator(request.raw).mediaType(shapes) ?? 'text/plain')
  const said = problem.hint === undefined ? problem.message : `${problem.message}\nhint: ${problem.hint}`
  if (problem.code === 'login-required' && !isBrowser(request)) {
    reply.header('www-authenticate', 'Basic realm="pypi"')
  }
  if (status === 503 && problem.retrySeconds !== undefined) {
    // Whole seconds: a date is more than some clients read.
    reply.header('retry-after', String(Math.ceil(problem.retrySeconds)))
  }
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
    case 'application/problem+json':
      return sendDetails(reply, status, said, problem.code)
    case 'text/html': {
      const html = page(request, status, problem.code.replaceAll('-', ' '), problem.message, problem.hint)
      return sendPage(reply.code(status), html)
    }
    default:
      return reply.code(status).header('content-type', 'text/plain; charset=utf-8').send(`${said}\n`)
  }
}

/** What went wrong and is none of our problems: too little is known of it for a page. */
export function sendFailure(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  message: string,
): FastifyReply {
  const shape = new Negotiator(request.raw).mediaType(['application/json', 'application/problem+json'])
  if (shape === 'application/problem+json' || readsProblems(request)) return sendDetails(reply, status, message)
  return sendJson(reply, status, { message })
}

/** RFC 9457. As a buffer: with a charset behind its type, uv does not know it. */
function sendDetails(reply: FastifyReply, status: number, detail: string, code?: ProblemCode): FastifyReply {
  const body = { type: 'about:blank', title: STATUS_CODES[status], status, detail, ...(code !== undefined && { code }) }
  return reply
    .code(status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify(body)))
}

/** JSON to where uploads go: its sender reads JSON, too. */
function isPush({ method, headers }: FastifyRequest): boolean {
  return method === 'POST' && /^application\/json\b/i.test(headers['content-type'] ?? '')
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What a sender without preference gets when something is wrong: text for installers and uploaders, else JSON.
     * `problem` is RFC 9457 for everybody.
     */
    speaks?: 'text' | 'problem'
    /** JSON after all, with the sentence in the status line as well: what devpi answers about files. */
    prefers?: 'json'
  }
}
