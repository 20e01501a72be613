/** The user, index or project that a path names, if the requester may see it. */
import type { FastifyRequest } from 'fastify'
import type { OpenIndex } from '../indexes/open-index.ts'
import { ANONYMOUS, type Principal, readOf } from '../model/access.ts'
import { noSuchIndex, noSuchProject, Problem, readForbidden } from '../model/errors.ts'
import type { IndexRecord } from '../model/records.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'
import { principalOf } from './auth.ts'
import { markForSome } from './cache-note.ts'
import { isBrowser, isInstaller, isPerson } from './senders.ts'
import type { Services } from './services.ts'

export type AtIndex = FastifyRequest<{ Params: { user: string; index: string } }>
export type AtProject = FastifyRequest<{ Params: { user: string; index: string; project: string } }>

/** The index `/{user}/{index}` with its bases. Throws `no-such-index`, and what `readForbiddenTo` makes. */
export async function askedIndex(services: Services, request: AtIndex): Promise<OpenIndex> {
  return await namedIndex(services, request, nameOf(request))
}

/** As `askedIndex`, for an index that the path does not name. */
export async function namedIndex(services: Services, request: FastifyRequest, name: string): Promise<OpenIndex> {
  let who = ANONYMOUS
  const asks = async () => {
    markForSome(request)
    who = await principalOf(request, services)
    return who
  }
  try {
    const opened = await services.indexes.open(name, asks)
    if (opened !== undefined) return opened
  } catch (error) {
    throw error instanceof Problem && error.code === 'not-allowed' ? readForbiddenTo(request, who) : error
  }
  throw noSuchIndex(name)
}

/** The index `/{user}/{index}` alone, for reading. Throws `no-such-index`, and what `readForbiddenTo` makes. */
export async function askedRecord(services: Services, request: AtIndex): Promise<IndexRecord> {
  const name = nameOf(request)
  const record = await services.indexes.record(name)
  if (record === undefined) throw noSuchIndex(name)
  if (record.options.acl_pkg_read === undefined) return record
  markForSome(request)
  const who = await principalOf(request, services)
  if (!services.may(who, readOf(record))) throw readForbiddenTo(request, who)
  return record
}

/** The project `/{user}/{index}/{project}`, which may or may not exist. Throws as `askedIndex`; `no-such-project` for what is no name. */
export async function askedProject(
  services: Services,
  request: AtProject,
): Promise<{ opened: OpenIndex; project: ProjectName }> {
  const opened = await askedIndex(services, request)
  const project = asProjectName(request.params.project)
  if (project === undefined) throw noSuchProject(request.params.project)
  return { opened, project }
}

/** The indexes that a list shows to the requester. */
export async function readableTo(
  services: Services,
  request: FastifyRequest,
): Promise<(index: IndexRecord) => boolean> {
  const who = await principalOf(request, services)
  return (index) => services.may(who, readOf(index))
}

/**
 * Installers hold credentials back until they are asked for them (401), and pip asks its keyring for others
 * where those it had were wrong; programs are told at once (403, as devpi does).
 */
function readForbiddenTo(request: FastifyRequest, who: Principal): Problem {
  const isAsking = request.routeOptions.config.speaks === 'text' || isPerson(request) || isInstaller(request)
  if (!isAsking || who.name !== undefined || who.publisher !== undefined) return readForbidden()
  return new Problem('login-required', 'package read forbidden without login', {
    hint: isBrowser(request)
      ? 'ask with a program that sends user and password, such as pip or curl: browsers are not asked for them'
      : 'put user and password, or a login token, into the address or into netrc',
  })
}

function nameOf({ params }: AtIndex): string {
  return `${params.user}/${params.index}`
}
