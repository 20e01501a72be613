import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeIssuer } from '../../../test/upstream/fake-issuer.ts'
import { ALL_NAMED } from '../../../test/world/near.ts'
import { openTempStores } from '../../../test/world/temp-stores.ts'
import { deleteIndex, indexAsWritten } from '../../catalog/accounts.ts'
import { ANONYMOUS, may, type Principal } from '../../model/access.ts'
import type { Problem, ProblemCode } from '../../model/errors.ts'
import { type Limits, withLimits } from '../../model/limits.ts'
import { userName } from '../../model/names.ts'
import { OidcIssuers } from '../trusted-publishing/oidc-issuers.ts'
import { TrustedPublishers } from '../trusted-publishing/publishers.ts'
import { TokenExchange } from '../trusted-publishing/token-exchange.ts'
import { isTokenShaped, newSecret } from './token-secret.ts'
import { ApiTokens } from './tokens.ts'

const ALICE: Principal = { name: userName('alice'), groups: [] }
const is = (code: ProblemCode, message: RegExp) => (error: Problem) =>
  error.code === code && message.test(error.message)

async function given(changed: Partial<Limits> = {}) {
  await using stack = new AsyncDisposableStack()
  const stores = stack.use(await openTempStores())
  const issuer = stack.use(await startFakeIssuer())
  await stores.addStage('alice/dev')
  const { catalog, clock } = stores
  clock.ms = Date.now()
  const limits = withLimits(changed)
  const troubles: unknown[] = []
  const tokens = stack.use(new ApiTokens({ catalog, clock, may, limits, onTrouble: (error) => troubles.push(error) }))
  const issuers = stack.use(new OidcIssuers({ ...ALL_NAMED, clock, limits, userAgent: 'test' }))
  const publishers = new TrustedPublishers({ catalog, clock, may, limits })
  const exchange = new TokenExchange({ ...ALL_NAMED, catalog, clock, limits, issuers, audience: 'airlock' })
  const opened = stack.move()
  return {
    ...{ stores, issuer, tokens, publishers, exchange, troubles },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

test('newSecret() makes what isTokenShaped() tells from passwords', () => {
  const { secret, hash } = newSecret()
  assert.ok(isTokenShaped(secret) && /^[0-9a-f]{64}$/.test(hash) && newSecret().secret !== secret)
  for (const text of [
    '',
    'airlock-',
    'airlock-secret',
    `${secret}A`,
    secret.slice(0, -1),
    ` ${secret}`,
    `${secret}\n`,
  ]) {
    assert.ok(!isTokenShaped(text), JSON.stringify(text))
  }
})

test('ApiTokens.create() and TrustedPublishers.add() end at a bound', async () => {
  await using ground = await given({ tokensPerUser: 1, publishersPerIndex: 1 })
  const { tokens, publishers } = ground
  const { token } = await tokens.create(ALICE, 'alice', {})
  await assert.rejects(tokens.create(ALICE, 'alice', {}), is('bad-request', /has 1/))
  await tokens.revoke(ALICE, 'alice', token.id)
  await tokens.create(ALICE, 'alice', {})
  const fields = { kind: 'oidc', issuer: 'https://ci.example', claims: { sub: 'x' }, all_projects: true }
  await publishers.add(ALICE, 'alice/dev', fields)
  await assert.rejects(publishers.add(ALICE, 'alice/dev', fields), is('bad-request', /has 1/))
})

test('ApiTokens.principal() does not fail a request whose use cannot be written down', async () => {
  await using ground = await given()
  const { tokens, stores, troubles } = ground
  const { secret } = await tokens.create(ALICE, 'alice', {})
  await stores.catalog.write(async ({ db }) => {
    await db.schema.alterTable('tokens').renameColumn('used_ms', 'gone_ms').execute()
  })
  assert.equal((await tokens.principal(secret))?.name, 'alice')
  await tokens[Symbol.asyncDispose]()
  assert.equal(troubles.length, 1)
})

test('TokenExchange.exchange() remembers OIDC tokens no longer than they live, and not without end', async () => {
  await using ground = await given({ oidcTokensUsed: 2 })
  const { exchange, publishers, issuer, stores } = ground
  const fields = { kind: 'oidc', issuer: issuer.url, claims: { sub: 'builder' }, projects: ['acme'] }
  await publishers.add(ALICE, 'alice/dev', fields)
  const token = () => issuer.token({ sub: 'builder', exp: Math.floor(stores.clock.ms / 1000) + 300 })
  for (const _each of [1, 2]) assert.ok(isTokenShaped((await exchange.exchange(await token())).secret))
  await assert.rejects(exchange.exchange(await token()), is('busy', /too many/))
  stores.clock.ms += 331_000
  const { identity } = await exchange.exchange(await token())
  assert.deepEqual([identity.kind, identity.issuer, identity.claims.sub], ['oidc', issuer.url, 'builder'])
  const rows = await stores.catalog.read(({ db }) => db.selectFrom('used_oidc_tokens').selectAll().execute())
  assert.equal(rows.length, 1)
})

test('ApiTokens.principal() takes a minted token for nobody’s when its index is gone', async () => {
  await using ground = await given()
  const { exchange, publishers, issuer, tokens, stores } = ground
  const fields = { kind: 'oidc', issuer: issuer.url, claims: { sub: 'builder' }, all_projects: true }
  await publishers.add(ALICE, 'alice/dev', fields)
  const { secret } = await exchange.exchange(await issuer.token({ sub: 'builder' }))
  assert.equal((await tokens.principal(secret))?.publisher?.claims.sub, 'builder')
  for (const other of ['alice', '']) assert.deepEqual(await tokens.principal(secret, other), ANONYMOUS)
  await stores.catalog.write(async (writer) => deleteIndex(writer, (await indexAsWritten(writer, 'alice/dev'))!))
  assert.deepEqual(await tokens.principal(secret, '__token__'), ANONYMOUS)
  await stores.addStage('alice/dev')
  assert.deepEqual(await tokens.principal(secret), ANONYMOUS)
})

test('OidcIssuers.keys() asks once for many at once', async () => {
  await using ground = await given()
  const { exchange, publishers, issuer } = ground
  const fields = { kind: 'oidc', issuer: issuer.url, claims: { sub: 'builder' }, all_projects: true }
  await publishers.add(ALICE, 'alice/dev', fields)
  const made = await Promise.all(Array.from({ length: 5 }, () => issuer.token({ sub: 'builder' })))
  await Promise.all(made.map((each) => exchange.exchange(each)))
  assert.deepEqual(issuer.asked, ['/.well-known/openid-configuration', '/keys'])
})
