/** Responses about upload sessions: documents in the type of Upload 2.0 (PEP 694), with absolute URLs. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { StagedFile } from '../../catalog/staged-files.ts'
import type { UploadSession } from '../../catalog/upload-sessions.ts'
import { Problem } from '../../model/errors.ts'
import { MECHANISM } from '../../publish/sessions/session-requests.ts'

export const UPLOAD_TYPE = 'application/vnd.pypi.upload.v2+json'

/** The document's own media type, and two general names for it. */
const OFFERS = [UPLOAD_TYPE, 'application/vnd.pypi.upload.latest+json', 'application/json']

/** Throws `not-acceptable` for a client that accepts none of the types of answers. */
export function checkAccepts(request: FastifyRequest): void {
  if (new Negotiator(request.raw).mediaType(OFFERS) !== undefined) return
  throw new Problem('not-acceptable', 'Cannot answer in a type that is accepted', { hint: `accept ${UPLOAD_TYPE}` })
}

export function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  document: Readonly<Record<string, unknown>>,
): FastifyReply {
  const isPlain = new Negotiator(request.raw).mediaType(OFFERS) === 'application/json'
  const body = JSON.stringify({ meta: { 'api-version': '2.0' }, ...document })
  return reply
    .code(status)
    .header('content-type', isPlain ? 'application/json' : UPLOAD_TYPE)
    .header('cache-control', 'no-store')
    .header('vary', 'Accept')
    .send(Buffer.from(body))
}

/** Where the session is. `base` is the server as its client knows it, without final slash. */
export function sessionAddress(base: string, { index, key }: UploadSession): string {
  return `${base}/${index}/+upload/${key}`
}

export function stagedFileAddress(base: string, session: UploadSession, { key }: StagedFile): string {
  return `${sessionAddress(base, session)}/files/${key}`
}

export function sessionDocument(
  base: string,
  session: UploadSession,
  files: readonly StagedFile[],
): Record<string, unknown> {
  const address = sessionAddress(base, session)
  const links = {
    upload: `${address}/files`,
    session: address,
    publish: `${address}/publish`,
    extend: `${address}/extend`,
  }
  const isOpen = session.status === 'open'
  return {
    name: session.name,
    version: session.version,
    status: session.status,
    'expires-at': timeOf(session.expiresMs),
    links: { ...(isOpen && { stage: `${base}/${session.index}/+staged/${session.preview}/simple/` }), ...links },
    mechanisms: [MECHANISM],
    ...(isOpen && { 'session-token': session.preview }),
    files: Object.fromEntries(
      files.map((file) => [
        file.filename,
        { status: file.status, link: stagedFileAddress(base, session, file), ...noticesOf(file) },
      ]),
    ),
  }
}

export function fileDocument(base: string, session: UploadSession, file: StagedFile): Record<string, unknown> {
  const address = stagedFileAddress(base, session, file)
  return {
    filename: file.filename,
    status: file.status,
    'expires-at': timeOf(session.expiresMs),
    links: {
      'publishing-session': sessionAddress(base, session),
      'file-upload-session': address,
      complete: `${address}/complete`,
    },
    mechanism: {
      identifier: MECHANISM,
      file_url: `${address}/content`,
      attestations_url: `${address}/attestations`,
    },
    ...noticesOf(file),
  }
}

function noticesOf({ fault, received }: StagedFile): { notices?: string[] } {
  const notices = [fault, received?.note].filter((each) => each !== undefined)
  return notices.length === 0 ? {} : { notices }
}

/** RFC 3339, whole seconds. */
function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
