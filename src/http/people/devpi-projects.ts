/** devpi's JSON API for what is on an index: its projects, their versions and files. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { devpiVersions, findVersion, type VersionData } from '../../browse/devpi-versions.ts'
import { heldListed } from '../../indexes/held.ts'
import type { OpenIndex } from '../../indexes/open-index.ts'
import { Problem } from '../../model/errors.ts'
import { shownOptions } from '../../model/index-options.ts'
import { type IndexRecord, isMirror } from '../../model/records.ts'
import type { ListedName } from '../../names/name-batches.ts'
import { LIST_FORMS, type NameList } from '../../names/name-list.ts'
import type { ProjectName } from '../../pep/name.ts'
import { encodePath, sendJson, sendResult } from '../answers.ts'
import { sendReady } from '../installers/project-list.ts'
import { outsideBase } from '../outside.ts'
import type { Services } from '../services.ts'

/** `GET /user/index`: the options and, unless `?no_projects`, the names on this very index (for a mirror: upstream's list). */
export async function sendIndex(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
): Promise<FastifyReply> {
  const { record } = opened
  if ('no_projects' in (request.query as object))
    return sendResult(reply, 200, 'indexconfig', shownOptions(record.options))
  const names = await namesOf(services, record)
  const warnings = names.warning === undefined ? {} : { warnings: [names.warning] }
  const text = JSON.stringify({ result: shownOptions(record.options), type: 'indexconfig', ...warnings }, null, 2)
  const place = text.lastIndexOf('\n  },\n  "type"')
  const head = `${text.slice(0, place)},\n    "projects": [`
  const tail = `]${text.slice(place)}\n`
  if (names.ready !== undefined) {
    return await sendReady(request, reply, names.ready, {
      form: 'strings',
      type: 'application/json',
      head,
      tail: `\n    ${tail}`,
    })
  }
  const { batches } = names
  const first = await batches.next()
  async function* chunks() {
    yield head
    for (let each = first; !each.done; each = await batches.next()) {
      const strings = each.value.map(({ name }) => LIST_FORMS.strings.entry(name)).join(',')
      yield each === first ? strings : `,${strings}`
    }
    yield first.done ? tail : `\n    ${tail}`
  }
  return reply.header('content-type', 'application/json').send(Readable.from(chunks(), { objectMode: false }))
}

/** `GET /user/index/project/version`. Throws `no-such-version`. */
export async function sendVersion(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  project: ProjectName,
  version: string,
): Promise<FastifyReply> {
  const found = findVersion(await versionsOf(services, request, opened, project), version)
  if (found === undefined) {
    throw new Problem('no-such-version', `The version ${version} of project ${project} does not exist.`)
  }
  return sendResult(reply, 200, 'versiondata', found)
}

/** `GET /user/index/project`: every version with its data. */
export async function sendProject(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenIndex,
  project: ProjectName,
): Promise<FastifyReply> {
  let versions: Map<string, VersionData>
  try {
    versions = await versionsOf(services, request, opened, project)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'upstream-blank') throw error
    // People see it as devpi shows it, with the reason; installers are refused, for they would take it for nothing to install.
    return sendJson(reply, 200, { result: {}, type: 'projectconfig', warnings: [error.message] })
  }
  // A project without releases, or with none on this very index, is known and empty, as devpi has it.
  if (versions.size === 0 && (await opened.index.pages(project)).length === 0) {
    throw new Problem('no-such-project', `no project '${project}'`)
  }
  return sendResult(reply, 200, 'projectconfig', Object.fromEntries(versions))
}

interface OwnNames {
  readonly ready?: NameList
  readonly batches: AsyncGenerator<readonly ListedName[]>
  readonly warning?: string
}

/** The names on this very index. Without upstream's list those that can be delivered, as devpi has it, and a sentence that says so. */
async function namesOf({ catalog, mirrors }: Services, record: IndexRecord): Promise<OwnNames> {
  const batches = heldListed(catalog, record)
  if (!isMirror(record)) return { batches }
  try {
    const ready = await (await mirrors.get(record)).list()
    return { batches, ...(ready !== undefined && { ready }) }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'upstream-failed') throw error
    return { batches, warning: error.message }
  }
}

async function versionsOf(
  services: Services,
  request: FastifyRequest,
  opened: OpenIndex,
  project: ProjectName,
): Promise<Map<string, VersionData>> {
  const base = outsideBase(request, services.server)
  const isAlone = 'ignore_bases' in (request.query as object)
  const href = (path: string) => `${base}/${encodePath(path)}`
  return await devpiVersions(services, opened, project, { isAlone, href })
}
