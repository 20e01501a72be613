import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'
import type { Problem } from '../../model/errors.ts'
import { claimedIssuer, verifyToken } from './oidc-token.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const SECONDS = NOW / 1000
const EXPECTED = {
  issuer: 'https://ci.example',
  audience: 'airlock',
  clock: { now: () => new Date(NOW) },
  leewaySeconds: 30,
}
const CLAIMS = { iss: 'https://ci.example', aud: 'airlock', sub: 'x', iat: SECONDS, exp: SECONDS + 300, jti: 'one' }

const pairs = { RS256: await keyPair('RS256'), ES256: await keyPair('ES256'), EdDSA: await keyPair('EdDSA') }
const keys: JSONWebKeySet = { keys: Object.values(pairs).map((pair) => pair.jwk) }

for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
  test(`verifyToken() takes what a key of the issuer has signed with ${alg}`, async () => {
    const verified = await verifyToken(await signed(CLAIMS, alg), keys, EXPECTED)
    assert.ok(verified !== 'unknown-key')
    assert.deepEqual([verified.claims.sub, verified.endMs], ['x', NOW + 330_000])
  })
}

for (const [what, claims, why] of [
  ['has expired', { ...CLAIMS, exp: SECONDS - 31 }, /it expired at 2026-01-02T03:03:34\.000Z/],
  ['is not valid yet', { ...CLAIMS, nbf: SECONDS + 31 }, /it is not valid before 2026-01-02T03:04:36/],
  ['comes from the future', { ...CLAIMS, iat: SECONDS + 31 }, /it was issued in the future/],
  ['is for somebody else', { ...CLAIMS, aud: 'pypi' }, /it is for audience "pypi", and this server is "airlock"/],
  ['is for nobody', { ...CLAIMS, aud: undefined }, /its claim "aud" is missing|it is for audience undefined/],
  ['never ends', { ...CLAIMS, exp: undefined }, /its claim "exp" is missing/],
  ['was issued at no time', { ...CLAIMS, iat: undefined }, /its claim "iat" is missing/],
  ['is of another issuer', { ...CLAIMS, iss: 'https://other.example' }, /its claim "iss" is missing or wrong/],
] as const) {
  test(`verifyToken() refuses a token that ${what}`, async () => {
    await assert.rejects(verifyToken(await signed(claims), keys, EXPECTED), is(why))
  })
}

test('verifyToken() allows for clocks that differ a little', async () => {
  const claims = { ...CLAIMS, exp: SECONDS - 29, nbf: SECONDS + 29, iat: SECONDS + 29 }
  assert.notEqual(await verifyToken(await signed(claims), keys, EXPECTED), 'unknown-key')
})

test('verifyToken() refuses signatures that anybody could make', async () => {
  const payload = (await signed(CLAIMS)).split('.')[1]!
  const head = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const none = `${head({ alg: 'none' })}.${payload}.`
  await assert.rejects(verifyToken(none, keys, EXPECTED), is(/not accepted|cannot be checked/))
  const shared = `${head({ alg: 'HS256', kid: 'ES256' })}.${payload}`
  // What is public taken for a shared secret.
  const mac = createHmac('sha256', JSON.stringify(pairs.ES256.jwk)).update(shared).digest('base64url')
  await assert.rejects(verifyToken(`${shared}.${mac}`, keys, EXPECTED), is(/signed in a way that is not accepted/))
})

test('verifyToken() refuses what was changed, what another key has signed, and tells a key that is not known', async () => {
  const [head, payload, signature] = (await signed(CLAIMS)).split('.') as [string, string, string]
  const changed = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'y' })).toString('base64url')
  await assert.rejects(verifyToken(`${head}.${changed}.${signature}`, keys, EXPECTED), is(/its signature is not/))
  const other = await keyPair('ES256')
  const forged = await signed(CLAIMS, 'ES256', { ...other, jwk: pairs.ES256.jwk })
  await assert.rejects(verifyToken(forged, keys, EXPECTED), is(/its signature is not/))
  assert.equal(await verifyToken(`${head}.${payload}.${signature}`, { keys: [] }, EXPECTED), 'unknown-key')
  await assert.rejects(verifyToken('a.b.c', keys, EXPECTED), is(/cannot be checked/))
})

test('verifyToken() knows a token again by its jti, or by what was signed', async () => {
  const idOf = async (text: string) => {
    const verified = await verifyToken(text, keys, EXPECTED)
    return verified === 'unknown-key' ? assert.fail() : verified.id
  }
  const { jti: _jti, ...anonymous } = CLAIMS
  assert.equal(await idOf(await signed(CLAIMS)), await idOf(await signed({ ...CLAIMS, sub: 'y' })))
  assert.notEqual(await idOf(await signed(CLAIMS)), await idOf(await signed({ ...CLAIMS, jti: 'two' })))
  // The same statement with two signatures: ECDSA makes another one each time.
  assert.equal(await idOf(await signed(anonymous)), await idOf(await signed(anonymous)))
  assert.notEqual(await idOf(await signed(anonymous)), await idOf(await signed({ ...anonymous, sub: 'y' })))
})

test('claimedIssuer() refuses what is no token, or names nobody', async () => {
  assert.equal(claimedIssuer(await signed(CLAIMS)), 'https://ci.example')
  for (const text of ['', 'x', 'a.b', 'a.b.c.d', `x.${Buffer.from('[]').toString('base64url')}.x`]) {
    assert.throws(() => claimedIssuer(text), is(/no JSON Web Token|names no issuer/))
  }
})

async function keyPair(alg: 'RS256' | 'ES256' | 'EdDSA') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: alg } }
}

async function signed(
  claims: Readonly<Record<string, unknown>>,
  alg: keyof typeof pairs = 'ES256',
  { privateKey, jwk } = pairs[alg],
): Promise<string> {
  return await new SignJWT({ ...claims }).setProtectedHeader({ alg, kid: jwk.kid }).sign(privateKey)
}

function is(why: RegExp): (error: Problem) => boolean {
  return (error) => {
    assert.equal(error.code, 'oidc-token-invalid')
    assert.match(error.message, why)
    return true
  }
}
