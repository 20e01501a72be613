import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sql } from 'kysely'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import type { Problem } from '../../model/errors.ts'
import { indexName, userName } from '../../model/names.ts'
import { projectName } from '../../pep/name.ts'
import { listUsers, saveUser, userAsWritten } from '../accounts.ts'
import { catalogContract, NOW } from '../catalog.contract.ts'
import { holdingsContract } from '../holdings.contract.ts'
import { changesSince } from '../journal.ts'
import { MIGRATIONS } from './migrations/migrations.ts'
import { SqliteCatalog } from './sqlite.ts'

const open = (path: string, readers = 2) => SqliteCatalog.open({ path, readers, now: () => NOW })

const opened = {
  name: 'SqliteCatalog',
  open: async () => {
    const folder = await tempFolder()
    const path = join(folder.path, 'catalog.db')
    let catalog = await open(path)
    return {
      catalog,
      reopen: async () => {
        await catalog[Symbol.asyncDispose]()
        catalog = await open(path)
        return catalog
      },
      [Symbol.asyncDispose]: async () => {
        await catalog[Symbol.asyncDispose]()
        await folder.remove()
      },
    }
  },
}
catalogContract(opened)
holdingsContract(opened)

test('SqliteCatalog runs its migrations once', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  for (let each = 0; each < 3; each++) {
    await using catalog = await open(path)
    await catalog.write((writer) => saveUser(writer, { name: userName(`u${each}`), created: 'then' }, 'created'))
    assert.equal((await catalog.read(listUsers)).length, each + 1)
  }
  using raw = new DatabaseSync(path)
  const { user_version: version } = raw.prepare('PRAGMA user_version').get() as { user_version: number }
  assert.equal(version, MIGRATIONS.length)
})

test('SqliteCatalog goes on with its journal where another process has written to it', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  await using served = await open(path)
  await using beside = await open(path)
  const save = (catalog: SqliteCatalog, name: string) =>
    catalog.write((writer) => saveUser(writer, { name: userName(name), created: 'then' }, 'created'))
  for (const [at, catalog] of [served, beside, beside, served, beside].entries()) {
    await save(catalog, `u${at}`)
    assert.equal(catalog.serial, at + 1)
  }
  assert.equal((await served.read(listUsers)).length, 5)
})

test('SqliteCatalog refuses a catalog of a newer version and leaves it as it is', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  await (await open(path))[Symbol.asyncDispose]()
  {
    using raw = new DatabaseSync(path)
    raw.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`)
  }
  await assert.rejects(open(path), (error: Problem) => {
    assert.equal(error.code, 'directory-too-new')
    assert.match(
      error.message,
      new RegExp(`its format is ${MIGRATIONS.length + 1}, this program knows formats up to ${MIGRATIONS.length}$`),
    )
    assert.ok(error.hint)
    return true
  })
  using raw = new DatabaseSync(path)
  assert.deepEqual({ ...raw.prepare('PRAGMA user_version').get() }, { user_version: MIGRATIONS.length + 1 })
})

test('SqliteCatalog is synced at every commit and tells of work left behind', async () => {
  await using folder = await tempFolder()
  await using catalog = await open(join(folder.path, 'catalog.db'))
  let woken = 0
  catalog.whenEnqueued(() => woken++)
  const job = (key: string) =>
    ({ kind: 'describe-file', key, index: indexName('u', 'i'), project: projectName('p'), filename: 'f' }) as const
  await catalog.write(async (writer) => {
    await writer.enqueue(job('a'))
    await writer.enqueue(job('b'))
    assert.equal(woken, 0)
  })
  assert.equal(woken, 1)
  await catalog.write(async () => {})
  assert.equal(woken, 1)
  await catalog
    .write(async (writer) => {
      await writer.enqueue(job('c'))
      throw new Error('no')
    })
    .catch(() => {})
  assert.equal(woken, 1)
})

test('SqliteCatalog ends after the writes that were asked for', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  const catalog = await open(path)
  const writing = Array.from({ length: 5 }, (_, each) =>
    catalog.write((writer) => saveUser(writer, { name: userName(`u${each}`), created: 'then' }, 'created')),
  )
  await catalog[Symbol.asyncDispose]()
  await Promise.all(writing)
  await using again = await open(path)
  assert.equal((await again.read(listUsers)).length, 5)
  assert.ok(await again.read((reader) => userAsWritten(reader, 'u4')))
})

test('SqliteCatalog commits writes that come together as one transaction, each with its serial and its journal row', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'catalog.db')
  await using catalog = await open(path)
  using beside = new DatabaseSync(path)
  const seen: number[] = []
  const rowsBeside = () => (beside.prepare('SELECT count(*) AS n FROM journal').get() as { n: number }).n
  const writes = ['a', 'b', 'c', 'd'].map((name) =>
    catalog.write(async (writer) => {
      await saveUser(writer, { name: userName(name), created: 'then' }, 'created')
      assert.deepEqual([catalog.serial, rowsBeside()], [0, 0])
      writer.onCommit(() => seen.push(catalog.serial, rowsBeside()))
      if (name === 'b') throw new Error('one fails')
      return name
    }),
  )
  const results = await Promise.allSettled(writes)
  assert.deepEqual(
    results.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).message)),
    ['a', 'one fails', 'c', 'd'],
  )
  assert.deepEqual(seen, [1, 3, 2, 3, 3, 3])
  const journal = await catalog.read((reader) => changesSince(reader, 0 as typeof catalog.serial, 10))
  assert.deepEqual(
    journal.map(({ serial, changes }) => [serial, changes.map((each) => each.what === 'user' && each.user)]),
    [
      [1, ['a']],
      [2, ['c']],
      [3, ['d']],
    ],
  )
})

test('SqliteCatalog rejects all writes of a group that cannot be committed, and keeps its serial', async () => {
  await using folder = await tempFolder()
  await using catalog = await open(join(folder.path, 'catalog.db'))
  const save = (name: string) =>
    catalog.write((writer) => saveUser(writer, { name: userName(name), created: 'then' }, 'created'))
  await save('a')
  // A reference that is looked at when the transaction ends, to nothing.
  const broken = catalog.write(async ({ db }) => {
    await sql`PRAGMA defer_foreign_keys = ON`.execute(db)
    await sql`INSERT INTO group_members VALUES ('nobody', 'a')`.execute(db)
  })
  const results = await Promise.allSettled([save('b'), broken, save('c')])
  for (const each of results)
    assert.match(String(each.status === 'rejected' && each.reason), /FOREIGN KEY constraint failed/)
  assert.equal(catalog.serial, 1)
  await save('d')
  assert.equal(catalog.serial, 2)
  assert.deepEqual(
    (await catalog.read(listUsers)).map(({ name }) => name),
    ['a', 'd'],
  )
})
