/** Collects the content of a push: the files of one release on one index, without its bases, and their attachments. */
import { indexAsWritten } from '../../catalog/accounts.ts'
import { listAttachments } from '../../catalog/attachments.ts'
import type { Reader } from '../../catalog/catalog.ts'
import { listFiles } from '../../catalog/files.ts'
import { listReleases } from '../../catalog/projects.ts'
import type { Indexes } from '../../indexes/open-index.ts'
import { describeFile } from '../../mirrors/describe-file.ts'
import { type Principal, readOf } from '../../model/access.ts'
import { noSuchIndex, Problem, readForbidden } from '../../model/errors.ts'
import { type Attachment, type File, type IndexRecord, isMirror, type Release } from '../../model/records.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import type { Publishing } from '../publishing.ts'
import { checkOffersFiles } from '../status-checks.ts'
import type { PushOrder } from './push-order.ts'

export interface Pusher extends Publishing {
  readonly indexes: Pick<Indexes, 'layer'>
}

/** A row of devpi's action log: a status, what was done, and with what. */
export type ActionRow = readonly [status: number, ...what: string[]]

export interface PushedRelease {
  readonly source: IndexRecord
  readonly project: ProjectName
  readonly metadata: Release['metadata']
  /** In order of name. */
  readonly files: readonly File[]
  /** In order of name. */
  readonly results: readonly Attachment[]
  readonly documentation?: Attachment
}

/** A release that was found, and that a push may take. */
export interface FoundRelease {
  readonly source: IndexRecord
  readonly project: ProjectName
  /** The names of its files, as the page of the source lists them. */
  readonly listed: readonly string[]
}

/**
 * Finds what is to be pushed; nothing is fetched yet. In devpi's order of checks, but that who may not read the index
 * is told nothing of it. Throws `no-such-index`, `not-allowed`, `bad-request`, `no-such-file`, and what a mirror throws.
 */
export async function findPushed(
  pusher: Pusher,
  who: Principal,
  from: string,
  order: PushOrder,
): Promise<FoundRelease> {
  const source = await pusher.catalog.read((reader) => readableIndex(pusher, reader, who, from))
  const project = asProjectName(order.name)
  if (project === undefined) throw noFiles(source, order)
  if (!isMirror(source)) await pusher.catalog.read((reader) => checkOffersFiles(reader, source, project))
  // The page and not the rows: what the index does not show is not copied either.
  const page = await (await pusher.indexes.layer(source)).project(project)
  if (page?.versions.includes(order.version) !== true) throw noFiles(source, order)
  const listed = page.files.filter((file) => file.version === order.version).map((file) => file.filename)
  const found = { source, project, listed }
  if (!isMirror(source)) await pusher.catalog.read((reader) => heldRelease(reader, found, order))
  else if (listed.length === 0) throw noFiles(source, order)
  checkChoice(order)
  if (isMirror(source) && order.isDocsOnly) throw nothing(order)
  return found
}

/** To be held from before `fetchRelease` until the release is copied: the mirror makes room with other files meanwhile. */
export async function retained(
  pusher: Pusher,
  { source, project }: FoundRelease,
): Promise<AsyncDisposable | undefined> {
  return (await pusher.indexes.layer(source)).retain?.(project)
}

/** Brings a mirror's files here, with the metadata inside them. A stage's are here. Throws what the mirror throws. */
export async function fetchRelease(pusher: Pusher, { source, project, listed }: FoundRelease): Promise<void> {
  if (!isMirror(source)) return
  const layer = await pusher.indexes.layer(source)
  const waiting = [...listed]
  const fetchOneByOne = async () => {
    for (let filename = waiting.shift(); filename !== undefined; filename = waiting.shift()) {
      const found = await layer.at({ kind: 'listed', project }, filename)
      if (typeof found === 'object' && found.source.from === 'upstream') await found.source.fetch().complete()
    }
  }
  const fetches = Array.from({ length: Math.min(pusher.limits.pushFetches, listed.length) }, fetchOneByOne)
  const failed = (await Promise.allSettled(fetches)).find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  for (const filename of await undescribed(pusher, source, project, listed)) {
    await describeFile(pusher, { index: source.name, project, filename })
  }
}

