/**
 * Documentation that was sent: `+doc` gives the files themselves, `+d` the page around them.
 * What was sent is taken for hostile: it is shown without an origin of its own, so its scripts run but reach nothing of ours.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DocumentationView } from '../../browse/attachment-views.ts'
import type { ReleaseDocumentation } from '../../browse/documentation.ts'
import { noSuchProject, Problem } from '../../model/errors.ts'
import { fileAddress } from '../../model/file-address.ts'
import type { IndexRecord } from '../../model/records.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import { encodePath, POLICY, rootFrom, sendHead, sendPage } from '../answers.ts'
import { askedRecord } from '../asked.ts'
import { askedRange } from '../installers/byte-range.ts'
import { documentType } from '../installers/media-types.ts'
import { matches } from '../installers/representation.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { frame } from './people.ts'

type Params = { user: string; index: string; project: string; version: string; '*'?: string }
type Asked = FastifyRequest<{ Params: Params }>

/** Scripts run (a theme's menus, the search of Sphinx), but in an origin that is nobody's. */
const SANDBOX = 'sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads'
const FRAMING_POLICY = `${POLICY}; frame-src 'self'`

export function documentationAnswers(services: Services) {
  return {
    file: answer<{ Params: Params }>(
      { about: 'A file of the documentation, as it was sent' },
      async (request, reply) => {
        // The answer to what goes wrong is shown in the frame, too.
        reply.header('content-security-policy', SANDBOX)
        return await sendDocument(services, request, reply)
      },
    ),
    frame: answer<{ Params: Params }>({ about: 'The page around it' }, async (request, reply) =>
      sendFrame(services, request, reply),
    ),
  }
}

async function sendDocument(services: Services, request: Asked, reply: FastifyReply): Promise<FastifyReply> {
  const { record, project, path, isShown } = await asked(services, request)
  if (path === '') return toDocument(request, reply, '+doc', 'index.html')
  const found = await services.documentation.find(record, project, request.params.version, isShown)
  const resolved = memberAt(found, path)
  if (resolved.isFolder) return toDocument(request, reply, '+doc', `${path}/`)
  const { member } = resolved
  const etag = `"${found.zip.digest}-${member.crc.toString(16)}"`
  const type = documentType(member.path)
  const isOpen = record.options.acl_pkg_read === undefined
  reply.header('etag', etag).header('cache-control', isOpen ? 'max-age=60' : 'private, max-age=60')
  reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
  // A page without an origin may load a font only where anybody may; it tells nobody anything.
  if (type.startsWith('font/')) reply.header('access-control-allow-origin', '*')
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.header('content-type', type).header('accept-ranges', 'bytes')
  const condition = request.headers['if-range']
  const isRanged = condition === undefined || condition === etag
  const range = isRanged ? askedRange(request.headers.range, member.sizeBytes) : undefined
  if (range === 'unsatisfiable') {
    return reply
      .code(416)
      .header('content-range', `bytes */${member.sizeBytes}`)
      .header('cache-control', 'no-store')
      .send()
  }
  const { start, end } = range ?? { start: 0, end: member.sizeBytes }
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${member.sizeBytes}`)
  reply.header('content-length', String(end - start))
  if (request.method === 'HEAD') return sendHead(reply)
  return reply.send(
    Readable.from(services.documentation.read(found.zip, member, { start, end }), { objectMode: false }),
  )
}

async function sendFrame(services: Services, request: Asked, reply: FastifyReply): Promise<FastifyReply> {
  const { record, project, path, isShown } = await asked(services, request)
  if (path === '') return toDocument(request, reply, '+d', 'index.html')
  const { version: wanted } = request.params
  const { documentation, pages } = services
  const found = await documentation.find(record, project, wanted, isShown)
  const shown = memberAt(found, path)
  const { version } = found.zip
  const latest = (await documentation.find(record, project, 'latest', isShown)).zip.version
  const stable = await stableVersion(services, record, project, isShown)
  const [, query] = request.url.split(/\?(.*)/s)
  const view: DocumentationView = {
    index: record.name,
    name: project,
    asked: wanted,
    version,
    ...(found.askedVersion !== version && { missing: found.askedVersion }),
    path: shown.isFolder ? `${path}/` : path,
    query: query ?? '',
    hasLatest: latest !== version,
    hasStable: stable !== undefined && stable !== version && stable !== latest,
    zipPath: fileAddress(record.name, found.zip.addressHash, found.zip.filename),
  }
  reply.header('content-security-policy', FRAMING_POLICY)
  return sendPage(reply, pages.documentationPage(view, frame(services, request)))
}

async function stableVersion(
  { documentation }: Services,
  record: IndexRecord,
  project: ProjectName,
  isShown: (version: string) => boolean,
): Promise<string | undefined> {
  try {
    return (await documentation.find(record, project, 'stable', isShown)).zip.version
  } catch (error) {
    // None is no failure here: it is only not linked.
    if (error instanceof Problem) return undefined
    throw error
  }
}

async function asked(
  services: Services,
  request: Asked,
): Promise<{ record: IndexRecord; project: ProjectName; path: string; isShown: (version: string) => boolean }> {
  const record = await askedRecord(services, request)
  const project = asProjectName(request.params.project)
  if (project === undefined) throw noSuchProject(request.params.project)
  const { version: isShown } = await services.indexes.shown(record, project)
  const path = request.params['*'] ?? ''
  const isFolder = request.url.split('?')[0]!.endsWith('/')
  return { record, project, path: isFolder && path !== '' ? `${path.replace(/\/$/, '')}/` : path, isShown }
}

type Resolved =
  | { readonly isFolder: true }
  | { readonly isFolder: false; readonly member: NonNullable<ReturnType<ReleaseDocumentation['members']['get']>> }

/** The file at `path`, a folder's `index.html` where it ends in `/`. `isFolder`: that `/` is missing. */
function memberAt({ members }: ReleaseDocumentation, path: string): Resolved {
  const member = members.get(path.endsWith('/') ? `${path}index.html` : path)
  if (member !== undefined) return { isFolder: false, member }
  if (!path.endsWith('/') && members.has(`${path}/index.html`)) return { isFolder: true }
  throw new Problem('no-such-file', `File ${path.slice(0, 500)} not found in documentation.`)
}

function toDocument(request: Asked, reply: FastifyReply, place: '+doc' | '+d', path: string): FastifyReply {
  const { user, index, project, version } = request.params
  return reply.redirect(rootFrom(request) + encodePath(`${user}/${index}/${project}/${version}/${place}/${path}`), 302)
}
