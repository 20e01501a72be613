/** The Simple repository API: the pages of projects, and the choice of their representation. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenIndex } from '../../indexes/open-index.ts'
import type { IndexFile, IndexPage } from '../../indexes/package-index.ts'
import { noSuchProject, Problem } from '../../model/errors.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import { JSON_TYPE } from '../../pep/simple.ts'
import { detailToHtml } from '../../pep/simple-html.ts'
import { detailToJson } from '../../pep/simple-json.ts'
import { encodePath, rootFrom } from '../answers.ts'
import { type AtProject, askedIndex, askedProject } from '../asked.ts'
import { mayStandReady } from '../cache-note.ts'
import { joinFlight } from '../door/page-flights.ts'
import type { Basis } from '../door/ready-answer.ts'
import { outsideBase } from '../outside.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { sendEncoded } from './encoded.ts'
import { sendList } from './project-list.ts'
import { contentType, representation } from './representation.ts'

type Index = { Params: { user: string; index: string } }
type Project = { Params: Index['Params'] & { project: string } }

export function simpleAnswers(services: Services) {
  const config = { speaks: 'text' } as const
  return {
    list: answer<Index>({ about: 'The list of projects, in HTML or JSON', config }, async (request, reply) => {
      if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
      return await sendList(services, request, reply, await askedIndex(services, request))
    }),
    page: answer<Project>({ about: 'The files of the project, in HTML or JSON', config }, async (request, reply) => {
      const opened = await askedIndex(services, request)
      return await answerSimple(services, request, reply, opened, `${opened.record.name}/+simple`)
    }),
    refresh: answer<Project>({ about: 'Ask upstream again for the page of the project' }, async (request, reply) =>
      askUpstreamAnew(services, request, reply, (project) => `+simple/${project}/`),
    ),
  }
}

/** The page of the project that the path ends with, at `place` below the server's root; sends on to there in the usual spelling. */
export async function answerSimple(
  services: Services,
  request: FastifyRequest<{ Params: { project: string } }>,
  reply: FastifyReply,
  opened: OpenIndex,
  place: string,
  packages?: string,
): Promise<FastifyReply> {
  const asked = request.params.project
  const project = asProjectName(asked)
  if (/[^\0-\x7f]/.test(asked)) throw new Problem('bad-request', 'unicode project names not allowed')
  if (project === undefined) throw noSuchProject(asked)
  const query = /\?.*$/s.exec(request.url)?.[0] ?? ''
  if (project !== asked) return reply.redirect(`${rootFrom(request)}${encodePath(`${place}/${project}`)}/${query}`, 302)
  if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
  return await sendProjectPage(services, request, reply, opened, project, packages)
}

/** What a reader's own wish for fresh pages does: asks upstream, whatever the age of what is remembered. */
export async function askUpstreamAnew(
  services: Services,
  request: AtProject,
  reply: FastifyReply,
  place: (project: ProjectName) => string,
): Promise<FastifyReply> {
  const { opened, project } = await askedProject(services, request)
  await opened.index.refresh(project)
  return reply.redirect(rootFrom(request) + encodePath(`${opened.record.name}/${place(project)}`), 302)
}

/**
 * A project's page. `packages`: below the server's root, what its links lead to in place of devpi's addresses, for files
 * that have a place there. Throws `no-such-project`, and what the index throws.
 */
export async function sendProjectPage(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  project: ProjectName,
  packages?: string,
): Promise<FastifyReply> {
  // Where an upstream may have to be waited for, nobody waits for another's waiting.
  const isAtHand = opened.chain.every(({ options }) => options.type === 'stage')
  if (isAtHand && (await joinFlight(services, request, reply))) return reply
  const page = await opened.index.project(project)
  if (page === undefined) throw noSuchProject(project)
  return await sendIndexPage(services, request, reply, opened, page, packages)
}

/** A page of a project that was read already. `packages` as for `sendProjectPage`. */
export async function sendIndexPage(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  page: IndexPage,
  packages?: string,
): Promise<FastifyReply> {
  const type = representation(request)
  const isAbsolute = services.server.absoluteUrls || request.headers['x-devpi-absolute-urls'] !== undefined
  const outside = `${outsideBase(request, services.server)}/`
  const root = isAbsolute ? outside : rootFrom(request)
  const files = page.files.map((file) => ({
    ...file,
    url: root + encodePath(packagesAddress(packages, file) ?? file.url),
    // PEP 740 wants it whole, wherever the page is read.
    ...(file.provenance !== undefined && { provenance: outside + encodePath(file.provenance) }),
  }))
  const linked = { ...page, files }
  const body = Buffer.from(type === JSON_TYPE ? detailToJson(linked) : detailToHtml(linked))
  reply.header('cache-control', cacheControl(page, opened))
  if (page.stale === undefined) mayStandReady(request, basisOf(page, services))
  if (page.lastStamp !== undefined) reply.header('x-pypi-last-serial', String(page.lastStamp))
  return await sendEncoded(services.encoded, request, reply, contentType(type), body)
}

/** What an upstream has a part in stands ready for a while only: someone must look from time to time whether it is news. */
function basisOf({ name, freshUntilMs }: IndexPage, { limits, clock }: Services): Basis {
  const shelvedUntilMs = clock.now().getTime() + limits.shelfMirroredMs
  const bound = freshUntilMs === undefined ? {} : { untilMs: Math.min(freshUntilMs, shelvedUntilMs) }
  return { project: name, group: 'simple', ...bound }
}

/** Below the server's root. */
export function packagesAddress(packages: string | undefined, file: IndexFile): string | undefined {
  const { packagesPath, filename } = file
  return packages === undefined || packagesPath === undefined ? undefined : `${packages}/${packagesPath}/${filename}`
}

/**
 * A stage may change at any moment: ask again, cheaply. A mirror's page may be kept as long as PyPI's own, unless it is
 * old, or of a quarantined project: what was kept would outlive the quarantine, or the next one.
 */
export function cacheControl(page: IndexPage, opened: OpenIndex): string {
  if (page.stale !== undefined) return 'max-age=0, must-revalidate, no-cache, no-store'
  if (page.status?.status === 'quarantined') return 'no-cache'
  return opened.record.options.type === 'mirror' ? 'max-age=600' : 'no-cache'
}

export function hasFinalSlash(request: FastifyRequest): boolean {
  return request.url.split('?')[0]!.endsWith('/')
}

export function redirectToSlash(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path, query] = request.url.split('?') as [string, string | undefined]
  const last = path.slice(path.lastIndexOf('/') + 1)
  return reply.redirect(`${last}/${query === undefined ? '' : `?${query}`}`, 302)
}
