/** Collects what pages for people show, from the catalog and from the indexes as installers see them. */
import { listIndexes, listUsers } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { listProjects, listReleases } from '../catalog/projects.ts'
import { searchProjects } from '../catalog/search.ts'
import type { Limits } from '../model/limits.ts'
import type { IndexRecord, User } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { compareVersions, isPrerelease } from '../pep/version.ts'
import { withoutCredentials } from './mirror-address.ts'
import { isMirror, type OpenIndex } from './open-index.ts'
import type { IndexFile, IndexPage } from './package-index.ts'
import type {
  HomeView,
  IndexLine,
  IndexView,
  ProjectView,
  ReleaseLine,
  ReleaseView,
  SearchView,
  UserView,
} from './views.ts'

/** Projects on one page of an index. */
const PROJECTS_PER_PAGE = 100

/** `isReadable`: whether who asks may know of the index. */
export async function homeView(catalog: Catalog, isReadable: (index: IndexRecord) => boolean): Promise<HomeView> {
  const { users, indexes } = await catalog.read(async (reader) => ({
    users: await listUsers(reader),
    indexes: await listIndexes(reader),
  }))
  const own = Map.groupBy(indexes.filter(isReadable), (index) => index.user)
  return { users: users.map((user) => userView(user, own.get(user.name) ?? [])) }
}

export function userView(user: User, indexes: readonly IndexRecord[]): UserView {
  return {
    name: user.name,
    indexes: indexes.map(indexLine),
    ...(user.title !== undefined && { title: user.title }),
    ...(user.description !== undefined && { description: user.description }),
  }
}

/** `after`: the name the page begins behind; empty for the first page. */
export async function indexView(catalog: Catalog, { record, chain }: OpenIndex, after: string): Promise<IndexView> {
  const rows = await catalog.read((reader) => listProjects(reader, record, after, PROJECTS_PER_PAGE + 1))
  const shown = rows.slice(0, PROJECTS_PER_PAGE)
  const { options } = record
  return {
    ...indexLine(record),
    volatile: options.volatile,
    bases: chain.slice(1).map((each) => each.name),
    aclUpload: options.type === 'stage' ? options.acl_upload : [],
    mirrorWhitelist: options.type === 'stage' ? options.mirror_whitelist : [],
    ...(options.type === 'mirror' &&
      options.mirror_url !== undefined && { upstream: withoutCredentials(options.mirror_url) }),
    projects: shown.map((row) => ({
      name: row.name,
      ...(row.latestVersion !== undefined && { version: row.latestVersion }),
      ...(row.summary !== undefined && { summary: row.summary }),
    })),
    ...(after !== '' && { after }),
    ...(rows.length > shown.length && { next: shown.at(-1)!.name }),
  }
}

/** `undefined` where the index has no such project. Throws what the index throws. */
export async function projectView(
  catalog: Catalog,
  opened: OpenIndex,
  name: ProjectName,
): Promise<ProjectView | undefined> {
  const pages = await opened.index.pages(name)
  if (pages.length === 0) return undefined
  const releases = pages.flatMap(releaseLines).sort((a, b) => compareVersions(b.version, a.version))
  const first = releases.filter((line, place) => releases.findIndex((each) => each.version === line.version) === place)
  const asked = new Set(pages.map((page) => page.index))
  const isKnownHere = pages.some((page) => !isMirror(recordOf(opened, page)))
  const shadowed = opened.chain.filter((each) => isMirror(each) && !asked.has(each.name)).map((each) => each.name)
  const latest = latestOf(first.map((line) => line.version))
  const about = latest === undefined ? undefined : await metadataOf(catalog, opened, pages, name, latest)
  const status = pages.find((page) => page.status !== undefined)?.status
  const upstreamPage = upstreamPageOf(opened, pages, name)
  return {
    index: opened.record.name,
    name,
    releases: first,
    ...(about?.summary !== undefined && { summary: text(about.summary) }),
    ...(status !== undefined && status.status !== 'active' && { status }),
    ...(isKnownHere && shadowed.length > 0 && { shadowedMirrors: shadowed }),
    ...(upstreamPage !== undefined && { upstreamPage }),
  }
}

/** `version` may be `latest`. `undefined` where the index has no such project or version. */
export async function releaseView(
  catalog: Catalog,
  opened: OpenIndex,
  name: ProjectName,
  version: string,
): Promise<ReleaseView | undefined> {
  const pages = await opened.index.pages(name)
  const versions = [...new Set(pages.flatMap((page) => page.versions))]
  const latest = latestOf(versions)
  const wanted = version === 'latest' ? latest : versions.find((each) => each === version)
  if (wanted === undefined) return undefined
  const metadata = (await metadataOf(catalog, opened, pages, name, wanted)) ?? {}
  const files = new Map<string, IndexFile>()
  for (const file of pages.flatMap((page) => page.files)) {
    if (file.version === wanted && !files.has(file.filename)) files.set(file.filename, file)
  }
  const requiresPython =
    text(metadata.requires_python) || [...files.values()].find((file) => file.requiresPython)?.requiresPython
  const contentType = text(metadata.description_content_type)
  return {
    index: opened.record.name,
    name,
    version: wanted,
    ...(latest !== undefined && compareVersions(latest, wanted) > 0 && { newer: latest }),
    ...(text(metadata.summary) !== '' && { summary: text(metadata.summary) }),
    ...(requiresPython && { requiresPython }),
    facts: factsOf(metadata),
    files: [...files.values()].sort((a, b) => (a.filename < b.filename ? -1 : 1)).map(fileLine),
    ...(text(metadata.description) !== '' && {
      description: { text: text(metadata.description), ...(contentType !== '' && { contentType }) },
    }),
  }
}

/** `isReadable`: whether who asks may know of the index. */
export async function searchView(
  catalog: Catalog,
  query: string,
  limits: Limits,
  isReadable: (index: IndexRecord) => boolean,
): Promise<SearchView> {
  const asked = query.slice(0, limits.searchText)
  const hits = await catalog.read(async (reader) => {
    const hidden = (await listIndexes(reader)).filter((index) => !isReadable(index)).map((index) => index.id)
    return await searchProjects(reader, asked, limits.searchHits + 1, hidden)
  })
  return { query: asked, hits: hits.slice(0, limits.searchHits), more: hits.length > limits.searchHits }
}

type Metadata = Readonly<Record<string, string | readonly string[]>>

/** What is told of a release, in the order people look for it. */
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

function releaseLines(page: IndexPage): ReleaseLine[] {
  const groups = Map.groupBy(page.files, (file) => file.version)
  return page.versions.map((version) => {
    const files = groups.get(version) ?? []
    const times = files.flatMap((file) => file.uploadTime ?? []).sort()
    const newest = times.at(-1)
    return {
      version,
      index: page.index,
      files: files.length,
      yanked: files.length > 0 && files.every((file) => file.yanked !== undefined),
      ...(newest !== undefined && { uploadTime: newest }),
    }
  })
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

function recordOf(opened: OpenIndex, page: IndexPage): IndexRecord {
  return opened.chain.find((each) => each.name === page.index)!
}

function indexLine(record: IndexRecord): IndexLine {
  const { type, title, description } = record.options
  return {
    name: record.name,
    type,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
  }
}

/** The newest that is no pre-release, else the newest. */
function latestOf(versions: readonly string[]): string | undefined {
  const sorted = [...versions].sort((a, b) => compareVersions(b, a))
  return sorted.find((each) => !isPrerelease(each)) ?? sorted[0]
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(', ') ?? '')
}
