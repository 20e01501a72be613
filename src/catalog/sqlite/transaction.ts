/** The reader and the writer of one transaction: they give access to a connection until the transaction ends. */
import { Kysely, type KyselyPlugin, type SqliteDatabase, SqliteDialect } from 'kysely'
import type { Change, Job } from '../../model/records.ts'
import type { Reader, Writer } from '../catalog.ts'
import { enqueue } from '../queue.ts'
import type { Schema } from '../schema.ts'
import type { SearchKeeper } from '../search.ts'
import { filled, type Statement, type Values } from '../statement.ts'
import { compiledFor } from './compiled.ts'
import { SqliteSearch } from './search.ts'

/** The queries of a connection, whichever transaction asks. */
export class Queries {
  readonly database: SqliteDatabase
  readonly db: Kysely<Schema>

  constructor(database: SqliteDatabase) {
    this.database = database
    this.db = new Kysely<Schema>({ dialect: new SqliteDialect({ database }) })
  }
}

export class SqliteReader implements Reader {
  readonly #queries: Queries
  #db: Kysely<Schema> | undefined
  #search: SqliteSearch | undefined
  #isOver = false

  constructor(queries: Queries) {
    this.#queries = queries
  }

  get db(): Kysely<Schema> {
    // Also for who keeps it longer than the reader: every query is looked at before it runs.
    this.#db ??= this.#queries.db.withPlugin(whileOpen(this))
    return this.#db
  }

  get search(): SearchKeeper {
    this.#search ??= new SqliteSearch(this)
    return this.#search
  }

  async run<Given extends Values, Row>(statement: Statement<Given, Row>, values: Given): Promise<Row[]> {
    this.checkOpen()
    const compiled = compiledFor(statement)
    const prepared = this.#queries.database.prepare(compiled.sql)
    const parameters = filled(compiled, values)
    if (prepared.reader) return prepared.all(parameters) as Row[]
    prepared.run(parameters)
    return []
  }

  /** To be called when the transaction has ended. */
  end(): void {
    this.#isOver = true
  }

  /** Throws `TypeError` when the transaction has ended: the connection may be in another one by now. */
  checkOpen(): void {
    if (this.#isOver) throw new TypeError('Cannot use the catalog: the transaction of this reader or writer has ended')
  }
}

/** What a write notes besides its rows. */
export interface Notes {
  readonly changes: Change[]
  readonly afterwards: (() => void)[]
  readonly onEnqueued: () => void
  readonly nowMs: number
}

export class SqliteWriter extends SqliteReader implements Writer {
  readonly #notes: Notes

  constructor(queries: Queries, notes: Notes) {
    super(queries)
    this.#notes = notes
  }

  change(change: Change): void {
    this.checkOpen()
    this.#notes.changes.push(change)
  }

  async enqueue(job: Job): Promise<void> {
    const { afterwards, onEnqueued, nowMs } = this.#notes
    await enqueue(this, job, nowMs)
    if (!afterwards.includes(onEnqueued)) afterwards.push(onEnqueued)
  }

  onCommit(after: () => void): void {
    this.checkOpen()
    this.#notes.afterwards.push(after)
  }
}

function whileOpen(reader: SqliteReader): KyselyPlugin {
  return {
    transformQuery: ({ node }) => {
      reader.checkOpen()
      return node
    },
    transformResult: async ({ result }) => result,
  }
}
