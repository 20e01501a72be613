/**
 * Upload 2.0 (PEP 694, a draft): `POST /{user}/{index}/+upload` opens a session for a release, below which its files are sent
 * and at last published together. Only with the setting `upload_sessions`.
 */

import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseBoundedJson } from '../../lib/bounded-json.ts'
import { collect, TooLong } from '../../lib/streams.ts'
import { Problem } from '../../model/errors.ts'
import type { askedFile } from '../../publish/sessions/session-files.ts'
import {
  checkUploadVersion,
  readExtension,
  readFileOrder,
  readSessionOrder,
} from '../../publish/sessions/session-requests.ts'
import {
  type AskedSession,
  askedSession,
  cancelSession,
  extendSession,
  openSession,
  readSession,
  type SessionAsk,
} from '../../publish/sessions/sessions.ts'
import { objectBody } from '../accounts/devpi-accounts.ts'
import { hasCredentials, principalOf } from '../auth.ts'
import { outsideBase } from '../outside.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import {
  checkAccepts,
  fileDocument,
  sendDocument,
  sessionAddress,
  sessionDocument,
  stagedFileAddress,
  UPLOAD_TYPE,
} from './session-answers.ts'
import { drain } from './upload.ts'

type AtIndex = { Params: { user: string; index: string } }
type AtSession = { Params: AtIndex['Params'] & { session: string } }
type AtFile = { Params: AtSession['Params'] & { file: string } }

/** Seconds after which who announced a file may look at it again: at once, but a client should not do so in a loop. */
const LOOK_AGAIN_SECONDS = '1'

export function sessionAnswers(services: Services) {
  const { publishing: publisher, limits, log, server } = services
  const config = { speaks: 'problem' } as const
  const baseOf = (request: FastifyRequest) => outsideBase(request, server)

  const documents = { config, scope: (scope: FastifyInstance) => readDocuments(scope, begin) }
  const contents = { config, scope: (scope: FastifyInstance) => leaveStreams(scope, begin) }

  return {
    open: answer<AtIndex>({ ...documents, about: 'Open an upload session for a release' }, async (request, reply) => {
      const ask = await askOf(request)
      if (request.body === undefined) checkUploadVersion({})
      const { session, isNew } = await openSession(publisher, ask, readSessionOrder(objectBody(request)))
      reply.header('location', sessionAddress(baseOf(request), session))
      if (!isNew) {
        throw new Problem('session-open', `A session for ${session.project} ${session.version} is open already`, {
          hint: 'go on with the one at the address in Location, or cancel it',
        })
      }
      log.publish.info({ ...about(ask), project: session.project, version: session.version }, 'Upload session opened')
      return sendDocument(request, reply, 201, sessionDocument(baseOf(request), session, []))
    }),
    session: answer<AtSession>({ ...documents, about: 'The session and its files' }, async (request, reply) =>
      sendSession(request, reply, 200, await sessionOf(request)),
    ),
    cancel: answer<AtSession>({ ...documents, about: 'Cancel the session' }, async (request, reply) => {
      await cancelSession(publisher, await sessionOf(request))
      return reply.code(204).send()
    }),
    extend: answer<AtSession>({ ...documents, about: 'Keep the session open for longer' }, async (request, reply) => {
      const asked = await sessionOf(request)
      await extendSession(publisher, asked, readExtension(request.body === undefined ? {} : objectBody(request)))
      return await sendSession(request, reply, 200, asked)
    }),
    publish: answer<AtSession>(
      { ...documents, about: 'Publish all files of the session together' },
      async (request, reply) => {
        const asked = await sessionOf(request)
        const { index, project, version } = asked.session
        const { publishSession } = await import('../../publish/sessions/session-publish.ts')
        const { session, files, isNew } = await publishSession(publisher, asked)
        if (isNew) {
          log.publish.info(
            { 'index.name': index, 'user.name': asked.who.name, project, version },
            'Upload session published',
          )
        }
        reply.header('location', `${baseOf(request)}/${index}/${project}/${encodeURIComponent(version)}`)
        return sendDocument(request, reply, 201, sessionDocument(baseOf(request), session, files))
      },
    ),

    announce: answer<AtSession>({ ...documents, about: 'Announce a file' }, async (request, reply) => {
      const asked = await sessionOf(request)
      const order = readFileOrder(objectBody(request), asked.session, limits)
      const { announceFile } = await sessionFiles()
      const { file, isNew } = await announceFile(publisher, asked, order)
      reply.header('location', stagedFileAddress(baseOf(request), asked.session, file))
      if (!isNew) {
        throw new Problem('session-conflict', `${file.filename} is in the session already`, {
          hint: 'to send another, delete the one at the address in Location first',
        })
      }
      reply.header('retry-after', LOOK_AGAIN_SECONDS)
      return sendDocument(request, reply, 202, fileDocument(baseOf(request), asked.session, file))
    }),
    file: answer<AtFile>({ ...documents, about: 'The state of the file' }, async (request, reply) =>
      sendFileState(request, reply, 200, await sessionOf(request)),
    ),
    drop: answer<AtFile>({ ...documents, about: 'Take the file out of the session' }, async (request, reply) => {
      const asked = await sessionOf(request)
      const { askedFile, dropFile } = await sessionFiles()
      await dropFile(publisher, asked, await askedFile(publisher, asked, request.params.file))
      return reply.code(204).send()
    }),
    complete: answer<AtFile>({ ...documents, about: 'Say that all of the file was sent' }, async (request, reply) => {
      const asked = await sessionOf(request)
      const { askedFile, completeFile } = await sessionFiles()
      await completeFile(publisher, asked, await askedFile(publisher, asked, request.params.file))
      return await sendFileState(request, reply, 201, asked)
    }),
    content: answer<AtFile>({ ...contents, about: 'Send the bytes of the file' }, async (request, reply) =>
      taking(request, reply, async (asked, file, body) =>
        (await sessionFiles()).receiveFile(publisher, asked, file, body),
      ),
    ),
    attestations: answer<AtFile>({ ...contents, about: 'Send attestations of the file' }, async (request, reply) =>
      taking(request, reply, async (asked, file, body) => {
        const text = await collect(body, limits.attestationBytes).catch((error: unknown) => {
          if (!(error instanceof TooLong)) throw error
          throw new Problem('too-large', `Cannot accept attestations of more than ${error.limitBytes} bytes`)
        })
        const { attestFile } = await sessionFiles()
        await attestFile(publisher, asked, file, text.toString('utf8'))
      }),
    ),
  }

  async function taking(
    request: FastifyRequest<AtFile>,
    reply: FastifyReply,
    take: (
      asked: AskedSession,
      file: Awaited<ReturnType<typeof askedFile>>,
      body: AsyncIterable<Uint8Array>,
    ) => Promise<void>,
  ): Promise<FastifyReply> {
    const body = request.body instanceof Readable ? request.body : Readable.from([])
    try {
      const asked = await sessionOf(request)
      const { askedFile } = await sessionFiles()
      const file = await askedFile(publisher, asked, request.params.file)
      await take(asked, file, body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>)
      return await sendFileState(request, reply, 201, asked)
    } catch (error) {
      // Who sends reads why it was refused only when all is sent.
      await drain(body, limits.refusedBytes)
      throw error
    }
  }

  async function sendSession(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    asked: AskedSession,
  ): Promise<FastifyReply> {
    const { session, files } = await readSession(publisher, asked)
    return sendDocument(request, reply, status, sessionDocument(baseOf(request), session, files))
  }

  async function sendFileState(
    request: FastifyRequest<AtFile>,
    reply: FastifyReply,
    status: number,
    asked: AskedSession,
  ): Promise<FastifyReply> {
    const { askedFile } = await sessionFiles()
    const file = await askedFile(publisher, asked, request.params.file)
    return sendDocument(request, reply, status, fileDocument(baseOf(request), asked.session, file))
  }

  async function askOf(request: FastifyRequest<AtIndex>): Promise<SessionAsk> {
    const { user, index } = request.params
    const who = await principalOf(request, services)
    return { who, hasCredentials: hasCredentials(request), index: `${user}/${index}` }
  }

  async function sessionOf(request: FastifyRequest<AtSession>): Promise<AskedSession> {
    return await askedSession(publisher, await askOf(request), request.params.session)
  }

  function begin(request: FastifyRequest): void {
    checkSessionsEnabled(services)
    checkAccepts(request)
  }
}

