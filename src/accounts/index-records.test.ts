import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { saveUser } from '../catalog/accounts.ts'
import { ANONYMOUS, may, type Principal } from '../model/access.ts'
import type { Problem, ProblemCode } from '../model/errors.ts'
import type { StageOptions } from '../model/index-options.ts'
import { userName } from '../model/names.ts'
import { IndexRecords } from './index-records.ts'

const who = (name: string): Principal => ({ name: userName(name), groups: [] })
const ALICE = who('alice')
const is = (code: ProblemCode, message: string) => (error: Problem) => {
  assert.deepEqual([error.code, error.message], [code, message])
  return true
}

async function given() {
  const stores = await openTempStores()
  for (const name of ['alice', 'bob']) {
    await stores.catalog.write((writer) => saveUser(writer, { name: userName(name), created: 'then' }, 'created'))
  }
  return {
    stores,
    records: new IndexRecords(stores.catalog, stores.clock, may),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

test('IndexRecords.create() asks in devpi’s order: user, index, permission, name, options', async () => {
  await using ground = await given()
  const { records } = ground
  await records.create(ALICE, 'alice', 'dev', {})
  await assert.rejects(records.create(ANONYMOUS, 'nobody', 'dev', { a: 1 }), is('no-such-user', "no user 'nobody'"))
  await assert.rejects(
    records.create(ANONYMOUS, 'alice', 'dev', { a: 1 }),
    is('index-exists', "index 'alice/dev' exists"),
  )
  await assert.rejects(
    records.create(who('bob'), 'alice', 'a b', { a: 1 }),
    is('not-allowed', 'no permission to create index alice/a b'),
  )
  await assert.rejects(
    records.create(ALICE, 'alice', 'a b', { a: 1 }),
    is(
      'name-invalid',
      "indexname 'a b' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.",
    ),
  )
  await assert.rejects(
    records.create(ALICE, 'alice', 'new', { a: 1 }),
    is('option-invalid', 'indexconfig got unexpected keyword arguments: a=1'),
  )
})

test('IndexRecords.create() of one name at once makes it once', async () => {
  await using ground = await given()
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => ground.records.create(ALICE, 'alice', 'dev', {})),
  )
  assert.equal(results.filter((each) => each.status === 'fulfilled').length, 1)
})

test('IndexRecords wants bases that exist, and lets one stay that vanished', async () => {
  await using ground = await given()
  const { records, stores } = ground
  await records.create(ALICE, 'alice', 'base', {})
  await records.create(ALICE, 'alice', 'top', { bases: ['alice/base'] })
  await records.remove(ALICE, 'alice/base')
  const serial = stores.catalog.serial
  const changed = await records.modify(ALICE, 'alice/top', { title: 'T' }, false)
  assert.deepEqual((changed.options as StageOptions).bases, ['alice/base'])
  await assert.rejects(
    records.modify(ALICE, 'alice/top', ['bases+=alice/none'], false),
    is('option-invalid', "base index 'alice/none' does not exist"),
  )
  await assert.rejects(
    records.create(ALICE, 'alice', 'other', { bases: 'alice/base' }),
    is('option-invalid', "base index 'alice/base' does not exist"),
  )
  assert.equal(stores.catalog.serial, serial + 1)
})

test('IndexRecords.modify() that changes nothing takes no serial, and is an error where that is asked for', async () => {
  await using ground = await given()
  const { records, stores } = ground
  await records.create(ALICE, 'alice', 'dev', {})
  const serial = stores.catalog.serial
  await records.modify(ALICE, 'alice/dev', { volatile: 'yes' }, false)
  assert.equal(stores.catalog.serial, serial)
  await assert.rejects(
    records.modify(ALICE, 'alice/dev', { volatile: 'yes' }, true),
    is('option-invalid', 'The requested modifications resulted in no changes'),
  )
})

test('IndexRecords.modify() and remove() are for root and the owner, and remove() for volatile indexes', async () => {
  await using ground = await given()
  const { records } = ground
  await records.create(ALICE, 'alice', 'dev', { volatile: false })
  for (const other of [ANONYMOUS, who('bob')]) {
    await assert.rejects(
      records.modify(other, 'alice/dev', {}, false),
      is('not-allowed', 'no permission to modify index alice/dev'),
    )
    await assert.rejects(
      records.remove(other, 'alice/dev'),
      is('not-allowed', 'no permission to delete index alice/dev'),
    )
  }
  await assert.rejects(
    records.remove(who('root'), 'alice/dev'),
    is('index-not-volatile', 'index alice/dev non-volatile, cannot delete'),
  )
  await records.modify(who('root'), 'alice/dev', { volatile: true }, false)
  await records.remove(ALICE, 'alice/dev')
  await assert.rejects(
    records.remove(ALICE, 'alice/dev'),
    is('no-such-index', 'The stage alice/dev could not be found.'),
  )
})
