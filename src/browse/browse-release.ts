/** Builds the view models of a project and of a release from every layer of the index. */
import type { Catalog } from '../catalog/catalog.ts'
import { listReleases } from '../catalog/projects.ts'
import { chainStatus } from '../indexes/chain-status.ts'
import type { OpenIndex } from '../indexes/open-index.ts'
import type { IndexFile, IndexPage } from '../indexes/package-index.ts'
import { type IndexRecord, isMirror } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ProjectStatus } from '../pep/simple.ts'
import { compareVersions, isPrerelease } from '../pep/version.ts'
import {
  type AttachmentReaders,
  attachmentsOf,
  documentationZip,
  releaseAttachments,
  testState,
} from './browse-attachments.ts'
import type { Provenances } from './provenance.ts'
import type { ToxBudget } from './tox-results.ts'
import type { FileLine, ProjectView, ReleaseLine, ReleaseView } from './views.ts'

/** `undefined` where the index has no such project. Throws what the index throws. */
export async function projectView(
  from: AttachmentReaders,
  opened: OpenIndex,
  name: ProjectName,
): Promise<ProjectView | undefined> {
  const pages = await opened.index.pages(name)
  if (pages.length === 0) return undefined
  const budget = from.toxResults.budget()
  const lines: ReleaseLine[] = []
  for (const page of pages) lines.push(...(await releaseLines(from, recordOf(opened, page), page, budget)))
  const releases = lines.sort((a, b) => compareVersions(b.version, a.version))
  const first = releases.filter((line, place) => releases.findIndex((each) => each.version === line.version) === place)
  const asked = new Set(pages.map((page) => page.index))
  const isKnownHere = pages.some((page) => !isMirror(recordOf(opened, page)))
  const shadowed = opened.chain.filter((each) => isMirror(each) && !asked.has(each.name)).map((each) => each.name)
  const latest = latestOf(first.map((line) => line.version))
  const about = latest === undefined ? undefined : await metadataOf(from.catalog, opened, pages, name, latest)
  const status = statusOf(opened, pages)
  const upstreamPage = upstreamPageOf(opened, pages, name)
  return {
    index: opened.record.name,
    name,
    releases: first,
    ...(about?.summary !== undefined && { summary: text(about.summary) }),
    ...(status !== undefined && { status }),
    ...(isKnownHere && shadowed.length > 0 && { shadowedMirrors: shadowed }),
    ...(upstreamPage !== undefined && { upstreamPage }),
  }
}

/** `version` may be `latest` or, without pre-releases, `stable`. `undefined` where the index has no such project or version. */
export async function releaseView(
  from: AttachmentReaders & { readonly provenances: Pick<Provenances, 'line'> },
  opened: OpenIndex,
  name: ProjectName,
  version: string,
): Promise<ReleaseView | undefined> {
  const pages = await opened.index.pages(name)
  const versions = [...new Set(pages.flatMap((page) => page.versions))]
  const latest = latestOf(versions)
  const isStable = version === 'stable' && latest !== undefined && !isPrerelease(latest)
  const wanted = version === 'latest' || isStable ? latest : versions.find((each) => each === version)
  if (wanted === undefined) return undefined
  const metadata = (await metadataOf(from.catalog, opened, pages, name, wanted)) ?? {}
  const files = new Map<string, IndexFile>()
  for (const file of pages.flatMap((page) => page.files)) {
    if (file.version === wanted && !files.has(file.filename)) files.set(file.filename, file)
  }
  const requiresPython =
    text(metadata.requires_python) || [...files.values()].find((file) => file.requiresPython)?.requiresPython
  const shown = [...files.values()].sort((a, b) => (a.filename < b.filename ? -1 : 1))
  const contentType = text(metadata.description_content_type)
  const status = statusOf(opened, pages)
  return {
    index: opened.record.name,
    name,
    version: wanted,
    ...(latest !== undefined && compareVersions(latest, wanted) > 0 && { newer: latest }),
    ...(status !== undefined && { status }),
    ...(text(metadata.summary) !== '' && { summary: text(metadata.summary) }),
    ...(requiresPython && { requiresPython }),
    facts: factsOf(metadata),
    files: await Promise.all(
      shown.map(async (file) => ({ ...fileLine(file), ...(await attested(from.provenances, opened, name, file)) })),
    ),
    ...(await releaseAttachments(from, opened, name, wanted, shown)),
    ...(text(metadata.description) !== '' && {
      description: { text: text(metadata.description), ...(contentType !== '' && { contentType }) },
    }),
  }
}

type Metadata = Readonly<Record<string, string | readonly string[]>>

