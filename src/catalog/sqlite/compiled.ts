/** The catalog's statements as SQL for SQLite, compiled when they are first run: once for all connections. */
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Schema } from '../schema.ts'
import type { Compiled, Statement, Values } from '../statement.ts'

const known = new WeakMap<object, Compiled>()

export function compiledFor<Given extends Values, Row>(statement: Statement<Given, Row>): Compiled {
  let compiled = known.get(statement)
  if (compiled === undefined) {
    compiled = statement.compile(builder())
    known.set(statement, compiled)
  }
  return compiled
}

let shared: Kysely<Schema> | undefined

/** Builds queries, and runs none. */
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
