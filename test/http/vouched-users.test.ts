/** Whom a trusted proxy names, --autocreate-users and --restrict-modify. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startWorld } from '../world/world.ts'

const PROXY = '192.0.2.7'
const settings = { trusted_proxy: PROXY, remote_user_header: 'X-Remote-User' }
const world = await startWorld({ settings: { ...settings, autocreate_users: true } })
const plain = await startWorld({ settings })
const strict = await startWorld({ settings: { restrict_modify: 'root,:keepers' } })
after(async () => {
  for (const each of [world, plain, strict]) await each[Symbol.asyncDispose]()
})

const status = async (named: string, from: string, { stranger } = world, more: Record<string, string> = {}) => {
  const answer = await stranger.asks('/+api', { from, headers: { 'x-remote-user': named, ...more } })
  return answer.json<{ result: { authstatus: unknown } }>().result.authstatus
}

test('a trusted proxy’s word for a user counts, and nobody else’s', async () => {
  assert.deepEqual(await status('carol', PROXY), ['ok', 'carol', []])
  assert.deepEqual(await status('carol', '192.0.2.8'), ['noauth', '', []])
  assert.deepEqual(await status('carol', '127.0.0.1'), ['noauth', '', []])
  assert.deepEqual(await status('', PROXY), ['noauth', '', []])
  assert.deepEqual(await status('root', PROXY), ['noauth', '', []])
  assert.deepEqual(await status('carol', PROXY, strict), ['noauth', '', []])
})

test('credentials of the request itself come before the proxy’s word', async () => {
  assert.deepEqual(await status('carol', PROXY, world, { ...world.alice.credentials }), ['ok', 'alice', []])
})

test('--autocreate-users makes an account for who comes first, without it the first index does', async () => {
  await status('dave', PROXY)
  assert.equal((await world.stranger.asks('/dave', { accept: 'application/json' })).status, 200)
  await status('dave', PROXY, plain)
  assert.equal((await plain.stranger.asks('/dave', { accept: 'application/json' })).status, 404)
  const asked = { method: 'PUT', json: {}, from: PROXY, headers: { 'x-remote-user': 'dave' } }
  assert.equal((await plain.stranger.asks('/erin/dev', asked)).status, 404)
  assert.equal((await plain.stranger.asks('/dave/dev', asked)).status, 200)
  assert.equal((await plain.stranger.asks('/dave', { accept: 'application/json' })).status, 200)
  const login = await plain.stranger.asks('/+login', { json: { user: 'dave', password: '' } })
  assert.equal(login.status, 401)
})

for (const [site, expected] of [
  ['cross-site', 403],
  ['same-site', 403],
  ['same-origin', 200],
  ['none', 200],
] as const) {
  test(`a browser’s ${site} request changes ${expected === 200 ? 'what its user may' : 'nothing'}`, async () => {
    const headers = { 'sec-fetch-site': site }
    const answer = await world.alice.asks(`/alice/made-${site}`, { method: 'PUT', json: {}, headers })
    assert.equal(answer.status, expected)
  })
}

test('--restrict-modify leaves users and indexes to those it lists', async () => {
  const { root, stranger } = strict
  const carol = await stranger.asks('/carol', { method: 'PUT', json: { password: 'x' } })
  assert.deepEqual([carol.status, carol.json().message], [403, 'no permission to create user'])
  for (const name of ['carol', 'keeper']) {
    assert.equal((await root.asks(`/${name}`, { method: 'PUT', json: { password: name } })).status, 201)
  }
  assert.equal((await root.asks('/+groups/keepers', { method: 'PUT', json: { members: ['keeper'] } })).status, 200)
  const as = (name: string, path: string, method: string, json?: unknown) =>
    stranger.asks(path, {
      method,
      ...(json !== undefined && { json }),
      headers: { authorization: `Basic ${Buffer.from(`${name}:${name}`).toString('base64')}` },
    })
  assert.equal((await as('carol', '/carol/dev', 'PUT', {})).status, 403)
  assert.equal((await as('keeper', '/carol/dev', 'PUT', {})).status, 200)
  assert.equal((await as('carol', '/carol/dev', 'PATCH', ['title=x'])).status, 403)
  assert.equal((await as('keeper', '/carol/dev', 'PATCH', ['title=x'])).status, 200)
  assert.equal((await as('carol', '/carol', 'PATCH', { email: 'c@example.org' })).status, 403)
  assert.equal((await as('carol', '/carol/dev', 'DELETE')).status, 403)
  assert.equal((await as('keeper', '/keeper', 'DELETE')).status, 403)
  assert.equal((await as('carol', '/carol', 'PATCH', { password: 'carol' })).status, 200)
  assert.equal((await as('keeper', '/carol', 'DELETE')).status, 200)
})
