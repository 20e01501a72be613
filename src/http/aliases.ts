/** The public index's own addresses: `simple/` and `packages/` of an index, and at the server's root those of the default index. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenIndex } from '../indexes/open-index.ts'
import type { ProjectName } from '../pep/name.ts'
import { asVersion } from '../pep/version.ts'
import { askedIndex, namedIndex } from './asked.ts'
import { sendFile } from './installers/files.ts'
import { sendList } from './installers/project-list.ts'
import { answerSimple, hasFinalSlash, redirectToSlash } from './installers/simple.ts'
import { answerProject, answerRelease } from './people/people.ts'
import { answer } from './route.ts'
import { isInstaller, isPerson } from './senders.ts'
import type { Services } from './services.ts'

type AtIndex = { Params: { user: string; index: string } }
type AtProject = { Params: { user: string; index: string; project: string } }
type File = { first: string; second: string; rest: string; filename: string }

/** What stands under `/{user}/{index}/simple` for devpi. */
const NAMESAKE = 'simple' as ProjectName

export function aliasAnswers(services: Services) {
  const { defaultIndex, takenAliases } = services.server
  const config = { speaks: 'text' } as const
  const openDefault = (request: FastifyRequest) => namedIndex(services, request, defaultIndex)

  return {
    list: answer<AtIndex>(
      { about: 'The same as `+simple/`; its pages link to `packages/`', config },
      async (request, reply) => {
        const opened = await askedIndex(services, request)
        if (await isOfNamesake(request, opened)) return await answerProject(services, request, reply, opened, NAMESAKE)
        return await answerList(services, request, reply, opened)
      },
    ),
    page: answer<AtProject>(
      { about: 'The files of the project; its links lead to `packages/`', config },
      async (request, reply) => {
        const opened = await askedIndex(services, request)
        const { project } = request.params
        if (await isOfNamesake(request, opened, project)) {
          return await answerRelease(services, request, reply, opened, NAMESAKE, project)
        }
        const { name } = opened.record
        return await answerSimple(services, request, reply, opened, `${name}/simple`, `${name}/packages`)
      },
    ),
    file: answer<{ Params: AtIndex['Params'] & File }>(
      { about: 'The file, at the path that it has at the public index', config },
      async (request, reply) => sendPackage(services, request, reply, await askedIndex(services, request)),
    ),
    defaultList: answer({ about: 'The list of projects of the default index', config }, async (request, reply) =>
      answerList(services, request, reply, await openDefault(request)),
    ),
    defaultPage: answer<{ Params: { project: string } }>(
      { about: 'The files of the project on the default index', config },
      async (request, reply) => {
        const packages = takenAliases.has('packages') ? `${defaultIndex}/packages` : 'packages'
        return await answerSimple(services, request, reply, await openDefault(request), 'simple', packages)
      },
    ),
    defaultFile: answer<{ Params: File }>({ about: 'The file of the default index', config }, async (request, reply) =>
      sendPackage(services, request, reply, await openDefault(request)),
    ),
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
