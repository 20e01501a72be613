/** Builds the view models of pages for people, from the catalog and from the indexes as installers see them. */
import { listIndexes } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { ProjectRow } from '../catalog/projects.ts'
import { searchProjects } from '../catalog/search.ts'
import { heldProjects } from '../indexes/held.ts'
import type { Indexes, OpenIndex } from '../indexes/open-index.ts'
import { withoutCredentials } from '../mirrors/mirror-address.ts'
import type { Limits } from '../model/limits.ts'
import { type IndexRecord, isMirror } from '../model/records.ts'
import { type Account, listAccounts } from './accounts.ts'
import { type AttachmentReaders, attachmentsOf, testState } from './browse-attachments.ts'
import type { HomeView, IndexLine, IndexView, ProjectLine, SearchView, UserView } from './views.ts'

/** Projects on one page of an index. */
const PROJECTS_PER_PAGE = 100

/** `isReadable`: whether the requester may read the index. */
export async function homeView(catalog: Catalog, isReadable: (index: IndexRecord) => boolean): Promise<HomeView> {
  return { users: (await listAccounts(catalog, isReadable)).map(userView) }
}

export function userView({ user, indexes }: Account): UserView {
  return {
    name: user.name,
    indexes: indexes.map(indexLine),
    ...(user.title !== undefined && { title: user.title }),
    ...(user.description !== undefined && { description: user.description }),
  }
}

/** `after`: the name the page begins behind; empty for the first page. */
export async function indexView(
  from: AttachmentReaders,
  { record, chain }: OpenIndex,
  after: string,
): Promise<IndexView> {
  const rows = await from.catalog.read((reader) => heldProjects(reader, record, after, PROJECTS_PER_PAGE + 1))
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
    projects: await projectLines(from, record, shown),
    ...(after !== '' && { after }),
    ...(rows.length > shown.length && { next: shown.at(-1)!.name }),
  }
}

/** `isReadable`: whether the requester may read the index. */
export async function searchView(
  { catalog, indexes }: { readonly catalog: Catalog; readonly indexes: Pick<Indexes, 'shownLine'> },
  query: string,
  limits: Limits,
  isReadable: (index: IndexRecord) => boolean,
): Promise<SearchView> {
  const asked = query.slice(0, limits.searchText)
  const hits = await catalog.read(async (reader) => {
    const hidden = (await listIndexes(reader)).filter((index) => !isReadable(index)).map((index) => index.id)
    return await searchProjects(reader, asked, limits.searchHits + 1, hidden)
  })
  const words = asked.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  const shown = await Promise.all(
    hits.slice(0, limits.searchHits).map(async (hit) => {
      const line = await indexes.shownLine(hit.index, hit)
      // The texts that were searched are those of the newest release: where that is hidden, only its name may be found.
      const isByText = line?.version !== hit.version && !words.every((word) => hit.name.includes(word))
      return isByText ? undefined : line
    }),
  )
  return { query: asked, hits: shown.filter((hit) => hit !== undefined), more: hits.length > limits.searchHits }
}

async function projectLines(
  from: AttachmentReaders,
  record: IndexRecord,
  rows: readonly ProjectRow[],
): Promise<ProjectLine[]> {
  const budget = from.toxResults.budget()
  const lines: ProjectLine[] = []
  for (const row of rows) {
    const { name, status } = row
    const line = await from.indexes.shownLine(record.name, {
      name,
      ...(row.latestVersion !== undefined && { version: row.latestVersion }),
      ...(row.summary !== undefined && { summary: row.summary }),
    })
    const { version: latestVersion, summary } = line ?? {}
    const all = isMirror(record) ? [] : await attachmentsOf(from, record, name)
    const own = all.filter((each) => each.version === latestVersion)
    const tests = await testState(from, own, budget)
    lines.push({
      name,
      ...(latestVersion !== undefined && { version: latestVersion }),
      ...(summary !== undefined && { summary }),
      ...(status !== undefined && { status }),
      ...(own.some((each) => each.kind === 'doczip') && { isDocumented: true }),
      ...(tests !== undefined && { tests }),
    })
  }
  return lines
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
