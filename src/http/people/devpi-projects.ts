/** devpi's JSON API for what is on an index: its projects, their versions and files. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { listAttachments } from '../../catalog/attachments.ts'
import { listFiles } from '../../catalog/files.ts'
import { listReleases } from '../../catalog/projects.ts'
import { isMirror, type OpenIndex } from '../../indexes/open-index.ts'
import type { IndexFile, IndexPage } from '../../indexes/package-index.ts'
import { heldNames } from '../../indexes/stage.ts'
import { Problem } from '../../model/errors.ts'
import { fileAddress } from '../../model/file-address.ts'
import { shownOptions } from '../../model/index-options.ts'
import type { Attachment, File, IndexRecord } from '../../model/records.ts'
import { LIST_FORMS, type NameList } from '../../names/name-list.ts'
import type { ProjectName } from '../../pep/name.ts'
import { compareVersions, isPrerelease } from '../../pep/version.ts'
import { EMPTY_METADATA } from '../../publish/form-metadata.ts'
import { encodePath, sendJson, sendResult } from '../answers.ts'
import { sendReady } from '../installers/project-list.ts'
import { outsideBase } from '../outside.ts'
import type { Services } from '../services.ts'

type VersionData = Record<string, unknown>

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
      const strings = each.value.map((name) => LIST_FORMS.strings.entry(name)).join(',')
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
  readonly batches: AsyncGenerator<readonly ProjectName[]>
  readonly warning?: string
}

/** The names on this very index. Without upstream's list those that can be delivered, as devpi has it, and a sentence that says so. */
async function namesOf({ catalog, mirrors }: Services, record: IndexRecord): Promise<OwnNames> {
  const batches = heldNames(catalog, record)
  if (!isMirror(record)) return { batches }
  try {
    const ready = await (await mirrors.get(record)).list()
    return { batches, ...(ready !== undefined && { ready }) }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'upstream-failed') throw error
    return { batches, warning: error.message }
  }
}

/** Version → data, newest first: the first layer that has a version gives it, later ones stand under `+shadowing`. */
async function versionsOf(
  services: Services,
  request: FastifyRequest,
  opened: OpenIndex,
  project: ProjectName,
): Promise<Map<string, VersionData>> {
  const base = outsideBase(request, services.server)
  const isAlone = 'ignore_bases' in (request.query as object)
  const own = isAlone ? await (await services.indexes.layer(opened.record)).project(project) : undefined
  const pages = isAlone ? (own === undefined ? [] : [own]) : await opened.index.pages(project)
  const merged = new Map<string, VersionData>()
  for (const page of pages) {
    const record = opened.chain.find((each) => each.name === page.index)!
    const layer = isMirror(record)
      ? await mirrored(services, record, page, base)
      : await staged(services, record, page, base)
    for (const [version, data] of layer) {
      const before = merged.get(version)
      if (before === undefined) merged.set(version, data)
      else before['+shadowing'] = [...((before['+shadowing'] as VersionData[] | undefined) ?? []), data]
    }
  }
  return new Map([...merged].sort(([a], [b]) => compareVersions(b, a)))
}

async function staged(
  { catalog }: Services,
  record: IndexRecord,
  page: IndexPage,
  base: string,
): Promise<Map<string, VersionData>> {
  const { releases, files, attachments } = await catalog.read(async (reader) => ({
    releases: await listReleases(reader, record, page.name),
    files: await listFiles(reader, record, page.name),
    attachments: await listAttachments(reader, record, page.name),
  }))
  const held = new Map(files.map((file) => [file.filename, file]))
  return new Map(
    releases.map((release) => {
      const isHere = (each: { readonly version: string }) => each.version === release.version
      const links = [
        ...page.files
          .filter(isHere)
          .map((file) => ({ ...link(file, base), log: told(held.get(file.filename)?.log ?? []) })),
        ...attachments.filter(isHere).map((each) => attached(each, held, base)),
      ]
      const yanked = yankOf(files.filter(isHere))
      return [
        release.version,
        {
          ...EMPTY_METADATA,
          ...release.metadata,
          ...(yanked !== undefined && { yanked }),
          ...(links.length > 0 && { '+links': links }),
        },
      ]
    }),
  )
}

/** Of a release of which every file is yanked. */
function yankOf(files: readonly File[]): File['yanked'] {
  return files.every((file) => file.yanked !== undefined) ? files[0]?.yanked : undefined
}

function attached(attachment: Attachment, files: ReadonlyMap<string, File>, base: string): VersionData {
  const { index, addressHash, filename, digest } = attachment
  const of = attachment.ofFile && files.get(attachment.ofFile.filename)
  const href = (hash: string, name: string) => `${base}/${encodePath(fileAddress(index, hash, name))}`
  return {
    rel: attachment.kind,
    href: href(addressHash, filename),
    hash_spec: `sha256=${digest}`,
    hashes: { sha256: digest },
    ...(of !== undefined && { for_href: href(of.addressHash, of.filename) }),
    log: told(attachment.log),
  }
}

/** Nobody is told of as such. */
function told(log: File['log']): readonly VersionData[] {
  return log.map((event) => ({ who: null, ...event }))
}

async function mirrored(
  { catalog }: Services,
  record: IndexRecord,
  page: IndexPage,
  base: string,
): Promise<Map<string, VersionData>> {
  const { held, attachments } = await catalog.read(async (reader) => {
    const attachments = await listAttachments(reader, record, page.name)
    const files = attachments.length === 0 ? [] : await listFiles(reader, record, page.name)
    return { attachments, held: new Map(files.map((file) => [file.filename, file])) }
  })
  // A file whose name tells no version is on the simple page only.
  const groups = Map.groupBy(
    page.files.filter((file) => file.version !== ''),
    (file) => file.version,
  )
  return new Map(
    [...groups].map(([version, files]) => {
      const requiresPython = files.find((file) => file.requiresPython !== undefined)?.requiresPython
      const yanked = files.find((file) => file.yanked !== undefined)?.yanked
      return [
        version,
        {
          name: page.name,
          version,
          ...(requiresPython !== undefined && { requires_python: requiresPython }),
          ...(yanked !== undefined && { yanked }),
          '+links': [
            ...files.map((file) => link(file, base)),
            ...attachments.filter((each) => each.version === version).map((each) => attached(each, held, base)),
          ],
        },
      ]
    }),
  )
}

function link(file: IndexFile, base: string): VersionData {
  const [[algorithm, digest] = []] = Object.entries(file.hashes)
  return {
    rel: 'releasefile',
    href: `${base}/${encodePath(file.url)}`,
    ...(digest !== undefined && { hash_spec: `${algorithm}=${digest}` }),
    hashes: file.hashes,
  }
}

/** As written, or `latest` and `stable` as devpi-web understands them. */
function findVersion(versions: ReadonlyMap<string, VersionData>, wanted: string): VersionData | undefined {
  const known = versions.get(wanted)
  if (known !== undefined || (wanted !== 'latest' && wanted !== 'stable')) return known
  const stable = [...versions.keys()].find((version) => !isPrerelease(version))
  return wanted === 'stable' && stable !== undefined ? versions.get(stable) : versions.values().next().value
}