/** The shown metadata of a release, in the order people look for it. */
const FACTS: readonly (readonly [label: string, key: string])[] = [
  ['Author', 'author'],
  ['Author email', 'author_email'],
  ['Maintainer', 'maintainer'],
  ['Maintainer email', 'maintainer_email'],
  ['License', 'license_expression'],
  ['License', 'license'],
  ['Home page', 'home_page'],
  ['Project URLs', 'project_urls'],
  ['Keywords', 'keywords'],
  ['Requires', 'requires_dist'],
  ['Extras', 'provides_extras'],
  ['Classifiers', 'classifiers'],
]

function factsOf(metadata: Metadata): ReleaseView['facts'] {
  return FACTS.flatMap(([label, key]) => {
    const value = metadata[key]
    const values = (typeof value === 'string' ? [value] : (value ?? [])).filter((each) => each !== '')
    return values.length === 0 ? [] : [{ label, values }]
  })
}

/** What is registered for the release on the first layer that has it. */
async function metadataOf(
  catalog: Catalog,
  opened: OpenIndex,
  pages: readonly IndexPage[],
  name: ProjectName,
  version: string,
): Promise<Metadata | undefined> {
  for (const page of pages) {
    const record = recordOf(opened, page)
    const releases = await catalog.read((reader) => listReleases(reader, record, name))
    const found = releases.find((release) => release.version === version)
    if (found !== undefined) return found.metadata
  }
  return undefined
}

async function releaseLines(
  from: AttachmentReaders,
  record: IndexRecord,
  page: IndexPage,
  budget: ToxBudget,
): Promise<ReleaseLine[]> {
  const groups = Map.groupBy(page.files, (file) => file.version)
  const attachments = isMirror(record) ? [] : await attachmentsOf(from, record, page.name as ProjectName)
  const lines: ReleaseLine[] = []
  for (const version of page.versions.toSorted((a, b) => compareVersions(b, a))) {
    const files = groups.get(version) ?? []
    const newest = files
      .flatMap((file) => file.uploadTime ?? [])
      .sort()
      .at(-1)
    const own = attachments.filter((each) => each.version === version)
    const documentation = documentationZip(own)
    const tests = await testState(from, own, budget)
    lines.push({
      version,
      index: page.index,
      files: files.length,
      yanked: files.length > 0 && files.every((file) => file.yanked !== undefined),
      ...(newest !== undefined && { uploadTime: newest }),
      ...(documentation !== undefined && { documentation }),
      ...(tests !== undefined && { tests }),
    })
  }
  return lines
}

async function attested(
  provenances: Pick<Provenances, 'line'>,
  opened: OpenIndex,
  name: ProjectName,
  file: IndexFile,
): Promise<Pick<FileLine, 'provenance'>> {
  if (file.provenance === undefined) return {}
  const record = opened.chain.find((each) => each.name === file.index)
  const line = record && (await provenances.line(record, name, file.filename))
  return { provenance: { path: file.provenance, ...(line !== undefined && { line }) } }
}

function fileLine(file: IndexFile) {
  return {
    filename: file.filename,
    path: file.url,
    held: file.held,
    ...(file.size !== undefined && { sizeBytes: file.size }),
    ...(file.uploadTime !== undefined && { uploadTime: file.uploadTime }),
    ...(file.hashes.sha256 !== undefined && { sha256: file.hashes.sha256 }),
    ...(file.requiresPython !== undefined && { requiresPython: file.requiresPython }),
    ...(file.yanked !== undefined && { yanked: file.yanked }),
  }
}

function upstreamPageOf(opened: OpenIndex, pages: readonly IndexPage[], name: ProjectName): string | undefined {
  for (const page of pages) {
    const { options } = recordOf(opened, page)
    if (options.type === 'mirror' && options.mirror_web_url_fmt !== undefined) {
      return options.mirror_web_url_fmt.replace('{name}', encodeURIComponent(name))
    }
  }
  return undefined
}

/** Where it is not active. */
function statusOf(opened: OpenIndex, pages: readonly IndexPage[]): ProjectStatus | undefined {
  const says = pages.map((page) => ({ isStage: !isMirror(recordOf(opened, page)), status: page.status }))
  const status = chainStatus(says)
  return status?.status === 'active' ? undefined : status
}

function recordOf(opened: OpenIndex, page: IndexPage): IndexRecord {
  return opened.chain.find((each) => each.name === page.index)!
}

/** The newest that is no pre-release, else the newest. */
function latestOf(versions: readonly string[]): string | undefined {
  const sorted = [...versions].sort((a, b) => compareVersions(b, a))
  return sorted.find((each) => !isPrerelease(each)) ?? sorted[0]
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(', ') ?? '')
}
