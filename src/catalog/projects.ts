/** Projects and releases of one index. */
import type { Change, File, IndexRecord, Release } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ProjectStatus } from '../pep/simple.ts'
import { compareVersions } from '../pep/version.ts'
import type { Reader, Writer } from './catalog.ts'
import { asStatus, indexForSearch } from './search.ts'
import { statement } from './statement.ts'

const PROJECT = statement<{ index: number; name: string }>()((db, { index, name }) =>
  db.selectFrom('projects').selectAll().where('index_id', '=', index).where('name', '=', name),
)
const NEW_PROJECT = statement<{ index_id: number; name: string }>()((db, { index_id, name }) =>
  db.insertInto('projects').values({ index_id, name }).returning('id'),
)
const DESCRIBE = statement<{ id: number; version: string; summary: string }>()((db, { id, version, summary }) =>
  db.updateTable('projects').set({ latest_version: version, summary }).where('id', '=', id),
)
const STAMP = statement<{ index: string; name: string; stamp: number }>()((db, { index, name, stamp }) =>
  db
    .updateTable('projects')
    .set({ stamp })
    .where('index_id', '=', (eb) => eb.selectFrom('indexes').select('id').where('name', '=', index))
    .where('name', '=', name),
)
const RELEASE = statement<{ index: number; name: string; version: string }>()((db, { index, name, version }) =>
  db
    .selectFrom('releases')
    .innerJoin('projects', 'projects.id', 'releases.project_id')
    .select('releases.metadata')
    .where('projects.index_id', '=', index)
    .where('projects.name', '=', name)
    .where('releases.version', '=', version),
)
const SAVE_RELEASE = statement<{ project_id: number; version: string; metadata: string }>()((db, row) =>
  db
    .insertInto('releases')
    .values({ project_id: row.project_id, version: row.version, metadata: row.metadata })
    .onConflict((conflict) => conflict.columns(['project_id', 'version']).doUpdateSet({ metadata: row.metadata })),
)

export interface ProjectRow {
  readonly id: number
  readonly name: ProjectName
  readonly latestVersion?: string
  readonly summary?: string
  /** PEP 792, as its owner set it; absent where nobody did. */
  readonly status?: ProjectStatus
  /** Of its last change: see `Catalog.stamp`. */
  readonly stamp: number
}

/** Whether the index knows the name: a registered release is enough, files are not needed (devpi's shadowing rule). */
export async function findProject(
  reader: Reader,
  index: IndexRecord,
  name: ProjectName,
): Promise<ProjectRow | undefined> {
  const row = await PROJECT.first(reader, { index: index.id, name })
  return row && asProject(row)
}

/** In order of name, those after `after`, at most `most`. */
export async function listProjects(
  { db }: Reader,
  index: IndexRecord,
  after: string,
  most: number,
): Promise<ProjectRow[]> {
  const rows = await db
    .selectFrom('projects')
    .selectAll()
    .where('index_id', '=', index.id)
    .where('name', '>', after)
    .orderBy('name')
    .limit(most)
    .execute()
  return rows.map(asProject)
}

/**
 * As `listProjects`, those with a file that may be listed: not quarantined upstream, nor removed there unless `admitsRemoved`.
 * A mirror forgets files one by one, and has names whose last file is gone.
 */
export async function listProjectsWithFiles(
  { db }: Reader,
  index: IndexRecord,
  after: string,
  most: number,
  admitsRemoved: boolean,
): Promise<ProjectRow[]> {
  const quarantined = JSON.stringify('quarantined' satisfies File['upstream'])
  const rows = await db
    .selectFrom('projects')
    .selectAll()
    .where('index_id', '=', index.id)
    .where('name', '>', after)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('files')
          .select('files.id')
          .whereRef('files.project_id', '=', 'projects.id')
          .where((eb) =>
            eb.or([
              eb('files.upstream', 'is', null),
              ...(admitsRemoved ? [eb('files.upstream', '!=', quarantined)] : []),
            ]),
          ),
      ),
    )
    .orderBy('name')
    .limit(most)
    .execute()
  return rows.map(asProject)
}

