/** The catalog in one SQLite file (`node:sqlite` under Kysely): one writer, several readers, write-ahead log, synced at commit. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { SqliteDatabase, SqliteStatement } from 'kysely'
import { toldCommit } from '../../lib/durable.ts'
import { isDiskFull, Problem } from '../../model/errors.ts'
import type { Change, Serial } from '../../model/records.ts'
import type { Catalog, Reader, Writer } from '../catalog.ts'
import { append, lastCommitTime, lastSerial } from '../journal.ts'
import { stampProjects } from '../projects.ts'
import { SharedCounters } from '../shared-counters.ts'
import { GroupCommit, type Written } from './group-commit.ts'
import { MIGRATIONS } from './migrations/migrations.ts'
import { Queries, SqliteReader, SqliteWriter } from './transaction.ts'

/** Compiled statements kept per connection; there are fewer different ones than this. */
const STATEMENTS_KEPT = 300
/** How long a lock of another process (a check, a backup) is waited for. */
const BUSY_MS = 10_000

/** Of several workers one lets the others write before it writes again, and looks so often whether it may. */
const TURN_MS = 5
/** SQLITE_BUSY, the primary code: some other connection writes. */
const BUSY = 5

export interface SqliteCatalogOptions {
  readonly path: string
  readonly readers: number
  readonly now: () => Date
  /** Of the server's workers together; absent where this is the only one. */
  readonly counters?: SharedCounters
  /** Whether a catalog of an older format may be brought to today's: by who holds the folder's lock. True unless told. */
  readonly mayMigrate?: boolean
}

export class SqliteCatalog implements Catalog {
  /** Serial and stamp, which other workers raise too. */
  readonly counters: SharedCounters
  readonly #isShared: boolean
  readonly #writer: Connection
  readonly #now: () => Date
  readonly #idle: Connection[] = []
  readonly #all: Connection[] = []
  readonly #waiting: ((connection: Connection) => void)[] = []
  readonly #writes: GroupCommit
  #whenEnqueued: () => void = nothing

