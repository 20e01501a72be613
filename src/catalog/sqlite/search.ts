/** Full-text search by SQLite's FTS5: `search` and `search_documentation` by words, `search_names` by any three characters. */
import { type Kysely, sql } from 'kysely'
import type { IndexName } from '../../model/names.ts'
import type { ProjectName } from '../../pep/name.ts'
import type { ProjectStatus } from '../../pep/simple.ts'
import type { Schema } from '../schema.ts'
import { asStatus, type Searchable, type SearchHit, type SearchKeeper, type SearchQuestion } from '../search.ts'
import { type Runs, statement } from '../statement.ts'

const KNOWN = statement<{ id: number }>()((db, { id }) =>
  db.selectFrom('search').select(['name', 'summary', 'description']).where('rowid', '=', id),
)

export class SqliteSearch implements SearchKeeper {
  readonly #on: Runs & { readonly db: Kysely<Schema> }

  constructor(on: Runs & { readonly db: Kysely<Schema> }) {
    this.#on = on
  }

  /** Most releases say of their project what the one before said: then nothing is written. */
  async keep(projectId: number, { name, summary, description }: Searchable): Promise<void> {
    const { db } = this.#on
    const known = await KNOWN.first(this.#on, { id: projectId })
    if (known?.name === name && known.summary === summary && known.description === description) return
    await sql`DELETE FROM search WHERE rowid = ${projectId}`.execute(db)
    await sql`INSERT INTO search (rowid, name, summary, description) VALUES (${projectId}, ${name}, ${summary}, ${description})`.execute(
      db,
    )
    await sql`DELETE FROM search_names WHERE rowid = ${projectId}`.execute(db)
    await sql`INSERT INTO search_names (rowid, name) VALUES (${projectId}, ${name})`.execute(db)
  }

  async keepDocumentation(projectId: number, text: string): Promise<void> {
    await sql`DELETE FROM search_documentation WHERE rowid = ${projectId}`.execute(this.#on.db)
    if (text === '') return
    await sql`INSERT INTO search_documentation (rowid, text) VALUES (${projectId}, ${text})`.execute(this.#on.db)
  }

  async find({ words, most, hidden }: SearchQuestion): Promise<SearchHit[]> {
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
    LIMIT ${most}`.execute(this.#on.db)
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
}
