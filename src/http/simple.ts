/** The Simple repository API: which representation, and the pages of projects. */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OpenIndex } from '../indexes/open-index.ts'
import type { IndexPage } from '../indexes/package-index.ts'
import { noSuchProject, Problem } from '../model/errors.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'
import { JSON_TYPE } from '../pep/simple.ts'
import { detailToHtml } from '../pep/simple-html.ts'
import { detailToJson } from '../pep/simple-json.ts'
import { encodePath, rootFrom } from './answers.ts'
import { type AtProject, askedIndex, askedProject } from './asked.ts'
import { outsideBase } from './outside.ts'
import { sendList } from './project-list.ts'
import { contentType, matches, representation } from './representation.ts'
import type { Services } from './services.ts'

type Named = { Params: { user: string; index: string; project: string } }

export function simple(app: FastifyInstance, services: Services): void {
  const config = { speaks: 'text' } as const
  app.get<Named>('/:user/:index/+simple', { config }, async (request, reply) => {
    if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
    return await sendList(services, request, reply, await askedIndex(services, request))
  })
  app.get<Named>('/:user/:index/+simple/:project', { config }, async (request, reply) => {
    const opened = await askedIndex(services, request)
    const project = asProjectName(request.params.project)
    if (/[^\0-\x7f]/.test(request.params.project)) throw new Problem('bad-request', 'unicode project names not allowed')
    if (project === undefined) throw noSuchProject(request.params.project)
    const query = /\?.*$/s.exec(request.url)?.[0] ?? ''
    const place = `${rootFrom(request)}${encodePath(`${opened.record.name}/+simple/${project}`)}/${query}`
    if (project !== request.params.project) return reply.redirect(place, 302)
    if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
    return await sendProjectPage(services, request, reply, opened, project)
  })
  app.post<Named>('/:user/:index/+simple/:project/refresh', async (request, reply) =>
    refresh(services, request, reply, (project) => `+simple/${project}/`),
  )
}

/** What a reader's own wish for fresh pages does: asks upstream, whatever the age of what is remembered. */
export async function refresh(
  services: Services,
  request: AtProject,
  reply: FastifyReply,
  place: (project: ProjectName) => string,
): Promise<FastifyReply> {
  const { opened, project } = await askedProject(services, request)
  await opened.index.refresh(project)
  return reply.redirect(rootFrom(request) + encodePath(`${opened.record.name}/${place(project)}`), 302)
}

/** A project's page. Throws `no-such-project`, and what the index throws. */
export async function sendProjectPage(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  project: ProjectName,
): Promise<FastifyReply> {
  const page = await opened.index.project(project)
  if (page === undefined) throw noSuchProject(project)
  const type = representation(request)
  const isAbsolute = services.server.absoluteUrls || request.headers['x-devpi-absolute-urls'] !== undefined
  const root = isAbsolute ? `${outsideBase(request, services.server)}/` : rootFrom(request)
  const linked = { ...page, files: page.files.map((file) => ({ ...file, url: root + encodePath(file.url) })) }
  const body = Buffer.from(type === JSON_TYPE ? detailToJson(linked) : detailToHtml(linked))
  const etag = `"${createHash('sha256').update(type).update(body).digest('hex').slice(0, 32)}"`
  varies(reply)
  reply.header('etag', etag).header('cache-control', cacheControl(page, opened))
  if (page.lastSerial !== undefined) reply.header('x-pypi-last-serial', String(page.lastSerial))
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.header('content-type', contentType(type)).send(body)
}

/** A stage may change at any moment: ask again, cheaply. A mirror's page may be kept as long as PyPI's own, unless it is old. */
function cacheControl(page: IndexPage, opened: OpenIndex): string {
  if (page.stale !== undefined) return 'max-age=0, must-revalidate, no-cache, no-store'
  return opened.record.options.type === 'mirror' ? 'max-age=600' : 'no-cache'
}

/** By what was asked for; addresses that tell installers from people have said more already. */
function varies(reply: FastifyReply): void {
  if (!reply.hasHeader('vary')) reply.header('vary', 'Accept')
}

function hasFinalSlash(request: FastifyRequest): boolean {
  return request.url.split('?')[0]!.endsWith('/')
}

function redirectToSlash(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path, query] = request.url.split('?') as [string, string | undefined]
  const last = path.slice(path.lastIndexOf('/') + 1)
  return reply.redirect(`${last}/${query === undefined ? '' : `?${query}`}`, 302)
}
