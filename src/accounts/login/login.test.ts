import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTempStores } from '../../../test/world/temp-stores.ts'
import { ANONYMOUS, may, type Principal } from '../../model/access.ts'
import type { Problem } from '../../model/errors.ts'
import { userName } from '../../model/names.ts'
import { Users } from '../users.ts'
import { Login } from './login.ts'
import { LoginTokens } from './login-tokens.ts'
import { Passwords } from './passwords.ts'

const ROOT: Principal = { name: userName('root'), groups: [] }
const LIMITS = { passwordChecks: 2, passwordQueue: 100 }

async function given() {
  const stores = await openTempStores()
  const passwords = new Passwords(LIMITS)
  const tokens = new LoginTokens({ secret: Buffer.alloc(32, 1), lifeSeconds: 100, clock: stores.clock })
  const users = new Users(stores.catalog, passwords, stores.clock, may)
  return {
    stores,
    users,
    login: new Login(stores.catalog, passwords, tokens),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

const refused = (error: Problem) => error.code === 'login-refused'

test('Login.login() gives a token for the right password, from anywhere', async () => {
  await using ground = await given()
  await ground.users.create(ROOT, 'alice', { password: 'secret' })
  for (const isLocal of [true, false]) {
    const token = await ground.login.login({ user: 'alice', secret: 'secret', isLocal })
    assert.equal(token.expiration, 100)
    const who = await ground.login.principal({ user: 'alice', secret: token.password, isLocal: false })
    assert.deepEqual(who, { name: 'alice', groups: [] })
  }
})

test('Login.login() refuses a wrong password and an unknown user in the same words', async () => {
  await using ground = await given()
  await ground.users.create(ROOT, 'alice', { password: 'secret' })
  for (const [user, secret] of [
    ['alice', 'wrong'],
    ['alice', ''],
    ['nobody', 'secret'],
    ['', ''],
  ] as const) {
    await assert.rejects(ground.login.login({ user, secret, isLocal: true }), (error: Problem) => {
      assert.equal(error.message, `user '${user}' could not be authenticated`)
      return refused(error)
    })
  }
})

test('Login takes the empty password from the machine itself alone, and says how to set one', async () => {
  await using ground = await given()
  await ground.users.create(ROOT, 'root', { password: '' })
  const local = { user: 'root', secret: '', isLocal: true }
  assert.ok(await ground.login.login(local))
  assert.deepEqual(await ground.login.principal(local), ROOT)
  const far = { ...local, isLocal: false }
  await assert.rejects(
    ground.login.login(far),
    (error: Problem) => refused(error) && /airlock passwd root/.test(error.message),
  )
  assert.deepEqual(await ground.login.principal(far), ANONYMOUS)
})

test('Login.principal() takes a password where a token could stand', async () => {
  await using ground = await given()
  await ground.users.create(ROOT, 'alice', { password: 'al1.looks.like' })
  const who = await ground.login.principal({ user: 'alice', secret: 'al1.looks.like', isLocal: false })
  assert.equal(who.name, 'alice')
})

test("Login.principal() is nobody for another's token, an old one, and a new account of the name", async () => {
  await using ground = await given()
  const { users, login, stores } = ground
  await users.create(ROOT, 'alice', { password: 'secret' })
  await users.create(ROOT, 'bob', { password: 'secret' })
  const { password: token } = await login.login({ user: 'alice', secret: 'secret', isLocal: false })
  const asks = (user: string) => login.principal({ user, secret: token, isLocal: true })
  assert.equal((await asks('alice')).name, 'alice')
  assert.deepEqual(await asks('bob'), ANONYMOUS)
  assert.deepEqual(await asks('nobody'), ANONYMOUS)
  stores.clock.ms += 50_000
  await users.remove(ROOT, 'alice')
  assert.deepEqual(await asks('alice'), ANONYMOUS)
  await users.create(ROOT, 'alice', { password: 'secret' })
  assert.deepEqual(await asks('alice'), ANONYMOUS)
  const { password: fresh } = await login.login({ user: 'alice', secret: 'secret', isLocal: false })
  stores.clock.ms += 100_000
  assert.deepEqual(await login.principal({ user: 'alice', secret: fresh, isLocal: true }), ANONYMOUS)
})

test('Login forgets a password that was right as soon as it is changed', async () => {
  await using ground = await given()
  await ground.users.create(ROOT, 'alice', { password: 'old' })
  const asks = async (secret: string) => (await ground.login.principal({ user: 'alice', secret, isLocal: false })).name
  assert.equal(await asks('old'), 'alice')
  await ground.users.modify(ROOT, 'alice', { password: 'new' })
  assert.equal(await asks('old'), undefined)
  assert.equal(await asks('new'), 'alice')
})
