/** What a mirror has cached of its upstream: project pages and small facts. Not journalled. */
import { sql } from 'kysely'
import type { IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'

export interface MirrorPage {
  /** Last time upstream confirmed it, ms since 1970. */
  readonly fetchedMs: number
  /** The page, compressed; absent when upstream said that it has no such project. */
  readonly detail?: Uint8Array
  /** Validators for asking again. */
  readonly etag?: string
  readonly lastModified?: string
}

export async function findPage({ db }: Reader, index: IndexRecord, name: ProjectName): Promise<MirrorPage | undefined> {
  const row = await db
    .selectFrom('mirror_pages')
    .selectAll()
    .where('index_id', '=', index.id)
    .where('name', '=', name)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    fetchedMs: row.fetched_ms,
    ...(row.detail !== null && { detail: row.detail }),
    ...(row.etag !== null && { etag: row.etag }),
    ...(row.last_modified !== null && { lastModified: row.last_modified }),
  }
}

/** When upstream last confirmed the page that is remembered now, ms since 1970; `undefined` when none is. */
export async function findPageTime({ db }: Reader, index: IndexRecord, name: ProjectName): Promise<number | undefined> {
  const row = await db
    .selectFrom('mirror_pages')
    .select('fetched_ms')
    .where('index_id', '=', index.id)
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.fetched_ms
}

/** In place of one of the very same time the page gets the next: another worker must see by its time that it is another. */
export async function savePage({ db }: Writer, index: IndexRecord, name: ProjectName, page: MirrorPage): Promise<void> {
  const row = {
    fetched_ms: page.fetchedMs,
    found: page.detail === undefined ? 0 : 1,
    etag: page.etag ?? null,
    last_modified: page.lastModified ?? null,
    detail: page.detail ?? null,
  }
  await db
    .insertInto('mirror_pages')
    .values({ index_id: index.id, name, ...row })
    .onConflict((conflict) =>
      conflict.columns(['index_id', 'name']).doUpdateSet({
        ...row,
        fetched_ms: sql<number>`excluded.fetched_ms + CASE WHEN excluded.fetched_ms = mirror_pages.fetched_ms THEN 1 ELSE 0 END`,
      }),
    )
    .execute()
}

/** Upstream confirmed the page as it is (304). */
export async function touchPage(
  { db }: Writer,
  index: IndexRecord,
  name: ProjectName,
  fetchedMs: number,
): Promise<void> {
  await db
    .updateTable('mirror_pages')
    .set({ fetched_ms: fetchedMs })
    .where('index_id', '=', index.id)
    .where('name', '=', name)
    .execute()
}

/** Another upstream: nothing that was remembered holds any longer. */
export async function forgetPages({ db }: Writer, index: IndexRecord): Promise<void> {
  await db.deleteFrom('mirror_pages').where('index_id', '=', index.id).execute()
  await db.deleteFrom('mirror_state').where('index_id', '=', index.id).execute()
}

export async function mirrorState({ db }: Reader, index: IndexRecord, key: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('mirror_state')
    .select('value')
    .where('index_id', '=', index.id)
    .where('key', '=', key)
    .executeTakeFirst()
  return row?.value
}

export async function setMirrorState({ db }: Writer, index: IndexRecord, key: string, value: string): Promise<void> {
  await db
    .insertInto('mirror_state')
    .values({ index_id: index.id, key, value })
    .onConflict((conflict) => conflict.columns(['index_id', 'key']).doUpdateSet({ value }))
    .execute()
}
