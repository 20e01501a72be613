/** Addresses that give a page to a person, devpi's JSON to a program and simple pages to an installer. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { userConfig } from '../../accounts/users.ts'
import { findAccount } from '../../browse/accounts.ts'
import { homeView, indexView, searchView, userView } from '../../browse/browse.ts'
import { projectView, releaseView } from '../../browse/browse-release.ts'
import type { Frame } from '../../browse/views.ts'
import type { OpenIndex } from '../../indexes/open-index.ts'
import { noSuchProject, noSuchUser, Problem } from '../../model/errors.ts'
import { shownOptions } from '../../model/index-options.ts'
import type { ProjectName } from '../../pep/name.ts'
import { allUsers } from '../accounts/devpi-accounts.ts'
import { encodePath, rootFrom, sendPage, sendResult } from '../answers.ts'
import { askedIndex, askedProject, readableTo } from '../asked.ts'
import { sendList } from '../installers/project-list.ts'
import { askUpstreamAnew, sendProjectPage } from '../installers/simple.ts'
import { outsideBase } from '../outside.ts'
import { answer } from '../route.ts'
import { isInstaller, isPerson } from '../senders.ts'
import type { Services } from '../services.ts'
import { sendIndex, sendProject, sendVersion } from './devpi-projects.ts'

type User = { Params: { user: string } }
type Index = { Params: { user: string; index: string }; Querystring: { after?: string } }
type Project = { Params: { user: string; index: string; project: string } }
type Release = { Params: { user: string; index: string; project: string; version: string } }

/** What an answer depends on where people, programs and installers use one address. */
const PERSON_OR_PROGRAM = 'Accept, User-Agent'

export function pageAnswers(services: Services) {
  const { catalog, pages, limits } = services

  return {
    home: answer(
      { about: 'All users and the indexes that the sender may read: a page for browsers, JSON for programs' },
      async (request, reply) => {
        if (!isPerson(request)) return sendResult(reply, 200, 'list:userconfig', await allUsers(services, request))
        const view = await homeView(catalog, await readableTo(services, request))
        return sendPage(reply, pages.homePage(view, frame(services, request)))
      },
    ),
    search: answer<{ Querystring: { query?: string } }>(
      { about: 'Search in the indexes that the sender may read (`?query=`): a page or JSON' },
      async (request, reply) => {
        const isReadable = await readableTo(services, request)
        const view = await searchView(services, String(request.query.query ?? ''), limits, isReadable)
        if (!isPerson(request)) return sendResult(reply, 200, 'searchresult', view)
        return sendPage(reply, pages.searchPage(view, frame(services, request)))
      },
    ),
    style: answer({ about: 'The style sheet of the pages' }, async (_request, reply) =>
      reply.header('content-type', 'text/css; charset=utf-8').header('cache-control', 'max-age=3600').send(pages.style),
    ),
    user: answer<User>(
      { about: 'The user and the indexes that the sender may read: a page or JSON' },
      async (request, reply) => {
        const isReadable = await readableTo(services, request)
        const found = await findAccount(catalog, request.params.user, isReadable)
        if (found === undefined) throw noSuchUser(request.params.user)
        if (isPerson(request)) {
          return sendPage(reply, pages.userPage(userView(found), frame(services, request)))
        }
        const own = Object.fromEntries(
          found.indexes.map((index) => [index.name.split('/')[1], shownOptions(index.options)]),
        )
        return sendResult(reply, 200, 'userconfig', userConfig(found.user, own))
      },
    ),
    index: answer<Index>(
      { about: 'The index: a page for browsers, JSON for programs, the list of projects for installers' },
      async (request, reply) => {
        reply.header('vary', PERSON_OR_PROGRAM)
        const opened = await askedIndex(services, request)
        if (isInstaller(request)) return await sendList(services, request, reply, opened)
        if (!isPerson(request)) return await sendIndex(services, request, reply, opened)
        const view = await indexView(services, opened, String(request.query.after ?? ''))
        return sendPage(reply, pages.indexPage(view, frame(services, request)))
      },
    ),
    project: answer<Project>(
      { about: 'The project: a page, JSON, or the simple page for installers' },
      async (request, reply) => {
        const { opened, project } = await askedProject(services, request)
        if (project !== request.params.project) {
          return reply.redirect(rootFrom(request) + encodePath(`${opened.record.name}/${project}`), 302)
        }
        if (isInstaller(request)) {
          reply.header('vary', PERSON_OR_PROGRAM)
          return await sendProjectPage(services, request, reply, opened, project)
        }
        return await answerProject(services, request, reply, opened, project)
      },
    ),
    refresh: answer<Project>({ about: 'Ask upstream again for the page of the project' }, async (request, reply) =>
      askUpstreamAnew(services, request, reply, (project) => project),
    ),
    release: answer<Release>({ about: 'The release: a page or JSON' }, async (request, reply) => {
      const { opened, project } = await askedProject(services, request)
      return await answerRelease(services, request, reply, opened, project, request.params.version)
    }),
  }
}

/** The project as a page for a person, and as devpi's JSON for a program. Throws `no-such-project`. */
export async function answerProject(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  project: ProjectName,
): Promise<FastifyReply> {
  reply.header('vary', PERSON_OR_PROGRAM)
  if (!isPerson(request)) return await sendProject(services, request, reply, opened, project)
  const view = await projectView(services, opened, project)
  if (view === undefined) throw noSuchProject(project)
  return sendPage(reply, services.pages.projectPage(view, frame(services, request)))
}

/** The same for a release. Throws `no-such-version`. */
export async function answerRelease(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  project: ProjectName,
  version: string,
): Promise<FastifyReply> {
  if (!isPerson(request)) return await sendVersion(services, request, reply, opened, project, version)
  const view = await releaseView(services, opened, project, version)
  if (view === undefined) {
    throw new Problem('no-such-version', `The version ${version} of project ${project} does not exist.`)
  }
  return sendPage(reply, await services.pages.releasePage(view, frame(services, request)))
}

export function frame({ server }: Pick<Services, 'server'>, request: FastifyRequest): Frame {
  return { root: rootFrom(request), serverUrl: outsideBase(request, server), version: server.version }
}
