/** The tables, as the migrations leave them, held against what the code says of them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { indexAsWritten } from '../accounts.ts'
import { BLOB_COLUMNS } from '../named-blobs.ts'
import { listProjects } from '../projects.ts'
import { MIGRATIONS } from './migrations/migrations.ts'
import { SqliteCatalog } from './sqlite.ts'

/** Columns with digests that keep no blob, each with its reason. */
const NAME_NONE: Readonly<Record<string, string>> = {
  'dropped_blobs.digest': 'a blob that some row gave up',
  'made_metadata.digest': 'mirror_metadata has a row of it while the blob is here',
  'mirror_provenance.digest': 'the content that the provenance is about',
}

function migrated(steps: number): DatabaseSync {
  const raw = new DatabaseSync(':memory:')
  for (const sql of MIGRATIONS.slice(0, steps)) raw.exec(sql)
  return raw
}

test('every column with a digest names blobs, or is known for naming none', () => {
  using raw = migrated(MIGRATIONS.length)
  const found = raw
    .prepare(
      `SELECT t.name || '.' || c.name AS at FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
       WHERE t.type = 'table' AND (c.name LIKE '%digest%' OR c.name LIKE '%sha256%' OR c.name LIKE '%blob%') ORDER BY 1`,
    )
    .all()
    .map(({ at }) => String(at))
  const known = [...BLOB_COLUMNS.map(({ table, column }) => `${table}.${column}`), ...Object.keys(NAME_NONE)]
  assert.deepEqual(found, known.toSorted())
})

test('a blob is written down as dropped when a row that names it goes, or comes to name another', () => {
  using raw = migrated(MIGRATIONS.length)
  raw.exec('PRAGMA foreign_keys = OFF')
  const dropped = () =>
    raw
      .prepare('SELECT digest FROM dropped_blobs')
      .all()
      .map(({ digest }) => digest)
  for (const { table, column } of BLOB_COLUMNS) {
    const columns = raw
      .prepare('SELECT name, type, "notnull" AS needed, pk FROM pragma_table_info(?)')
      .all(table)
      .filter(({ name, needed, pk }) => needed === 1 || name === column || (Number(pk) > 0 && name !== 'id'))
    const values = columns.map(({ name, type }) => {
      if (name === 'kind') return "'doczip'"
      if (name === 'status') return "'pending'"
      return name === column ? "'first'" : type === 'INTEGER' ? '1' : "'x'"
    })
    raw.exec(`INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')}) VALUES (${values.join(', ')})`)
    // A row of metadata is put in place of another, and never changed.
    if (table !== 'mirror_metadata') {
      raw.exec(`UPDATE ${table} SET ${column} = 'second'`)
      assert.deepEqual(dropped(), ['first'], `${table}.${column} changes`)
      raw.exec('DELETE FROM dropped_blobs')
    }
    raw.exec(`DELETE FROM ${table}`)
    assert.ok(dropped().includes(table === 'mirror_metadata' ? 'first' : 'second'), `${table}.${column} goes`)
    raw.exec('DELETE FROM dropped_blobs')
  }
})

/** Of all that was released: a catalog that ran a step must be what one is that runs it today. */
const RELEASED = 14
test('no released migration has changed', () => {
  const digest = createHash('sha256').update(MIGRATIONS.slice(0, RELEASED).join('\0')).digest('hex')
  assert.equal(digest, '7447869c326f3c29598c130e7ffca007792abb68b4cc722613d33452300ff7b0')
})

for (let format = 0; format < MIGRATIONS.length; format++) {
  test(`a catalog of format ${format} is brought to today's, and has today's tables`, async () => {
    await using folder = await tempFolder()
    const path = join(folder.path, 'catalog.db')
    const schemaOf = (raw: DatabaseSync) =>
      raw.prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all()
    {
      using raw = new DatabaseSync(path)
      for (const sql of MIGRATIONS.slice(0, format)) raw.exec(sql)
      raw.exec(`PRAGMA user_version = ${format}`)
    }
    await using catalog = await SqliteCatalog.open({ path, readers: 1, now: () => new Date(0) })
    assert.equal(await catalog.latestSerial(), 0)
    using raw = new DatabaseSync(path)
    using today = migrated(MIGRATIONS.length)
    assert.deepEqual(schemaOf(raw), schemaOf(today))
  })
}

test('a project keeps its stamp when the column gets its name of today', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  {
    using raw = new DatabaseSync(path)
    for (const sql of MIGRATIONS.slice(0, 13)) raw.exec(sql)
    raw.exec(`
      PRAGMA user_version = 13;
      INSERT INTO users (name, created) VALUES ('u', 'then');
      INSERT INTO indexes (name, user, type, options) VALUES ('u/i', 'u', 'stage', '{"type":"stage"}');
      INSERT INTO projects (index_id, name, serial) VALUES (1, 'acme', 1234)`)
  }
  await using catalog = await SqliteCatalog.open({ path, readers: 1, now: () => new Date(0) })
  const projects = await catalog.read(async (reader) =>
    listProjects(reader, (await indexAsWritten(reader, 'u/i'))!, '', 10),
  )
  assert.deepEqual(projects, [{ id: 1, name: 'acme', stamp: 1234 }])
})
