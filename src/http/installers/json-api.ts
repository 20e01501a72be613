/** `pypi/{project}[/{version}]/json` of an index, and at the server's root of the default index. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { releaseMetadata } from '../../browse/release-metadata.ts'
import type { OpenIndex } from '../../indexes/open-index.ts'
import type { IndexPage } from '../../indexes/package-index.ts'
import { noSuchProject, Problem } from '../../model/errors.ts'
import { isMirror } from '../../model/records.ts'
import { type LegacyPage, latestRelease, legacyJson } from '../../pep/legacy-json.ts'
import { legacyVulnerability } from '../../pep/legacy-vulnerability.ts'
import { asProjectName } from '../../pep/name.ts'
import { compareVersions } from '../../pep/version.ts'
import { encodePath, rootFrom } from '../answers.ts'
import { askedIndex, namedIndex } from '../asked.ts'
import { outsideBase } from '../outside.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { sendEncoded } from './encoded.ts'
import { cacheControl, packagesAddress } from './simple.ts'

type AtIndex = { user: string; index: string }
type Project = { project: string; version?: string }

export function jsonAnswers(services: Services) {
  const { defaultIndex } = services.server
  return {
    ofIndex: answer<{ Params: AtIndex & Project }>(
      { about: 'The project, or the release, in the older JSON API of the public index' },
      async (request, reply) => {
        const opened = await askedIndex(services, request)
        return await sendJsonPage(services, request, reply, opened, `${opened.record.name}/pypi`)
      },
    ),
    ofDefault: answer<{ Params: Project }>({ about: 'The same, of the default index' }, async (request, reply) =>
      sendJsonPage(services, request, reply, await namedIndex(services, request, defaultIndex), 'pypi'),
    ),
  }
}

/** `place`: of the API, below the server's root. Throws `no-such-project`, `no-such-version`, and what the index throws. */
async function sendJsonPage(
  services: Services,
  request: FastifyRequest<{ Params: Project }>,
  reply: FastifyReply,
  opened: OpenIndex,
  place: string,
): Promise<FastifyReply> {
  const { project: asked, version } = request.params
  const project = asProjectName(asked)
  if (project === undefined) throw noSuchProject(asked)
  if (project !== asked) {
    const rest = version === undefined ? 'json' : `${version}/json`
    return reply.redirect(rootFrom(request) + encodePath(`${place}/${project}/${rest}`), 301)
  }
  const page = await opened.index.project(project)
  if (page === undefined) throw noSuchProject(project)
  const legacy = legacyPage(services, request, opened, page)
  const wanted = version === undefined ? latestRelease(legacy) : findVersion(legacy.versions, version)
  if (wanted === undefined && version !== undefined) {
    throw new Problem('no-such-version', `The version ${version} of project ${project} does not exist.`)
  }
  const metadata = wanted === undefined ? {} : await releaseMetadata(services, opened, page, wanted)
  const known = wanted === undefined ? [] : await services.advisories.ofVersion(project, wanted)
  const told = {
    ...legacyJson(legacy, wanted ?? '', metadata, { isRelease: version !== undefined }),
    vulnerabilities: known.map(({ record, fixed }) => legacyVulnerability(record, fixed)),
  }
  reply.header('cache-control', cacheControl(page, opened))
  if (page.lastStamp !== undefined) reply.header('x-pypi-last-serial', String(page.lastStamp))
  return await sendEncoded(services.encoded, request, reply, 'application/json', Buffer.from(JSON.stringify(told)))
}

function legacyPage(services: Services, request: FastifyRequest, opened: OpenIndex, page: IndexPage): LegacyPage {
  const { server } = services
  const base = outsideBase(request, server)
  const { name } = opened.record
  const packages = server.takenAliases.has('packages')
    ? `${name}/packages`
    : name === server.defaultIndex
      ? 'packages'
      : `packages/${name}`
  const owner = opened.chain.find((each) => each.name === page.index)
  return {
    name: page.name,
    versions: page.versions,
    files: page.files.map((file) => ({
      ...file,
      url: `${base}/${encodePath(packagesAddress(packages, file) ?? file.url)}`,
    })),
    ...(page.lastStamp !== undefined && { lastStamp: page.lastStamp }),
    projectUrl: `${base}/${encodePath(`${name}/${page.name}`)}`,
    owners: owner === undefined || isMirror(owner) ? [] : [owner.user],
  }
}

/** As written, else in another spelling. */
function findVersion(versions: readonly string[], asked: string): string | undefined {
  return versions.find((each) => each === asked) ?? versions.find((each) => compareVersions(each, asked) === 0)
}
