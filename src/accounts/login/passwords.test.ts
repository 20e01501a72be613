import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../model/errors.ts'
import { Passwords } from './passwords.ts'

const passwords = new Passwords({ passwordChecks: 2, passwordQueue: 100 })

/** As argon2-cffi makes them: devpi-server's own form and costs, and two others. */
const SAMPLES = [
  [
    'correct horse',
    '$argon2id$v=19$m=65536,t=3,p=4$LqC6cmxOQ69tqHR3Y9C4Hg$7DbJDPHf/jM83jpJRdMssFwNcLP/IUuHcUSrsMIK1GE',
  ],
  ['', '$argon2id$v=19$m=65536,t=3,p=4$unFWsxA/mEDp+8iBLeuBgQ$4PA5OVlOgp9X3v6OA6Twd0pAn6HCi5paU+2zavx9n5c'],
  ['pässwörd', '$argon2i$v=19$m=1024,t=2,p=2$1v+16qwONMn17EgmhBw6FA$j2R4EN5pGxfH0FEl2Ew2hvmICznAs8YLGT6dcDH2otw'],
] as const

for (const [password, stored] of SAMPLES) {
  test(`Passwords.matches() knows "${password}" by a hash of another program's making`, async () => {
    assert.equal(Passwords.isHash(stored), true)
    assert.equal(await passwords.matches(password, stored), true)
    assert.equal(await passwords.matches(`${password} `, stored), false)
  })
}

test('Passwords.hash() makes a hash that matches its password alone, salted anew each time', async () => {
  const [one, two] = [await passwords.hash('secret'), await passwords.hash('secret')]
  assert.notEqual(one, two)
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.equal(Passwords.isHash(one), true)
  assert.equal(await passwords.matches('secret', one), true)
  for (const wrong of ['', 'Secret', 'secret ', 'secre']) assert.equal(await passwords.matches(wrong, one), false)
})

const [, GOOD] = SAMPLES[2]
for (const [what, stored] of [
  ['nothing', ''],
  ['the password itself', 'pässwörd'],
  ['another scheme', '$2b$12$abcdefghijklmnopqrstuv'],
  ['another version', GOOD.replace('v=19', 'v=16')],
  ['argon2d', GOOD.replace('argon2i', 'argon2d')],
  ['a missing part', GOOD.slice(0, GOOD.lastIndexOf('$'))],
  ['a part too many', `${GOOD}$x`],
  ['more memory than is given', GOOD.replace('m=1024', 'm=999999999')],
  ['more passes than are given', GOOD.replace('t=2', 't=1000')],
  ['more lanes than are given', GOOD.replace('p=2', 'p=255')],
  ['costs of nothing', GOOD.replace('m=1024,t=2,p=2', 'm=0,t=0,p=0')],
  ['less memory than lanes need', GOOD.replace('m=1024', 'm=8')],
  ['a salt too short', GOOD.replace('1v+16qwONMn17EgmhBw6FA', 'YQ')],
  ['a hash too short', GOOD.replace(/\$[^$]+$/, '$YQ')],
  ['another tag', GOOD.replace(/.$/, 'A')],
] as const) {
  test(`Passwords.matches() is false for ${what}, without throwing`, async () => {
    assert.equal(await passwords.matches('pässwörd', stored), false)
  })
}

test('Passwords works on a few at a time and refuses when too many wait', async () => {
  const few = new Passwords({ passwordChecks: 1, passwordQueue: 2 })
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => few.hash('x')))
  const refused = results.filter((each) => each.status === 'rejected')
  assert.equal(refused.length, 3)
  for (const { reason } of refused) {
    assert.equal((reason as Problem).code, 'busy')
    assert.ok((reason as Problem).retrySeconds)
  }
  assert.ok(await few.hash('x'))
})

test('Passwords goes on after a check that failed', async () => {
  const one = new Passwords({ passwordChecks: 1, passwordQueue: 1 })
  for (let each = 0; each < 3; each++) await one.matches('x', GOOD.replace('m=1024', 'm=8'))
  assert.equal(await one.matches('pässwörd', GOOD), true)
})
