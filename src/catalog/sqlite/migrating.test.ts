/** A catalog of an older format is left as it is by whoever may not migrate it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { MIGRATIONS } from './migrations/migrations.ts'
import { SqliteCatalog } from './sqlite.ts'

const formatOf = (path: string) => {
  using raw = new DatabaseSync(path)
  return raw.prepare('PRAGMA user_version').get()?.user_version
}

test('SqliteCatalog refuses to migrate where it may not, and leaves the catalog as it is', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  const open = (mayMigrate: boolean) => SqliteCatalog.open({ path, readers: 1, now: () => new Date(0), mayMigrate })
  {
    using raw = new DatabaseSync(path)
    for (const sql of MIGRATIONS.slice(0, -1)) raw.exec(sql)
    raw.exec(`PRAGMA user_version = ${MIGRATIONS.length - 1}`)
  }
  await assert.rejects(open(false), { code: 'directory-too-old' })
  assert.equal(formatOf(path), MIGRATIONS.length - 1)
  await (await open(true))[Symbol.asyncDispose]()
  assert.equal(formatOf(path), MIGRATIONS.length)
  await (await open(false))[Symbol.asyncDispose]()
})