export async function listReleases({ db }: Reader, index: IndexRecord, name: ProjectName): Promise<Release[]> {
  const rows = await db
    .selectFrom('releases')
    .innerJoin('projects', 'projects.id', 'releases.project_id')
    .select(['releases.version', 'releases.metadata'])
    .where('projects.index_id', '=', index.id)
    .where('projects.name', '=', name)
    .execute()
  return rows.map((row) => ({
    project: name,
    version: row.version,
    metadata: JSON.parse(row.metadata) as Release['metadata'],
  }))
}

export async function findRelease(
  reader: Reader,
  index: IndexRecord,
  name: ProjectName,
  version: string,
): Promise<Release | undefined> {
  const row = await RELEASE.first(reader, { index: index.id, name, version })
  return row && { project: name, version, metadata: JSON.parse(row.metadata) as Release['metadata'] }
}

/** The project's row id, making the row where the name is new to the index. */
export async function ensureProject(writer: Writer, index: IndexRecord, name: ProjectName): Promise<number> {
  const known = await PROJECT.first(writer, { index: index.id, name })
  return known?.id ?? (await newProject(writer, index, name))
}

/** The row id of a project that is new to the index. */
async function newProject(writer: Writer, index: IndexRecord, name: ProjectName): Promise<number> {
  return (await NEW_PROJECT.first(writer, { index_id: index.id, name }))!.id
}

/** Creates the release or replaces its metadata; keeps the project's latest version, its summary and the search current. */
export async function saveRelease(writer: Writer, index: IndexRecord, release: Release): Promise<void> {
  const known = await PROJECT.first(writer, { index: index.id, name: release.project })
  const projectId = known?.id ?? (await newProject(writer, index, release.project))
  const metadata = JSON.stringify(release.metadata)
  await SAVE_RELEASE.run(writer, { project_id: projectId, version: release.version, metadata })
  writer.change({
    what: 'release',
    how: 'registered',
    index: index.name,
    project: release.project,
    version: release.version,
  })
  const latest = known?.latest_version ?? null
  if (latest !== null && compareVersions(release.version, latest) < 0) return
  await describeProject(writer, projectId, release)
}

/** What the project's owner says of it from now on. */
export async function saveProjectStatus(
  writer: Writer,
  index: IndexRecord,
  project: ProjectRow,
  { status, reason }: ProjectStatus,
): Promise<void> {
  await writer.db
    .updateTable('projects')
    .set({ status, status_reason: reason ?? null })
    .where('id', '=', project.id)
    .execute()
  writer.change({ what: 'project', how: 'restated', index: index.name, project: project.name, status })
}

/** Makes the release the one by which the project is listed and found. */
export async function describeProject(writer: Writer, projectId: number, latest: Release): Promise<void> {
  const summary = one(latest.metadata.summary)
  await DESCRIBE.run(writer, { id: projectId, version: latest.version, summary })
  await indexForSearch(writer, projectId, {
    name: latest.project,
    summary,
    description: one(latest.metadata.description),
  })
}

/** Gives every project that the changes tell of the number; one that they took away has none. */
export async function stampProjects(reader: Reader, changes: readonly Change[], stamp: number): Promise<void> {
  const told = new Set(changes.flatMap((each) => ('project' in each ? [`${each.index} ${each.project}`] : [])))
  for (const each of told) {
    const [index, name] = each.split(' ') as [string, string]
    await STAMP.run(reader, { index, name, stamp })
  }
}

function asProject(row: {
  id: number
  name: string
  latest_version: string | null
  summary: string | null
  status: ProjectStatus['status'] | null
  status_reason: string | null
  stamp: number
}): ProjectRow {
  const status = asStatus(row.status, row.status_reason)
  return {
    id: row.id,
    name: row.name as ProjectName,
    stamp: row.stamp,
    ...(row.latest_version !== null && { latestVersion: row.latest_version }),
    ...(row.summary !== null && row.summary !== '' && { summary: row.summary }),
    ...(status !== undefined && { status }),
  }
}

function one(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join('\n') ?? '')
}
