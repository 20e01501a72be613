import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { tempFolder } from '../../test/ground/temp-folder.ts'
import type { Problem } from '../model/errors.ts'
import { indexName, userName } from '../model/names.ts'
import { projectName } from '../pep/name.ts'
import { findUser, listUsers, saveUser } from './accounts.ts'
import { catalogContract, NOW } from './catalog.contract.ts'
import { holdingsContract } from './holdings.contract.ts'
import { MIGRATIONS } from './migrations.ts'
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
  assert.ok(await again.read((reader) => findUser(reader, 'u4')))
})
