/**
 * Prepared statements: queries that every upload and every page asks, built and compiled once. Kysely takes some ten times as
 * long to put one together as SQLite takes to answer it. How one is compiled and run is the engine's: `Reader.run`.
 */
import type { Compilable, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

/** What every engine takes for a value. */
export type Value = string | number | null
export type Values = Readonly<Record<string, Value>>

/** What runs statements: every `Reader`. */
export interface Runs {
  /** The rows of a query, or those that a `returning` gives; none for a statement that gives none. */
  run<Given extends Values, Row>(statement: Statement<Given, Row>, values: Given): Promise<Row[]>
}

/** As an engine compiled it: among the parameters a `Place` stands for each value. */
export interface Compiled {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Stands for a value while the query is built. */
class Place {
  readonly key: string
  constructor(key: string) {
    this.key = key
  }
}

export class Statement<Given extends Values, Row> {
  readonly #build: (db: Kysely<Schema>, value: Given) => Compilable<Row>

  constructor(build: (db: Kysely<Schema>, value: Given) => Compilable<Row>) {
    this.#build = build
  }

  /** For engines: with a `db` that compiles in their way, and runs nothing. */
  compile(db: Kysely<Schema>): Compiled {
    return this.#build(db, PLACES as Given).compile()
  }

  async all(on: Runs, values: Given): Promise<Row[]> {
    return await on.run(this, values)
  }

  /** The first row, where there is one. */
  async first(on: Runs, values: Given): Promise<Row | undefined> {
    return (await on.run(this, values))[0]
  }

  /** For a statement that gives no rows. */
  async run(on: Runs, values: Given): Promise<void> {
    await on.run(this, values)
  }
}

/**
 * A statement over these values: `build` is called once by an engine, with something in the place of each of them, which it may
 * only put into the query.
 */
export function statement<Given extends Values>() {
  return <Row>(build: (db: Kysely<Schema>, value: Given) => Compilable<Row>): Statement<Given, Row> =>
    new Statement(build)
}

/** The parameters of a compiled statement with these values in their places. */
export function filled({ parameters }: Compiled, values: Values): unknown[] {
  return parameters.map((each) => (each instanceof Place ? values[each.key] : each))
}

const PLACES = new Proxy({}, { get: (_target, key) => new Place(String(key)) })
