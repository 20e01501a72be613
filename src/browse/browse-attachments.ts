/** Builds the view models of documentation, test results and histories of files. */
import { listAttachments } from '../catalog/attachments.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import type { Indexes, OpenIndex } from '../indexes/open-index.ts'
import type { IndexFile } from '../indexes/package-index.ts'
import { Problem } from '../model/errors.ts'
import { fileAddress } from '../model/file-address.ts'
import { type Attachment, type IndexRecord, isMirror, type LogEntry } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DocumentationZip, FileHistory, FileTests, TestResultView, TestsView } from './attachment-views.ts'
import type { Documentation } from './documentation.ts'
import type { ToxState } from './tox-report.ts'
import { overallState, type ToxBudget, type ToxResults } from './tox-results.ts'
import type { ReleaseView } from './views.ts'

export interface AttachmentReaders {
  readonly catalog: Catalog
  readonly indexes: Pick<Indexes, 'shownLine'>
  readonly documentation: Documentation
  readonly toxResults: ToxResults
}

/** What is attached to the project's releases on this very index, oldest first. */
export async function attachmentsOf(
  { catalog }: Pick<AttachmentReaders, 'catalog'>,
  record: IndexRecord,
  project: ProjectName,
): Promise<Attachment[]> {
  return await catalog.read((reader) => listAttachments(reader, record, project))
}

/** The zip among what is attached to one release. */
export function documentationZip(attachments: readonly Attachment[]): DocumentationZip | undefined {
  const zip = attachments.find((each) => each.kind === 'doczip')
  return zip && { index: zip.index, path: pathOf(zip) }
}

/** How the newest tests of one release went; `undefined` where there are none. */
export async function testState(
  { toxResults }: AttachmentReaders,
  attachments: readonly Attachment[],
  budget: ToxBudget,
): Promise<ToxState | undefined> {
  const results = attachments.filter((each) => each.kind === 'toxresult')
  const groups = Map.groupBy(results.reverse(), (each) => each.ofFile?.id)
  const lines = []
  for (const group of groups.values()) lines.push(...(await toxResults.lines(group, budget, true)))
  return overallState(lines) ?? (results.length > 0 ? 'unknown' : undefined)
}

/** Documentation, tests and histories for the page of a release whose `files` are shown. */
export async function releaseAttachments(
  from: AttachmentReaders,
  opened: OpenIndex,
  project: ProjectName,
  version: string,
  files: readonly IndexFile[],
): Promise<Pick<ReleaseView, 'documentation' | 'tests' | 'history'>> {
  const budget = from.toxResults.budget()
  const tests: FileTests[] = []
  const histories = new Map<string, FileHistory>()
  let documentation: ReleaseView['documentation']
  for (const record of opened.chain.filter((each) => !isMirror(each))) {
    const attachments = (await attachmentsOf(from, record, project)).filter((each) => each.version === version)
    const zip = attachments.find((each) => each.kind === 'doczip')
    if (zip !== undefined && documentation === undefined) {
      const isReadable = (await from.documentation.members(zip)).has('index.html')
      documentation = { index: zip.index, path: pathOf(zip), isReadable }
    }
    const own = new Set(files.filter((file) => file.index === record.name).map((file) => file.filename))
    if (own.size === 0) continue
    for (const filename of own) {
      const results = resultsOf(attachments, filename)
      if (results.length === 0) continue
      const lines = await from.toxResults.lines(results, budget, true)
      tests.push({ index: record.name, filename, lines })
    }
    for (const file of await from.catalog.read((reader) => listFiles(reader, record, project))) {
      if (!own.has(file.filename) || file.log.length === 0) continue
      histories.set(file.filename, { filename: file.filename, events: file.log.map(eventOf) })
    }
  }
  const history = files.flatMap((file) => histories.get(file.filename) ?? [])
  return {
    ...(documentation !== undefined && { documentation }),
    ...(tests.length > 0 && { tests }),
    ...(history.length > 0 && { history }),
  }
}

/** Throws `no-such-file` where the release has no such file, or the file no test results. */
export async function testsView(
  from: AttachmentReaders,
  record: IndexRecord,
  {
    project,
    version,
    filename,
  }: { readonly project: ProjectName; readonly version: string; readonly filename: string },
): Promise<TestsView> {
  const attachments = (await attachmentsOf(from, record, project)).filter((each) => each.version === version)
  const results = resultsOf(attachments, filename)
  if (results.length === 0) throw noResults(filename)
  const lines = await from.toxResults.lines(results, from.toxResults.budget(), false)
  return { index: record.name, name: project, version, filename, lines }
}

/** Throws `no-such-file`. */
export async function testResultView(
  from: AttachmentReaders,
  record: IndexRecord,
  {
    project,
    version,
    filename,
  }: { readonly project: ProjectName; readonly version: string; readonly filename: string },
  name: string,
): Promise<TestResultView> {
  const attachments = (await attachmentsOf(from, record, project)).filter((each) => each.version === version)
  const result = resultsOf(attachments, filename).find((each) => each.filename === name)
  if (result === undefined) throw new Problem('no-such-file', `${filename} has no test result ${name}`)
  const environments = await from.toxResults.report(result)
  return {
    index: record.name,
    name: project,
    version,
    filename,
    result: name,
    path: pathOf(result),
    ...(environments !== undefined && { environments }),
  }
}

/** The results of a file, newest first. */
function resultsOf(attachments: readonly Attachment[], filename: string): Attachment[] {
  return attachments.filter((each) => each.kind === 'toxresult' && each.ofFile?.filename === filename).reverse()
}

export function noResults(filename: string): Problem {
  return new Problem('no-such-file', `There are no test results of ${filename}`)
}

function pathOf({ index, addressHash, filename }: Attachment): string {
  return fileAddress(index, addressHash, filename)
}

const EVENTS = { upload: 'uploaded', push: 'pushed', overwrite: 'replaced' } as const

function eventOf({ what, who, when, src, dst, count }: LogEntry): FileHistory['events'][number] {
  const [year, month, day, hour, minute, second] = when ?? []
  const time = new Date(Date.UTC(year ?? Number.NaN, (month ?? 1) - 1, day, hour, minute, second))
  return {
    what: EVENTS[what],
    ...(who && { who }),
    ...(!Number.isNaN(time.getTime()) && { when: time.toISOString() }),
    ...(src && { from: src }),
    ...(dst && { to: dst }),
    ...(count !== undefined && { count }),
  }
}
