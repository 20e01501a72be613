/**
 * Upload sessions (PEP 694): releases on their way to a stage. Nothing of them is to be seen on the index, so they leave no
 * line in the journal. Blobs that their rows name are kept, and looked at again when a row goes.
 */
import type { Selectable } from 'kysely'
import type { IndexName } from '../model/names.ts'
import type { IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'
import type { Schema } from './schema.ts'

export interface UploadSession {
  readonly id: number
  /** Names it in addresses. */
  readonly key: string
  /** Whoever knows it may look at what is staged. */
  readonly preview: string
  readonly index: IndexName
  readonly project: ProjectName
  /** As it was sent. */
  readonly name: string
  readonly version: string
  readonly status: 'open' | 'published'
  readonly createdMs: number
  readonly expiresMs: number
}

export type NewUploadSession = Omit<UploadSession, 'id' | 'index' | 'status'>

/** The session of that key on the index, over or not. */
export async function findUploadSession(
  { db }: Reader,
  index: IndexRecord,
  key: string,
): Promise<UploadSession | undefined> {
  const row = await db
    .selectFrom('upload_sessions')
    .selectAll()
    .where('index_id', '=', index.id)
    .where('key', '=', key)
    .executeTakeFirst()
  return row && asSession(row, index)
}

/** The session whose staged files have that preview on the index. */
export async function findPreviewed(
  { db }: Reader,
  index: IndexRecord,
  preview: string,
): Promise<UploadSession | undefined> {
  const row = await db
    .selectFrom('upload_sessions')
    .selectAll()
    .where('index_id', '=', index.id)
    .where('preview', '=', preview)
    .executeTakeFirst()
  return row && asSession(row, index)
}

/** Those of a project, over or not, oldest first. */
export async function listUploadSessions(
  { db }: Reader,
  index: IndexRecord,
  project: ProjectName,
): Promise<UploadSession[]> {
  const rows = await db
    .selectFrom('upload_sessions')
    .selectAll()
    .where('index_id', '=', index.id)
    .where('project', '=', project)
    .orderBy('id')
    .execute()
  return rows.map((row) => asSession(row, index))
}

/** Of the index, those that can still be published. */
export async function countOpenSessions({ db }: Reader, index: IndexRecord, nowMs: number): Promise<number> {
  const { count } = await db
    .selectFrom('upload_sessions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('index_id', '=', index.id)
    .where('status', '=', 'open')
    .where('expires_ms', '>', nowMs)
    .executeTakeFirstOrThrow()
  return count
}

export async function addUploadSession(
  { db }: Writer,
  index: IndexRecord,
  { key, preview, project, name, version, createdMs, expiresMs }: NewUploadSession,
): Promise<UploadSession> {
  const told = { key, preview, project, name, version, status: 'open' } as const
  const row = await db
    .insertInto('upload_sessions')
    .values({ ...told, index_id: index.id, created_ms: createdMs, expires_ms: expiresMs })
    .returningAll()
    .executeTakeFirstOrThrow()
  return asSession(row, index)
}

export async function extendUploadSession({ db }: Writer, { id }: UploadSession, expiresMs: number): Promise<void> {
  await db.updateTable('upload_sessions').set({ expires_ms: expiresMs }).where('id', '=', id).execute()
}

/** What remains tells whoever asks that it is published, until its time is over; it names no blobs any more. */
export async function markPublished({ db }: Writer, { id }: UploadSession): Promise<void> {
  await db.updateTable('upload_sessions').set({ status: 'published' }).where('id', '=', id).execute()
  const nothing = { digest: null, metadata_digest: null, metadata: null, attestations: null, signed: null }
  await db.updateTable('staged_files').set(nothing).where('session_id', '=', id).execute()
}

/** With its files. */
export async function deleteUploadSession({ db }: Writer, { id }: Pick<UploadSession, 'id'>): Promise<void> {
  await db.deleteFrom('upload_sessions').where('id', '=', id).execute()
}

/** Whether there is one whose time is over. */
export async function hasExpiredSessions({ db }: Reader, nowMs: number): Promise<boolean> {
  const row = await db
    .selectFrom('upload_sessions')
    .select('id')
    .where('expires_ms', '<=', nowMs)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Deletes those whose time is over, with their files. */
export async function deleteExpiredSessions({ db }: Writer, nowMs: number): Promise<void> {
  await db.deleteFrom('upload_sessions').where('expires_ms', '<=', nowMs).execute()
}

function asSession(row: Selectable<Schema['upload_sessions']>, index: IndexRecord): UploadSession {
  return {
    id: row.id,
    key: row.key,
    preview: row.preview,
    index: index.name,
    project: row.project as ProjectName,
    name: row.name,
    version: row.version,
    status: row.status,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
  }
}
