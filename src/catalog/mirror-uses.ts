/** What mirrors hold and when it was last used, so that the least recently used files are evicted first. Not journalled. */
import type { Digest } from '../lib/digest.ts'
import type { IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'

/** Files of an index that are here, and the bytes of them and of all their metadata. Equal bytes under two names count twice. */
export interface Holdings {
  readonly files: number
  readonly bytes: number
}

export interface FileUse {
  readonly fileId: number
  /** The last, in ms since 1970. */
  readonly usedMs: number
  /** How many there were. */
  readonly uses: number
}

/** Something that may go. */
export interface Evictable {
  readonly usedMs: number
  readonly bytes: number
}
export interface EvictableFile extends Evictable {
  readonly fileId: number
  readonly project: ProjectName
  readonly filename: string
}
export interface EvictableMetadata extends Evictable {
  readonly digest: Digest
}

export interface CachedProject extends Holdings {
  readonly project: ProjectName
  readonly uses: number
  /** Of the file used last, in ms since 1970. */
  readonly usedMs: number
}

export async function holdings({ db }: Reader, index: IndexRecord): Promise<Holdings> {
  const found = await db
    .selectFrom('index_holdings')
    .select(['files', 'bytes'])
    .where('index_id', '=', index.id)
    .executeTakeFirst()
  return found ?? { files: 0, bytes: 0 }
}

/** Adds to what is recorded. Files that are gone meanwhile are passed over. */
export async function recordUses({ db }: Writer, uses: readonly FileUse[]): Promise<void> {
  for (const { fileId, usedMs, uses: more } of uses) {
    await db
      .updateTable('file_uses')
      .set((eb) => ({ used_ms: usedMs, uses: eb('uses', '+', more) }))
      .where('file_id', '=', fileId)
      .execute()
  }
}

/**
 * The mirror's files that may go, the one that was used longest ago first. Not among them: projects of `pinned`, files that
 * something private hangs on (a test result), and files that upstream took back, which could not be fetched again.
 */
export async function leastUsedFiles(
  { db }: Reader,
  index: IndexRecord,
  pinned: readonly ProjectName[],
  most: number,
): Promise<EvictableFile[]> {
  const rows = await db
    .selectFrom('file_uses')
    .innerJoin('files', 'files.id', 'file_uses.file_id')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .select(['file_id', 'used_ms', 'size_bytes', 'metadata_bytes', 'filename', 'projects.name as project'])
    .where('file_uses.index_id', '=', index.id)
    .where('files.upstream', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('attachments').select('id').whereRef('attachments.file_id', '=', 'files.id'))),
    )
    .$if(pinned.length > 0, (query) => query.where('projects.name', 'not in', pinned))
    .orderBy('used_ms')
    .limit(most)
    .execute()
  return rows.map((row) => ({
    fileId: row.file_id,
    project: row.project as ProjectName,
    filename: row.filename,
    usedMs: row.used_ms,
    bytes: row.size_bytes + (row.metadata_bytes ?? 0),
  }))
}

/** The projects of a mirror that take up most room. */
export async function largestProjects({ db }: Reader, index: IndexRecord, most: number): Promise<CachedProject[]> {
  const rows = await db
    .selectFrom('file_uses')
    .innerJoin('files', 'files.id', 'file_uses.file_id')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .select((eb) => [
      'projects.name as project',
      eb.fn.countAll<number>().as('files'),
      eb.fn.sum<number>('size_bytes').as('bytes'),
      eb.fn.sum<number>('uses').as('uses'),
      eb.fn.max('used_ms').as('usedMs'),
    ])
    .where('file_uses.index_id', '=', index.id)
    .groupBy('projects.id')
    .orderBy('bytes', 'desc')
    .limit(most)
    .execute()
  return rows.map((row) => ({ ...row, project: row.project as ProjectName }))
}

/** Metadata of a file that is not here itself. */
export async function findMetadata(
  { db }: Reader,
  index: IndexRecord,
  digest: Digest,
): Promise<{ readonly sizeBytes: number } | undefined> {
  const found = await db
    .selectFrom('mirror_metadata')
    .select('size_bytes')
    .where('index_id', '=', index.id)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return found && { sizeBytes: found.size_bytes }
}

/** Its blob is here already. */
export async function saveMetadata(
  { db }: Writer,
  index: IndexRecord,
  { digest, sizeBytes, usedMs }: { readonly digest: Digest; readonly sizeBytes: number; readonly usedMs: number },
): Promise<void> {
  await db
    .insertInto('mirror_metadata')
    .values({ index_id: index.id, digest, size_bytes: sizeBytes, used_ms: usedMs })
    .onConflict((conflict) => conflict.columns(['index_id', 'digest']).doUpdateSet({ used_ms: usedMs }))
    .execute()
}

export async function leastUsedMetadata(
  { db }: Reader,
  index: IndexRecord,
  most: number,
): Promise<EvictableMetadata[]> {
  const rows = await db
    .selectFrom('mirror_metadata')
    .select(['digest', 'used_ms', 'size_bytes'])
    .where('index_id', '=', index.id)
    .orderBy('used_ms')
    .limit(most)
    .execute()
  return rows.map((row) => ({ digest: row.digest as Digest, usedMs: row.used_ms, bytes: row.size_bytes }))
}

export async function deleteMetadata({ db }: Writer, index: IndexRecord, digest: Digest): Promise<void> {
  await db.deleteFrom('mirror_metadata').where('index_id', '=', index.id).where('digest', '=', digest).execute()
}
