/** Trusted Publishing on the wire, with an issuer on this machine: what is minted for whom, and every refusal. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { githubClaims, startFakeIssuer } from '../upstream/fake-issuer.ts'
import { type Answer, type Ask, type Person, startWorld } from '../world/world.ts'

const issuer = await startFakeIssuer()
const world = await startWorld({
  limits: { issuerRetryMs: 60_000 },
  settings: { default_index: 'alice/dev', outgoing_allow: '127.0.0.1' },
})
after(async () => {
  await world[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})
const { alice, root, stranger } = world
const bob = await world.person('bob')
await alice.asks('/alice/other', { method: 'PUT', json: {} })

const GITHUB = {
  kind: 'github',
  issuer: issuer.url,
  owner: 'octo',
  repository: 'acme',
  workflow: 'release.yml',
  projects: ['Acme'],
}
const BUILD = githubClaims('octo/acme', 'release.yml')
const PYTP = 'application/vnd.pypi.pytp.v1+json'
interface Minted {
  readonly success: true
  readonly token: string
  readonly expires: number
}
interface Refusal {
  readonly message: string
  readonly errors: readonly { readonly code: string; readonly description: string }[]
}

const publisher = await adds('alice/dev', GITHUB)

test('a publisher is shown to who may modify the index, and to nobody else', async () => {
  const shown = (await alice.asks('/alice/dev/+publishers')).json<{ result: unknown[] }>().result
  assert.deepEqual(shown, [publisher])
  assert.deepEqual([publisher.projects, publisher.created_by, publisher.workflow], [['acme'], 'alice', 'release.yml'])
  assert.equal((await root.asks('/alice/dev/+publishers')).status, 200)
  for (const who of [bob, stranger]) {
    assert.equal((await who.asks('/alice/dev/+publishers')).status, 403)
    assert.equal((await who.asks('/alice/dev/+publishers', { json: GITHUB })).status, 403)
    assert.equal((await who.asks(`/alice/dev/+publishers/${publisher.id}`, { method: 'DELETE' })).status, 403)
  }
  assert.equal((await alice.asks('/alice/nope/+publishers')).status, 404)
  assert.equal((await alice.asks('/alice/other/+publishers/1', { method: 'DELETE' })).status, 404)
  await root.asks('/root/mirror', { method: 'PUT', json: { type: 'mirror' } })
  const mirror = await root.asks('/root/mirror/+publishers', { json: GITHUB })
  assert.deepEqual([mirror.status, /is a mirror/.test(mirror.text)], [400, true])
})

test('a build gets a token for a quarter of an hour that uploads its project, and does nothing else', async () => {
  const before = Date.now()
  const answer = await mint(await issuer.token(BUILD))
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  const { success, token, expires } = answer.json<Minted>()
  assert.equal(success, true)
  assert.ok(Math.abs(expires * 1000 - before - 900_000) < 5000)
  assert.equal((await uploads(token, 'acme', '1.0')).status, 200)
  // The history of the file says who it was.
  const release = (await alice.asks('/alice/dev/acme/1.0')).json<{
    result: { '+links': { log: { who: string }[] }[] }
  }>()
  assert.equal(release.result['+links'][0]?.log[0]?.who, 'github:octo/acme')
  for (const [refused, why] of [
    [await uploads(token, 'tools', '1.0'), /the token is not for project 'tools' on index alice\/dev/],
    [await uploads(token, 'acme', '1.0', 'alice/other'), /the token is not for index alice\/other/],
    [await sends(token, '/alice/dev/acme', { method: 'DELETE' }), /the token is not for action 'delete'/],
    [await sends(token, '/alice/dev/+yank', { json: { project: 'acme', version: '1.0' } }), /not for action 'delete'/],
    [await sends(token, '/alice/dev', { method: 'PATCH', json: ['title=x'] }), /no permission/],
    [await sends(token, '/alice/+tokens', { json: {} }), /no permission/],
    [await sends(token, '/alice/dev/+publishers', { json: GITHUB }), /no permission/],
  ] as const) {
    assert.equal(refused.status, 403)
    assert.match(refused.text, why)
  }
  world.passes(901_000)
  assert.equal((await uploads(token, 'acme', '2.0')).status, 401)
  world.passes(-901_000)
})

test('an OIDC token is good for one time', async () => {
  const oidc = await issuer.token(BUILD)
  assert.equal((await mint(oidc)).status, 200)
  refused(await mint(oidc), 'oidc-token-used', /used before/)
})

const now = Math.floor(Date.now() / 1000)
for (const [what, claims, code, why] of [
  ['has expired', { exp: now - 100 }, 'oidc-token-invalid', /it expired at 20/],
  ['is for another server', { aud: 'pypi' }, 'oidc-token-invalid', /it is for audience "pypi"/],
  [
    'is of another repository',
    githubClaims('octo/other', 'release.yml'),
    'publisher-unknown',
    /repository=octo\/other/,
  ],
  ['is of another workflow', githubClaims('octo/acme', 'ci.yml'), 'publisher-unknown', /ci\.yml@refs/],
  ['is of an issuer that nobody trusts', { iss: 'https://ci.example' }, 'publisher-unknown', /https:\/\/ci\.example/],
] as const) {
  test(`an OIDC token that ${what} is refused, and can be told why`, async () => {
    refused(await mint(await issuer.token({ ...BUILD, ...claims })), code, why)
  })
}

test('what is no OIDC token is refused in the same form', async () => {
  for (const body of [
    '',
    'no JSON',
    '[]',
    '{}',
    '{"token": 1}',
    '{"token": "x"}',
    `{"token": "${'x'.repeat(20_000)}"}`,
  ]) {
    refused(await stranger.asks('/_/oidc/mint-token', { method: 'POST', body }))
  }
})

test('publishers of several indexes make one token for all of them; taking one away takes its index away at once', async () => {
  const build = githubClaims('octo/many', 'release.yml')
  const fields = { ...GITHUB, repository: 'many' }
  const first = await adds('alice/dev', { ...fields, projects: ['many'] })
  const { projects: _projects, ...every } = fields
  const second = await adds('alice/other', { ...every, all_projects: true })
  const { token } = (await mint(await issuer.token(build))).json<Minted>()
  assert.equal((await uploads(token, 'many', '1.0')).status, 200)
  assert.equal((await uploads(token, 'anything', '1.0', 'alice/other')).status, 200)
  assert.equal((await uploads(token, 'anything', '1.0')).status, 403)
  await alice.asks(`/alice/other/+publishers/${second.id}`, { method: 'DELETE' })
  assert.equal((await uploads(token, 'more', '1.0', 'alice/other')).status, 403)
  await alice.asks(`/alice/dev/+publishers/${first.id}`, { method: 'DELETE' })
  assert.equal((await uploads(token, 'many', '2.0')).status, 401)
})

test('a token that is given back has ended; other tokens cannot be ended so', async () => {
  const { token } = (await mint(await issuer.token(BUILD))).json<Minted>()
  const own = (await alice.asks('/alice/+tokens', { json: {} })).json<{ result: { token: string } }>().result.token
  for (const each of [token, own, 'nothing', 7]) {
    assert.equal((await stranger.asks('/_/oidc/burn-token', { json: { token: each } })).status, 202)
  }
  assert.equal((await uploads(token, 'acme', '3.0')).status, 401)
  assert.equal((await uploads(own, 'acme', '3.0')).status, 200)
})

test('a new key of the issuer is found, and strangers cannot make the server ask for keys all the time', async () => {
  const before = issuer.asked.length
  await issuer.rotate()
  refused(await mint(await issuer.token(BUILD)), 'oidc-token-invalid', /has no such key/)
  assert.equal(issuer.asked.length, before)
  world.passes(31_000)
  assert.equal((await mint(await issuer.token(BUILD))).status, 200)
  assert.equal(issuer.asked.length, before + 2)
  await issuer.rotate()
  for (let times = 0; times < 3; times++) refused(await mint(await issuer.token(BUILD)), 'oidc-token-invalid')
  assert.equal(issuer.asked.length, before + 2)
  world.passes(31_000)
})

test('an issuer that cannot be asked is no refusal of the token, and is not asked again at once', async () => {
  for (const [what, change] of [
    ['answers 500', { status: 500 }],
    ['calls itself otherwise', { discovery: { issuer: 'https://other.example', jwks_uri: `${issuer.url}/keys` } }],
    ['has its keys where others could answer', { discovery: { issuer: issuer.url, jwks_uri: 'http://keys.example/' } }],
    ['has no keys', { keys: { keys: 'none' } }],
  ] as const) {
    const good = { ...issuer.pages }
    world.passes(11 * 60_000)
    const claims = { ...BUILD, exp: now + 86_400 }
    Object.assign(issuer.pages, change)
    const first = await mint(await issuer.token(claims))
    assert.equal(first.status, 502, what)
    assert.match(first.json<Refusal>().errors[0]!.description, /Cannot ask issuer "http/, what)
    const asked = issuer.asked.length
    Object.assign(issuer.pages, good)
    assert.equal((await mint(await issuer.token(claims))).status, 502)
    assert.equal(issuer.asked.length, asked)
    world.passes(61_000)
    assert.equal((await mint(await issuer.token(claims))).status, 200, what)
  }
})

test('uploaders are told the audience: the host of the outside URL, or what the setting says', async () => {
  const audience = (flags: Readonly<Record<string, string>>) => loadConfig({ flags, env: {}, cwd: '/' }).oidcAudience
  assert.deepEqual((await stranger.asks('/_/oidc/audience')).json(), { audience: 'airlock' })
  assert.equal(audience({ outside_url: 'https://pkg.example/python' }), 'pkg.example')
  assert.equal(audience({ outside_url: 'https://pkg.example', oidc_audience: 'ours' }), 'ours')
})

test('the addresses can be discovered for an index with publishers (PEP 807)', async () => {
  const discover = (path: string, ask: Ask = {}) =>
    stranger.asks(`/.well-known/pytp?discover=${encodeURIComponent(path)}`, {
      headers: { host: 'pkg.example' },
      ...ask,
    })
  for (const path of ['/alice/dev', '/alice/dev/', '/legacy/']) {
    const found = await discover(path, { accept: PYTP })
    assert.equal(found.headers['content-type'], PYTP)
    assert.deepEqual(found.json(), {
      'audience-endpoint': 'http://pkg.example/_/oidc/audience',
      'mint-token-endpoint': 'http://pkg.example/_/oidc/mint-token',
    })
  }
  for (const path of ['', '/', '/alice', '/alice/nope/', '/alice/other/', '/alice/dev/acme', 'alice/dev']) {
    const missing = await discover(path)
    assert.deepEqual([missing.status, missing.text], [404, ''], path)
  }
  assert.equal((await stranger.asks('/.well-known/pytp')).status, 404)
  assert.equal((await discover('/alice/dev/', { accept: 'text/html' })).status, 406)
  assert.equal((await stranger.asks('/_/oidc/audience', { accept: 'image/png' })).status, 406)
  const outside = { host: 'inner', 'x-outside-url': 'https://pkg.example/python' }
  const prefixed = await discover('/python/alice/dev/', { headers: outside })
  assert.equal(prefixed.json()['mint-token-endpoint'], 'https://pkg.example/python/_/oidc/mint-token')
})

test('neither OIDC tokens nor what is minted for them reach the log, the journal or the catalog', async () => {
  world.passes(31_000)
  const oidc = await issuer.token({ ...BUILD, exp: now + 86_400 })
  const { token } = (await mint(oidc)).json<Minted>()
  await mint(oidc)
  await uploads(token, 'tools', '1.0')
  const kept = await world.server.stores.catalog.read(async ({ db }) => [
    await db.selectFrom('journal').select('changes').execute(),
    await db.selectFrom('minted_tokens').selectAll().execute(),
    await db.selectFrom('used_oidc_tokens').selectAll().execute(),
  ])
  for (const secret of [token.slice(8), oidc, oidc.split('.')[2]!]) {
    assert.ok(!JSON.stringify([world.logged, kept]).includes(secret))
  }
  assert.ok(world.logged.some((line) => line.msg === 'Upload token minted' && line.publisher === 'github:octo/acme'))
  assert.ok(world.logged.some((line) => line.msg === 'No upload token minted' && line.code === 'oidc-token-used'))
  const changes = JSON.stringify(kept[0])
  for (const how of ['added', 'removed'])
    assert.ok(changes.includes(`\\"what\\":\\"publisher\\",\\"how\\":\\"${how}\\"`))
})

async function adds(index: string, fields: object, who: Person = alice): Promise<Readonly<Record<string, unknown>>> {
  const answer = await who.asks(`/${index}/+publishers`, { json: fields })
  assert.equal(answer.status, 201, answer.text)
  return answer.json<{ result: Readonly<Record<string, unknown>> }>().result
}

function mint(token: string): Promise<Answer> {
  return stranger.asks('/_/oidc/mint-token', { json: { token } })
}

/** As PyPI answers, and twine reads. */
function refused(answer: Answer, code?: string, why = /./): void {
  const { message, errors } = answer.json<Refusal>()
  assert.deepEqual([answer.status, message, errors.length], [422, 'Token request failed', 1])
  if (code !== undefined) assert.equal(errors[0]?.code, code)
  assert.match(errors[0]!.description, why)
}

function sends(token: string, path: string, ask: Ask): Promise<Answer> {
  const authorization = `Basic ${Buffer.from(`__token__:${token}`).toString('base64')}`
  return stranger.asks(path, { ...ask, headers: { ...ask.headers, authorization } })
}

async function uploads(token: string, name: string, version: string, index = 'alice/dev'): Promise<Answer> {
  const { filename, bytes } = wheel({ name, version })
  const said = fieldParts({ ':action': 'file_upload', name, version })
  const form = multipart([...said, { name: 'content', filename, content: bytes }])
  return await sends(token, `/${index}/`, { body: form.body, headers: { 'content-type': form.contentType } })
}
