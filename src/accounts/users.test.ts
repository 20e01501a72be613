import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { userAsWritten } from '../catalog/accounts.ts'
import { ANONYMOUS, may, type Principal } from '../model/access.ts'
import type { Problem, ProblemCode } from '../model/errors.ts'
import { userName } from '../model/names.ts'
import { IndexRecords } from './index-records.ts'
import { Passwords } from './login/passwords.ts'
import { Users, userConfig } from './users.ts'

const who = (name: string): Principal => ({ name: userName(name), groups: [] })
const PWHASH = '$argon2i$v=19$m=1024,t=2,p=2$1v+16qwONMn17EgmhBw6FA$j2R4EN5pGxfH0FEl2Ew2hvmICznAs8YLGT6dcDH2otw'
const is = (code: ProblemCode, message?: string) => (error: Problem) => {
  assert.equal(error.code, code, error.message)
  if (message !== undefined) assert.equal(error.message, message)
  return true
}

async function given() {
  const stores = await openTempStores()
  const users = new Users(stores.catalog, new Passwords({ passwordChecks: 2, passwordQueue: 10 }), stores.clock, may)
  return {
    stores,
    users,
    records: new IndexRecords(stores.catalog, stores.clock, may),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

test('Users.create() keeps what it is told and when, and anybody may', async () => {
  await using ground = await given()
  const made = await ground.users.create(ANONYMOUS, 'alice', {
    pwhash: PWHASH,
    email: 'a@example.org',
    custom_data: { a: 1 },
    created: 'never',
    indexes: {},
  })
  assert.deepEqual(made, {
    name: 'alice',
    passwordHash: PWHASH,
    email: 'a@example.org',
    customData: { a: 1 },
    created: '2026-01-02T03:04:05Z',
  })
  assert.deepEqual(await ground.stores.catalog.read((reader) => userAsWritten(reader, 'alice')), made)
  assert.equal(ground.stores.catalog.serial, 1)
})

test('Users.create() of one name at once makes it once', async () => {
  await using ground = await given()
  const results = await Promise.allSettled(
    Array.from({ length: 4 }, () => ground.users.create(ANONYMOUS, 'alice', { password: 'x' })),
  )
  assert.equal(results.filter((each) => each.status === 'fulfilled').length, 1)
  assert.equal(ground.stores.catalog.serial, 1)
})

for (const [what, name, fields, code] of [
  ['no password', 'alice', {}, 'bad-request'],
  ['an unknown key', 'alice', { password: 'x', shell: '/bin/sh' }, 'bad-request'],
  ['a hash of an unknown form', 'alice', { password: 'x', pwhash: 'plain' }, 'bad-request'],
  ['a title that is no text', 'alice', { password: 'x', title: 5 }, 'bad-request'],
  ['an odd name', 'a/b', { password: 'x' }, 'name-invalid'],
  ['no name', '', { password: 'x' }, 'name-invalid'],
  ['a name of dots', '..', { password: 'x' }, 'name-invalid'],
] as const) {
  test(`Users.create() refuses ${what}`, async () => {
    await using ground = await given()
    await assert.rejects(ground.users.create(ANONYMOUS, name, fields), is(code))
    assert.equal(ground.stores.catalog.serial, 0)
  })
}

test('Users.modify() changes what is sent, removes what is empty, and drops what it does not know', async () => {
  await using ground = await given()
  await ground.users.create(ANONYMOUS, 'alice', { pwhash: PWHASH, email: 'a@example.org', title: 'T' })
  ground.stores.clock.ms += 5000
  const changed = await ground.users.modify(who('alice'), 'alice', {
    title: '',
    description: 'D',
    shell: 'x',
    username: 'root',
    created: 'x',
  })
  assert.deepEqual(changed, {
    name: 'alice',
    passwordHash: PWHASH,
    email: 'a@example.org',
    description: 'D',
    created: '2026-01-02T03:04:05Z',
    modified: '2026-01-02T03:04:10Z',
  })
})

test('Users.modify() and remove() are for root and the user', async () => {
  await using ground = await given()
  const { users } = ground
  for (const name of ['root', 'alice', 'bob']) await users.create(ANONYMOUS, name, { pwhash: PWHASH })
  for (const other of [ANONYMOUS, who('bob')]) {
    await assert.rejects(users.modify(other, 'alice', {}), is('not-allowed', 'no permission to modify user alice'))
    await assert.rejects(users.remove(other, 'alice'), is('not-allowed', 'no permission to delete user alice'))
  }
  await users.modify(who('root'), 'alice', { title: 'x' })
  await users.remove(who('root'), 'alice')
  await users.remove(who('bob'), 'bob')
  await assert.rejects(users.remove(who('root'), 'root'), is('not-allowed'))
  await assert.rejects(users.remove(who('root'), 'alice'), is('no-such-user', "no user 'alice'"))
  await assert.rejects(users.modify(who('root'), 'alice', {}), is('no-such-user', "no user 'alice'"))
})

test('Users.remove() refuses a user with an index that is not volatile', async () => {
  await using ground = await given()
  await ground.users.create(ANONYMOUS, 'alice', { pwhash: PWHASH })
  await ground.records.create(who('alice'), 'alice', 'prod', { volatile: false })
  await assert.rejects(
    ground.users.remove(who('alice'), 'alice'),
    is('user-not-volatile', "user 'alice' has non-volatile index: prod"),
  )
})

test('userConfig() shows no hash', () => {
  const user = { name: userName('alice'), passwordHash: PWHASH, created: 'then' }
  assert.deepEqual(userConfig(user, {}), { username: 'alice', created: 'then', indexes: {} })
})