/**
 * The release as its rows say now. Throws `bad-request` and `no-such-file`, worded as devpi's; `upstream-failed` when a
 * mirror's file is here no longer.
 */
export async function heldRelease(
  reader: Reader,
  { source, project, listed }: FoundRelease,
  order: PushOrder,
): Promise<PushedRelease> {
  const isAsked = (each: { readonly version: string }) => each.version === order.version
  const held = await listFiles(reader, source, project)
  const files = isMirror(source)
    ? chosen(held, listed)
    : held.filter((each) => isAsked(each) && listed.includes(each.filename))
  const release = (await listReleases(reader, source, project)).find(isAsked)
  if (release === undefined && files.length === 0) throw noFiles(source, order)
  checkChoice(order)
  const attachments = (await listAttachments(reader, source, project)).filter(isAsked)
  const documentation = attachments.find((each) => each.kind === 'doczip' && !order.isWithoutDocs)
  const pushed = {
    source,
    project,
    metadata: release?.metadata ?? metadataOf(project, order.version, files),
    files: order.isDocsOnly ? [] : files.sort(byFilename),
    results: attachments.filter((each) => each.kind === 'toxresult' && isOf(each, files)).sort(byFilename),
    ...(documentation !== undefined && { documentation }),
  }
  if (pushed.files.length === 0 && documentation === undefined) throw nothing(order)
  return pushed
}

function isOf({ ofFile }: Attachment, files: readonly File[]): boolean {
  return ofFile === undefined || files.some((file) => file.id === ofFile.id)
}

/** Throws `no-such-index` and `not-allowed`. */
async function readableIndex({ may }: Pusher, reader: Reader, who: Principal, name: string): Promise<IndexRecord> {
  const record = await indexAsWritten(reader, name)
  if (record === undefined) throw noSuchIndex(name)
  if (!may(who, readOf(record))) throw readForbidden()
  return record
}

/** The files whose metadata nobody has read yet; an sdist is read to its end, so only where no wheel tells. */
async function undescribed(
  { catalog }: Pusher,
  source: IndexRecord,
  project: ProjectName,
  filenames: readonly string[],
): Promise<string[]> {
  const { files, releases } = await catalog.read(async (reader) => ({
    files: chosen(await listFiles(reader, source, project), filenames),
    releases: await listReleases(reader, source, project),
  }))
  const wheels = files.filter((file) => file.filename.endsWith('.whl'))
  const isDescribed = wheels.length > 0 || releases.some((release) => release.version === files[0]!.version)
  const read = isDescribed ? wheels.filter((file) => file.coreMetadata === undefined) : files
  return read.map((file) => file.filename)
}

function chosen(held: readonly File[], filenames: readonly string[]): File[] {
  return filenames.map((filename) => {
    const file = held.find((each) => each.filename === filename)
    if (file !== undefined) return file
    throw new Problem('upstream-failed', `Cannot push "${filename}": it was fetched, and is here no longer`, {
      hint: 'somebody deleted it meanwhile; push again',
    })
  })
}

/** What a page tells of a release whose files carry no metadata that can be read. */
function metadataOf(name: ProjectName, version: string, files: readonly File[]): Release['metadata'] {
  const requires_python = files.find((file) => file.requiresPython !== undefined)?.requiresPython
  return { name, version, ...(requires_python !== undefined && { requires_python }) }
}

function checkChoice(order: PushOrder): void {
  if (order.isWithoutDocs && order.isDocsOnly) {
    throw new Problem('bad-request', "can't use 'no_docs' and 'only_docs' together")
  }
}

function noFiles(source: IndexRecord, { name, version }: PushOrder): Problem {
  return new Problem('bad-request', `there are no files for ${name} ${version} on stage ${source.name}`)
}

function nothing({ name, version }: PushOrder): Problem {
  return new Problem('no-such-file', `no release/files found for ${name} ${version}`)
}

function byFilename(a: { readonly filename: string }, b: { readonly filename: string }): number {
  return a.filename < b.filename ? -1 : 1
}