  private constructor(writer: Connection, options: SqliteCatalogOptions) {
    this.#writer = writer
    this.#writes = new GroupCommit(writer.raw, {
      begin: () => this.#begin(),
      ended: () => this.counters.turnEnds(),
      committed: () => toldCommit(() => synchronousOf(writer.raw)),
    })
    this.#now = options.now
    this.counters = options.counters ?? new SharedCounters()
    this.#isShared = options.counters !== undefined
    for (let each = 0; each < options.readers; each++) {
      const reader = connect(options.path)
      // The second reads the file: every connection has all that it opens from the start, and none more on a busy day.
      reader.raw.exec('PRAGMA query_only = ON; SELECT 1 FROM sqlite_schema LIMIT 1')
      this.#idle.push(reader)
      this.#all.push(reader)
    }
  }

  /**
   * Opens, creating or migrating forward where needed. Throws `directory-too-new` for a catalog of a newer version, and
   * `directory-too-old` for an older one that must not be migrated here.
   */
  static async open(options: SqliteCatalogOptions): Promise<SqliteCatalog> {
    const writer = connect(options.path)
    // EXTRA is FULL where the log is written ahead, and syncs the folder too where a file system has no such log.
    writer.raw.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = EXTRA; PRAGMA foreign_keys = ON')
    try {
      migrate(writer.raw, options)
    } catch (error) {
      writer.raw.close()
      throw error
    }
    // Of several workers none stands still while another writes: see `#begin`.
    if (options.counters !== undefined) writer.raw.exec('PRAGMA busy_timeout = 0')
    const catalog = new SqliteCatalog(writer, options)
    catalog.counters.committed(await catalog.read(lastSerial))
    catalog.counters.showStamp(Date.parse((await catalog.read(lastCommitTime)) ?? '') || 0)
    return catalog
  }

  whenEnqueued(wake: () => void): void {
    this.#whenEnqueued = wake
  }

  /** The same for all workers of the server, and never an older one. */
  get serial(): Serial {
    return this.counters.serial
  }

  serialWithin(_ageMs: number): Serial {
    return this.serial
  }

  async latestSerial(): Promise<Serial> {
    return this.serial
  }

  get lastStamp(): number {
    return this.counters.lastStamp
  }

  async stamp(): Promise<number> {
    // As a write: a smaller number must not become visible later.
    return await this.write(async (writer) => {
      const stamp = this.counters.takeStamp(this.#now().getTime())
      writer.onCommit(() => this.counters.showStamp(stamp))
      return stamp
    })
  }

  async read<T>(fn: (reader: Reader) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await new Promise<Connection>((resolve) => this.#waiting.push(resolve)))
    try {
      connection.begin.run()
      const reader = new SqliteReader(connection.queries)
      try {
        return await fn(reader)
      } finally {
        reader.end()
        connection.rollback.run()
      }
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(connection)
      else next(connection)
    }
  }

  async write<T>(fn: (writer: Writer) => Promise<T>): Promise<T> {
    try {
      return await this.#writes.write(() => this.#transact(fn))
    } catch (error) {
      if (!isDiskFull(error) || error instanceof Problem) throw error
      throw new Problem('disk-full', 'Cannot record the change: the disk of the server folder is full', {
        hint: 'free some space and send the request again; nothing was changed',
        cause: error,
      })
    }
  }

  /** One write, in the transaction that is open. It counts from `committed` on. */
  async #transact<T>(fn: (writer: Writer) => Promise<T>): Promise<Written<T>> {
    const now = this.#now()
    const changes: Change[] = []
    const afterwards: (() => void)[] = []
    const notes = { changes, afterwards, onEnqueued: this.#whenEnqueued, nowMs: now.getTime() }
    const writer = new SqliteWriter(this.#writer.queries, notes)
    let result: T
    try {
      result = await fn(writer)
    } finally {
      writer.end()
    }
    const own = new SqliteReader(this.#writer.queries)
    let serial: Serial | undefined
    let stamp = 0
    if (changes.length > 0) {
      // Another write of the group, another worker, or another process (`airlock passwd`), may have taken some since.
      serial = ((await lastSerial(own)) + 1) as Serial
      stamp = this.counters.takeStamp(now.getTime())
      await append(own, serial, now, changes)
      await stampProjects(own, changes, stamp)
    }
    own.end()
    const committed = () => {
      // Before anybody learns of it: whoever then asks any worker sees it.
      if (serial !== undefined) this.counters.committed(serial)
      this.counters.showStamp(stamp)
      for (const after of afterwards) after()
    }
    return { result, committed }
  }

  /**
   * Takes the write lock. Of several workers each lets the others have their turn, and none stands still while it waits:
   * SQLite's own waiting would keep the whole thread.
   */
  async #begin(): Promise<void> {
    const { raw } = this.#writer
    if (!this.#isShared) return raw.exec('BEGIN IMMEDIATE')
    if (this.counters.isWriterWaiting) await this.counters.nextTurn(TURN_MS)
    if (began(raw)) return
    using _waiting = this.counters.waitToWrite()
    const untilMs = performance.now() + BUSY_MS
    do await this.counters.nextTurn(TURN_MS)
    while (performance.now() < untilMs && !began(raw))
    if (!raw.isTransaction) raw.exec('BEGIN IMMEDIATE')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writes.settled()
    for (const connection of this.#all) connection.raw.close()
    this.#writer.raw.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
    this.#writer.raw.exec('PRAGMA optimize')
    this.#writer.raw.close()
  }
}

interface Connection {
  readonly raw: DatabaseSync
  readonly queries: Queries
  /** Compiled, as each read begins and ends with them. */
  readonly begin: StatementSync
  readonly rollback: StatementSync
}

function connect(path: string): Connection {
  const raw = new DatabaseSync(path, { timeout: BUSY_MS })
  const queries = new Queries(new PreparingDatabase(raw))
  return { raw, queries, begin: raw.prepare('BEGIN'), rollback: raw.prepare('ROLLBACK') }
}

function synchronousOf(raw: DatabaseSync): number {
  return (raw.prepare('PRAGMA synchronous').get() as { synchronous: number }).synchronous
}

/** Whether the write lock was free. Throws what else keeps it from beginning. */
function began(raw: DatabaseSync): boolean {
  try {
    raw.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY) return false
    throw error
  }
}

function migrate(raw: DatabaseSync, { path, mayMigrate = true }: SqliteCatalogOptions): void {
  const found = raw.prepare('PRAGMA user_version').get() as { user_version: number }
  if (found.user_version > MIGRATIONS.length) {
    throw new Problem(
      'directory-too-new',
      `Cannot open catalog "${path}": its format is ${found.user_version}, this program knows formats up to ${MIGRATIONS.length}`,
      { hint: 'start the version of Airlock that wrote it, or a newer one' },
    )
  }
  // A server of the older version may be at work with it, and could not be started again afterwards.
  if (!mayMigrate && found.user_version < MIGRATIONS.length) {
    throw new Problem(
      'directory-too-old',
      `Cannot open catalog "${path}": its format is ${found.user_version}, this program works with ${MIGRATIONS.length}`,
      {
        hint: 'stop the server and start the new version once, which brings the catalog up to date; or use the version that wrote it',
      },
    )
  }
  for (const [step, sql] of MIGRATIONS.entries()) {
    if (step < found.user_version) continue
    raw.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${step + 1}; COMMIT`)
  }
}

/** `node:sqlite` in the shape that Kysely's SQLite dialect expects, with statements compiled once. */
class PreparingDatabase implements SqliteDatabase {
  readonly #raw: DatabaseSync
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(raw: DatabaseSync) {
    this.#raw = raw
  }

  prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = prepared(this.#raw.prepare(sql))
      if (this.#statements.size >= STATEMENTS_KEPT) this.#statements.delete(this.#statements.keys().next().value!)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  close(): void {
    this.#raw.close()
  }
}

function prepared(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => {
      const { changes, lastInsertRowid } = statement.run(...(parameters as SQLInputValue[]))
      return { changes, lastInsertRowid }
    },
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  }
}

function nothing(): void {}
