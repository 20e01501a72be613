import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userName } from '../../model/names.ts'
import type { User } from '../../model/records.ts'
import { LoginTokens } from './login-tokens.ts'

const ALICE: User = { name: userName('alice'), created: '2026-01-01T00:00:00Z' }

function given(secret = 'a'.repeat(32)) {
  const clock = { ms: 1_700_000_000_000, now: () => new Date(clock.ms) }
  return { clock, tokens: new LoginTokens({ secret: Buffer.from(secret), lifeSeconds: 100, clock }) }
}

test('LoginTokens.read() gives back whom the token was issued for', () => {
  const { tokens } = given()
  assert.deepEqual(tokens.read(tokens.issue(ALICE)), { user: 'alice', accountCreated: ALICE.created })
  assert.deepEqual(tokens.read(tokens.issue({ ...ALICE, name: userName('🐍.ü') })), {
    user: '🐍.ü',
    accountCreated: ALICE.created,
  })
})

test('LoginTokens.issue() makes text that needs no quoting in a URL', () => {
  const { tokens } = given()
  const token = tokens.issue({ ...ALICE, name: userName('🐍'.repeat(20)) })
  assert.match(token, /^[A-Za-z0-9._-]+$/)
})

test('LoginTokens.read() knows a token that is too old, to the second', () => {
  const { tokens, clock } = given()
  const token = tokens.issue(ALICE)
  clock.ms += 99_999
  assert.notEqual(tokens.read(token), 'expired')
  clock.ms += 1
  assert.equal(tokens.read(token), 'expired')
})

test('LoginTokens.read() takes tokens of the same secret after a restart, and none of another', () => {
  const token = given().tokens.issue(ALICE)
  assert.ok(given().tokens.read(token))
  assert.equal(given('b'.repeat(32)).tokens.read(token), undefined)
})

test('LoginTokens.read() refuses a token that was changed anywhere', () => {
  const { tokens } = given()
  const token = tokens.issue(ALICE)
  for (let place = 0; place < token.length; place++) {
    const other = token[place] === 'A' ? 'B' : 'A'
    const changed = token.slice(0, place) + other + token.slice(place + 1)
    assert.equal(tokens.read(changed), undefined, `place ${place}`)
  }
})

test('LoginTokens.read() refuses parts put together from two tokens', () => {
  const { tokens } = given()
  const [one, two] = [tokens.issue(ALICE).split('.'), tokens.issue({ ...ALICE, name: userName('bob') }).split('.')]
  assert.equal(tokens.read([one[0], one[1], two[2]].join('.')), undefined)
  assert.equal(tokens.read([two[0], two[1], one[2]].join('.')), undefined)
})

for (const text of [
  '',
  '.',
  'al1',
  'al1.',
  'al1..',
  'al1.x',
  'al1.x.y',
  'al2.x.y',
  'a password',
  'al1.x.y.z',
  'al1.W10.',
  '\0',
  '🐍'.repeat(100),
]) {
  test(`LoginTokens.read() of ${JSON.stringify(text.slice(0, 20))} is no token`, () => {
    assert.equal(given().tokens.read(text), undefined)
  })
}