/** The bodies of requests are of the standard's own type. */
function readDocuments(scope: FastifyInstance, begin: (request: FastifyRequest) => void): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    const problem = new Problem('type-unsupported', 'Cannot read the request: it is not of the type of Upload 2.0', {
      hint: `send it as ${UPLOAD_TYPE}`,
    })
    if (body === '') return done(null, undefined)
    if (request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== UPLOAD_TYPE) return done(problem)
    try {
      done(null, parseBoundedJson(body as string))
    } catch {
      done(new Problem('bad-request', 'Cannot read the request: it is no JSON'))
    }
  })
  scope.addHook('onRequest', async (request) => begin(request))
  scope.addHook('preHandler', async (request) => {
    if (request.body !== undefined) checkUploadVersion(objectBody(request))
  })
}

/** Bodies are what they are, and stay streams. */
function leaveStreams(scope: FastifyInstance, begin: (request: FastifyRequest) => void): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  scope.addHook('onRequest', async (request) => begin(request))
}

/** Throws `not-enabled`. */
export function checkSessionsEnabled({ server }: Pick<Services, 'server'>): void {
  if (server.uploadSessions) return
  throw new Problem('not-enabled', 'Upload sessions (PEP 694) are switched off on this server', {
    hint: 'upload with a form to the address of the index; the setting upload_sessions switches them on',
  })
}

/** For the log. */
function about({ who, index }: SessionAsk): Record<string, unknown> {
  return { 'index.name': index, 'user.name': who.name }
}

/** Loaded with the first file: few servers take any in this way. */
async function sessionFiles() {
  return await import('../../publish/sessions/session-files.ts')
}
