/**
 * Queries that every upload and every page asks, built and compiled once: Kysely takes some ten times as long to put one
 * together as SQLite takes to answer it.
 */
import {
  type Compilable,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteStatement,
} from 'kysely'
import type { Schema } from '../schema.ts'

/** What SQLite takes for a value. */
export type Value = string | number | null

/** A connection with its compiled statements: every `Reader` is one. */
export interface Prepares {
  prepare(sql: string): SqliteStatement
}

/** Stands for a value while the query is built. */
class Place {
  readonly key: string
  constructor(key: string) {
    this.key = key
  }
}

interface Compiled {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export class Statement<Values extends Readonly<Record<string, Value>>, Row> {
  readonly #build: () => Compiled
  #compiled: Compiled | undefined

  constructor(build: () => Compiled) {
    this.#build = build
  }

  all(on: Prepares, values: Values): Row[] {
    const { sql, parameters } = this.#ready()
    return on.prepare(sql).all(filled(parameters, values)) as Row[]
  }

  /** The first row, where there is one. */
  first(on: Prepares, values: Values): Row | undefined {
    return this.all(on, values)[0]
  }

  /** For a query without rows. Gives the id of the row that was inserted last. */
  run(on: Prepares, values: Values): number {
    const { sql, parameters } = this.#ready()
    return Number(on.prepare(sql).run(filled(parameters, values)).lastInsertRowid)
  }

  #ready(): Compiled {
    this.#compiled ??= this.#build()
    return this.#compiled
  }
}

/**
 * A statement over these values: `build` is called once, with something in the place of each of them, which it may only
 * put into the query. It is compiled when it is first run.
 */
export function statement<Values extends Readonly<Record<string, Value>>>() {
  return <Row>(build: (db: Kysely<Schema>, value: Values) => Compilable<Row>): Statement<Values, Row> =>
    new Statement(() => build(builder(), PLACES as Values).compile())
}

const PLACES = new Proxy({}, { get: (_target, key) => new Place(String(key)) })

let shared: Kysely<Schema> | undefined

/** Builds queries for SQLite, and runs none. */
function builder(): Kysely<Schema> {
  shared ??= new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  return shared
}

function filled(parameters: readonly unknown[], values: Readonly<Record<string, Value>>): unknown[] {
  return parameters.map((each) => (each instanceof Place ? values[each.key] : each))
}
