/** The app: the routes of `routes.ts`; what every answer carries; the one place where an error becomes an answer. */
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { parseBoundedJson } from '../lib/bounded-json.ts'
import { DEVPI_VERSION } from '../model/devpi-version.ts'
import { isDiskFull, Problem } from '../model/errors.ts'
import { keepFromShared, land } from './cache-note.ts'
import { cameAsPush } from './door/front-door.ts'
import { beginAnswer, shelve } from './door/shelving.ts'
import { addressOfClient, peerOf, routedPath } from './outside.ts'
import { checkHost } from './own-hosts.ts'
import { frame } from './people/people.ts'
import { sendFailure, sendProblem } from './problems.ts'
import { checkJsonType, checkOrigin } from './request-origin.ts'
import { addRoutes } from './route.ts'
import { routeTable, servedRoutes } from './routes.ts'
import type { Services } from './services.ts'

export function createApp(services: Services): FastifyInstance {
  const { limits, log, catalog, server, pages, requests, shelf } = services
  const app = Fastify({
    bodyLimit: limits.jsonBodyBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1000 },
    rewriteUrl: (request) => routedPath(request.url ?? '/', request, server),
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: 30_000,
    http: { headersTimeout: limits.requestHeadMs },
    forceCloseConnections: 'idle',
    // No route has a schema: these keep Fastify from loading what compiles them, a hundred files.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    // No hook has run for these: an address that cannot be decoded, or with a part that is too long.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      identify(reply)
      reply.header('x-devpi-serial', String(catalog.serialWithin(Number.POSITIVE_INFINITY) ?? 0))
      return answerError(services, request, reply, error, problemPage)
    },
  })

  function identify(reply: FastifyReply): void {
    reply.header('x-devpi-api-version', '2').header('x-devpi-server-version', DEVPI_VERSION)
    reply.header('x-devpi-uuid', server.uuid).header('x-devpi-primary-uuid', server.uuid)
    reply.header('x-devpi-master-uuid', server.uuid).header('server', `airlock/${server.version}`)
  }
  const problemPage = (request: FastifyRequest, status: number, title: string, message: string, hint?: string) =>
    pages.problemPage({ status, title, message, ...(hint !== undefined && { hint }) }, frame(services, request))

  // So that all requests have one shape.
  app.decorateRequest('cacheNote')
  app.addHook('onRequest', async (request, reply) => {
    beginAnswer(shelf, request)
    identify(reply)
    checkHost(request, server)
    checkOrigin(request, server)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-devpi-serial', String(catalog.serialWithin(limits.serialAgeMs) ?? (await catalog.latestSerial())))
    if (request.cacheNote.isForSome) keepFromShared(reply)
    shelve(shelf, request, reply, payload, peerOf(request.socket, server))
    land(request)
  })
  app.addHook('onResponse', async (request, reply) => {
    const method = cameAsPush(request.raw) ? 'PUSH' : request.method
    // Who hung up before the answer was made.
    land(request)
    requests.count(request, reply.statusCode)
    if (!log.http.isLevelEnabled('info')) return
    log.http.info(
      {
        'request.method': method,
        'request.path': request.url.slice(0, 1000),
        'response.status': reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
        'client.address': addressOfClient(request.raw, server),
      },
      `${method} ${request.url.split('?')[0]!.slice(0, 200)} ${reply.statusCode}`,
    )
  })

  // devpi-client says that it sends JSON also where it sends nothing, and sends `{}` with some GET requests.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/json', '*'], { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined)
    try {
      if (request.routeOptions.config.takesUntypedJson !== true) checkJsonType(request)
      done(null, parseBoundedJson(body as string))
    } catch (error) {
      done(error instanceof Problem ? error : new Problem('bad-request', 'Bad request: could not decode json'))
    }
  })

  app.setErrorHandler((error: FastifyError | Problem, request, reply) =>
    answerError(services, request, reply, error, problemPage),
  )
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!.slice(0, 200)
    return sendProblem(
      request,
      reply,
      new Problem('no-such-file', `Nothing is at ${path} for ${request.method}`),
      problemPage,
    )
  })

  addRoutes(app, servedRoutes(routeTable(services), server))
  return app
}

function noSchemas(): () => never {
  return () => {
    throw new TypeError('Cannot compile a schema: routes here have none')
  }
}

/** What a route may have said already of the answer it then could not give: kept, a cache would take the failure for it. */
const OF_THE_ANSWER = [
  'x-accel-redirect',
  'etag',
  'last-modified',
  'content-range',
  'content-length',
  'accept-ranges',
  'cache-control',
]

function answerError(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  error: FastifyError | Problem,
  problemPage: Parameters<typeof sendProblem>[3],
): FastifyReply {
  for (const name of OF_THE_ANSWER) reply.removeHeader(name)
  reply.header('cache-control', 'no-store')
  if (error instanceof Problem) return sendProblem(request, reply, error, problemPage)
  if (isDiskFull(error)) {
    services.log.http.error({ err: error }, 'The disk of the server folder is full')
    const problem = new Problem('disk-full', 'Cannot keep the file: the disk of the server folder is full')
    return sendProblem(request, reply, problem, problemPage)
  }
  const status = error.statusCode ?? 500
  if (status === 413) return sendProblem(request, reply, new Problem('too-large', 'The body is too large'), problemPage)
  if (status < 500) return sendFailure(request, reply, status, error.message)
  const reference = randomUUID()
  services.log.http.error({ err: error, reference }, `Cannot answer ${request.method} ${request.url.slice(0, 200)}`)
  return sendFailure(request, reply, 500, `Internal error, reported in the server's log as ${reference}`)
}
