/** What attests to files: provenance objects (PEP 740) as text, with what their verification said. */

import type { Digest } from '../lib/digest.ts'
import type { File, IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'

export interface StoredProvenance {
  /** The provenance object as JSON. */
  readonly text: string
  /** `verified`, or the reason why it is not. */
  readonly verdict: string
}

/** What a mirror's upstream says of a file, which need not be here itself. */
export interface MirroredProvenance extends StoredProvenance {
  /** Of the file it is about, as upstream's page announced it then. */
  readonly digest: Digest
  readonly etag?: string
  /** Last time upstream confirmed it, ms since 1970. */
  readonly fetchedMs: number
}

/** Of a file that is on a stage. */
export async function findProvenance({ db }: Reader, file: Pick<File, 'id'>): Promise<StoredProvenance | undefined> {
  const row = await db
    .selectFrom('provenance')
    .select(['text', 'verdict'])
    .where('file_id', '=', file.id)
    .executeTakeFirst()
  return row && { text: row.text, verdict: row.verdict }
}

/** The ids of those of a project's files that have one. */
export async function listProvenance(
  { db }: Reader,
  index: IndexRecord,
  project: ProjectName,
): Promise<ReadonlySet<number>> {
  const rows = await db
    .selectFrom('provenance')
    .innerJoin('files', 'files.id', 'provenance.file_id')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .select('file_id')
    .where('projects.index_id', '=', index.id)
    .where('projects.name', '=', project)
    .execute()
  return new Set(rows.map((row) => row.file_id))
}

/** Adds it to the file of that name, or replaces what was there. The caller's own change tells of it. */
export async function saveProvenance(
  { db }: Writer,
  index: IndexRecord,
  { project, filename }: Pick<File, 'project' | 'filename'>,
  { text, verdict }: StoredProvenance,
): Promise<void> {
  const row = { text, verdict, size_bytes: Buffer.byteLength(text) }
  await db
    .insertInto('provenance')
    .columns(['file_id', 'text', 'verdict', 'size_bytes'])
    .expression((eb) =>
      eb
        .selectFrom('files')
        .innerJoin('projects', 'projects.id', 'files.project_id')
        .select((each) => [
          'files.id',
          each.val(row.text).as('text'),
          each.val(row.verdict).as('verdict'),
          each.val(row.size_bytes).as('size_bytes'),
        ])
        .where('projects.index_id', '=', index.id)
        .where('projects.name', '=', project)
        .where('files.filename', '=', filename),
    )
    .onConflict((conflict) => conflict.column('file_id').doUpdateSet(row))
    .execute()
}

/** Every provenance of a stage's file with that file, ordered by it; those after file `after`, at most `most` rows. */
export async function listAllProvenance(
  { db }: Reader,
  after: number,
  most: number,
): Promise<{ fileId: number; filename: string; digest: Digest; text: string }[]> {
  const rows = await db
    .selectFrom('provenance')
    .innerJoin('files', 'files.id', 'provenance.file_id')
    .select(['file_id', 'files.filename', 'files.digest', 'provenance.text'])
    .where('file_id', '>', after)
    .orderBy('file_id')
    .limit(most)
    .execute()
  return rows.map((row) => ({
    fileId: row.file_id,
    filename: row.filename,
    digest: row.digest as Digest,
    text: row.text,
  }))
}

export async function findMirroredProvenance(
  { db }: Reader,
  index: IndexRecord,
  project: ProjectName,
  filename: string,
): Promise<MirroredProvenance | undefined> {
  const row = await db
    .selectFrom('mirror_provenance')
    .select(['digest', 'text', 'verdict', 'etag', 'fetched_ms'])
    .where('index_id', '=', index.id)
    .where('filename', '=', filename)
    .where('project', '=', project)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    digest: row.digest as Digest,
    text: row.text,
    verdict: row.verdict,
    fetchedMs: row.fetched_ms,
    ...(row.etag !== null && { etag: row.etag }),
  }
}

/** The digests of a project's files of which upstream's provenance is here, by filename. */
export async function listMirroredProvenance(
  { db }: Reader,
  index: IndexRecord,
  project: ProjectName,
): Promise<ReadonlyMap<string, Digest>> {
  const rows = await db
    .selectFrom('mirror_provenance')
    .select(['filename', 'digest'])
    .where('index_id', '=', index.id)
    .where('project', '=', project)
    .execute()
  return new Map(rows.map((row) => [row.filename, row.digest as Digest]))
}

/** Not journalled, as nothing else that a cache keeps for itself. */
export async function saveMirroredProvenance(
  { db }: Writer,
  index: IndexRecord,
  project: ProjectName,
  filename: string,
  { digest, text, verdict, etag, fetchedMs }: MirroredProvenance,
): Promise<void> {
  const row = {
    digest,
    text,
    verdict,
    size_bytes: Buffer.byteLength(text),
    etag: etag ?? null,
    fetched_ms: fetchedMs,
  }
  await db
    .insertInto('mirror_provenance')
    .values({ index_id: index.id, project, filename, ...row })
    .onConflict((conflict) => conflict.columns(['index_id', 'filename', 'project']).doUpdateSet(row))
    .execute()
}

/** Another upstream: what the one before said is not its word. */
export async function forgetMirroredProvenance({ db }: Writer, index: IndexRecord): Promise<void> {
  await db.deleteFrom('mirror_provenance').where('index_id', '=', index.id).execute()
}
