/** The public index's own addresses: `simple/` and `packages/` of an index, and at the server's root those of the default index. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OpenIndex } from '../indexes/open-index.ts'
import type { ProjectName } from '../pep/name.ts'
import { asVersion } from '../pep/version.ts'
import { askedIndex, namedIndex } from './asked.ts'
import { sendFile } from './installers/files.ts'
import { sendList } from './installers/project-list.ts'
import { answerSimple, hasFinalSlash, redirectToSlash } from './installers/simple.ts'
import { answerProject, answerRelease } from './people/people.ts'
import { isInstaller, isPerson } from './senders.ts'
import type { Services } from './services.ts'

type AtIndex = { Params: { user: string; index: string } }
type AtProject = { Params: { user: string; index: string; project: string } }
type File = { first: string; second: string; rest: string; filename: string }

/** What stands under `/{user}/{index}/simple` for devpi. */
const NAMESAKE = 'simple' as ProjectName

export function aliases(app: FastifyInstance, services: Services): void {
  const { defaultIndex, takenAliases } = services.server
  const config = { speaks: 'text' } as const
  const openDefault = (request: FastifyRequest) => namedIndex(services, request, defaultIndex)

  app.get<AtIndex>('/:user/:index/simple', { config }, async (request, reply) => {
    const opened = await askedIndex(services, request)
    if (await isOfNamesake(request, opened)) return await answerProject(services, request, reply, opened, NAMESAKE)
    return await answerList(services, request, reply, opened)
  })
  app.get<AtProject>('/:user/:index/simple/:project', { config }, async (request, reply) => {
    const opened = await askedIndex(services, request)
    const { project } = request.params
    if (await isOfNamesake(request, opened, project)) {
      return await answerRelease(services, request, reply, opened, NAMESAKE, project)
    }
    const { name } = opened.record
    return await answerSimple(services, request, reply, opened, `${name}/simple`, `${name}/packages`)
  })
  app.get<{ Params: AtIndex['Params'] & File }>(
    '/:user/:index/packages/:first/:second/:rest/:filename',
    { config },
    async (request, reply) => sendPackage(services, request, reply, await askedIndex(services, request)),
  )

  if (!takenAliases.has('simple')) {
    app.get('/simple', { config }, async (request, reply) =>
      answerList(services, request, reply, await openDefault(request)),
    )
    app.get<{ Params: { project: string } }>('/simple/:project', { config }, async (request, reply) => {
      const packages = takenAliases.has('packages') ? `${defaultIndex}/packages` : 'packages'
      return await answerSimple(services, request, reply, await openDefault(request), 'simple', packages)
    })
  }
  if (!takenAliases.has('packages')) {
    app.get<{ Params: File }>('/packages/:first/:second/:rest/:filename', { config }, async (request, reply) =>
      sendPackage(services, request, reply, await openDefault(request)),
    )
    // For mirroring tools that take nothing whose path does not begin with `/packages`.
    app.get<{ Params: AtIndex['Params'] & File }>(
      '/packages/:user/:index/:first/:second/:rest/:filename',
      { config },
      async (request, reply) => sendPackage(services, request, reply, await askedIndex(services, request)),
    )
  }
}

async function answerList(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
): Promise<FastifyReply> {
  if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
  return await sendList(services, request, reply, opened)
}

async function sendPackage(
  services: Services,
  request: FastifyRequest<{ Params: File }>,
  reply: FastifyReply,
  opened: OpenIndex,
): Promise<FastifyReply> {
  const { first, second, rest } = request.params
  return await sendFile(services, request, reply, opened, { kind: 'packages', path: `${first}/${second}/${rest}` })
}

/** Where a project is called `simple`, devpi's addresses of it stay its own for devpi's programs and for people; installers mean the pages. */
async function isOfNamesake(request: FastifyRequest, opened: OpenIndex, version?: string): Promise<boolean> {
  const isDevpis =
    !isInstaller(request) && (isPerson(request) || /\bapplication\/json\b/.test(request.headers.accept ?? ''))
  if (!isDevpis || (version !== undefined && asVersion(version) === undefined)) return false
  const pages = await opened.index.pages(NAMESAKE)
  return version === undefined ? pages.length > 0 : pages.some((page) => page.versions.includes(version))
}
