/** Text search over the projects that are held: SQLite's FTS5, one row per project of an index. */
import { sql } from 'kysely'
import type { IndexName } from '../model/names.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ProjectStatus } from '../pep/simple.ts'
import type { Reader, Writer } from './catalog.ts'

export interface SearchHit {
  readonly index: IndexName
  readonly name: ProjectName
  readonly version?: string
  readonly summary?: string
  /** PEP 792, where its owner set it. */
  readonly status?: ProjectStatus
}

/** More of a description than this adds noise, not hits. */
const DESCRIPTION_CHARACTERS = 20_000
/** Words looked at in one search. */
const WORDS_MAX = 8

interface Searchable {
  readonly name: ProjectName
  readonly summary: string
  readonly description: string
}

/** Replaces what is searchable of a project. Most releases say of it what the one before said: then nothing is written. */
export async function indexForSearch(
  writer: Writer,
  projectId: number,
  { name, summary, description: whole }: Searchable,
): Promise<void> {
  const description = whole.slice(0, DESCRIPTION_CHARACTERS)
  const known = writer.prepare('SELECT name, summary, description FROM search WHERE rowid = ?').all([projectId])[0] as
    | Searchable
    | undefined
  if (known?.name === name && known.summary === summary && known.description === description) return
  const { db } = writer
  await sql`DELETE FROM search WHERE rowid = ${projectId}`.execute(db)
  await sql`INSERT INTO search (rowid, name, summary, description) VALUES (${projectId}, ${name}, ${summary}, ${description})`.execute(
    db,
  )
  await sql`DELETE FROM search_names WHERE rowid = ${projectId}`.execute(db)
  await sql`INSERT INTO search_names (rowid, name) VALUES (${projectId}, ${name})`.execute(db)
}

/** Replaces what is searchable of a project's documentation; nothing is, for an empty text. */
export async function indexDocumentationForSearch({ db }: Writer, projectId: number, text: string): Promise<void> {
  await sql`DELETE FROM search_documentation WHERE rowid = ${projectId}`.execute(db)
  if (text === '') return
  await sql`INSERT INTO search_documentation (rowid, text) VALUES (${projectId}, ${text})`.execute(db)
}

/**
 * Projects in whose name, summary or description, or in whose documentation, every word of `query` begins a word, best first, and those whose
 * name contains the query. At most `most`; an empty list for a query without words. Nothing of the indexes whose ids
 * are `hidden`, which take no hit away from others either.
 */
export async function searchProjects(
  { db }: Reader,
  query: string,
  most: number,
  hidden: readonly number[],
): Promise<SearchHit[]> {
  const words = query.match(/[\p{L}\p{N}]+/gu)?.slice(0, WORDS_MAX) ?? []
  if (words.length === 0) return []
  const byWords = words.map((word) => `"${word}"*`).join(' ')
  const byName = words.join('-')
  const shown =
    hidden.length === 0
      ? sql``
      : sql`AND rowid NOT IN (SELECT id FROM projects WHERE index_id IN (${sql.join(hidden)}))`
  // A name is looked up in each index, where it is found at once: by itself the table for searching would be read whole.
  // bm25 gives smaller numbers to better hits; a hit in the name counts most, one in documentation least.
  const rows = await sql<{
    index: string
    name: string
    version: string | null
    summary: string | null
    status: ProjectStatus['status'] | null
    reason: string | null
  }>`
    WITH hits (id, rank) AS (
      SELECT * FROM (
        SELECT rowid, bm25(search, 20.0, 5.0, 1.0) FROM search WHERE search MATCH ${byWords} ${shown} ORDER BY 2 LIMIT ${most}
      )
      UNION ALL
      SELECT * FROM (
        SELECT rowid, bm25(search_documentation) / 10 FROM search_documentation
        WHERE search_documentation MATCH ${byWords} ${shown} ORDER BY 2 LIMIT ${most}
      )
      UNION ALL
      SELECT * FROM (
        SELECT rowid, -1000.0 FROM search_names
        WHERE rowid IN (SELECT p.id FROM indexes AS i JOIN projects AS p ON p.index_id = i.id AND p.name = ${byName}) ${shown} LIMIT ${most}
      )
      UNION ALL
      SELECT * FROM (
        SELECT rowid, -0.5 FROM search_names WHERE ${byName.length >= 3 ? sql`search_names MATCH ${`"${byName}"`}` : sql`0`} ${shown} LIMIT ${most}
      )
    )
    SELECT indexes.name AS "index", projects.name, projects.latest_version AS version, projects.summary,
      projects.status, projects.status_reason AS reason
    FROM (SELECT id, min(rank) AS rank FROM hits GROUP BY id) AS best
    JOIN projects ON projects.id = best.id
    JOIN indexes ON indexes.id = projects.index_id
    ORDER BY best.rank, projects.name, indexes.name
    LIMIT ${most}`.execute(db)
  return rows.rows.map((row) => {
    const status = asStatus(row.status, row.reason)
    return {
      index: row.index as IndexName,
      name: row.name as ProjectName,
      ...(row.version !== null && { version: row.version }),
      ...(row.summary !== null && row.summary !== '' && { summary: row.summary }),
      ...(status !== undefined && { status }),
    }
  })
}

/** A project's status as its columns have it. */
export function asStatus(status: ProjectStatus['status'] | null, reason: string | null): ProjectStatus | undefined {
  if (status === null) return undefined
  return { status, ...(reason !== null && { reason }) }
}
