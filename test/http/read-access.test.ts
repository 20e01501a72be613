/** `acl_pkg_read` on every way of reading, and what stands behind its names: groups. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Ask, type Person, startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
upstream.add('apart', { filename: 'apart-1.0-py3-none-any.whl', bytes: 'x' })
upstream.add('hidden-things', { filename: 'hidden_things-9.0-py3-none-any.whl', bytes: 'from outside' })
const world = await startWorld({ upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice, root, stranger } = world
const bob = await world.person('bob')
const file = wheel({ name: 'hidden-things', version: '1.0', summary: 'quokka' })
const open = wheel({ name: 'open-things', version: '1.0', summary: 'quokka' })
const make = async (index: string, options: Record<string, unknown>) =>
  assert.equal((await alice.asks(`/${index}`, { method: 'PUT', json: options })).status, 200)
await make('alice/closed', { acl_pkg_read: 'alice' })
await make('alice/child', { bases: ['alice/closed', 'root/pypi'] })
await alice.uploads(file, 'alice/closed')
await alice.uploads(wheel({ name: 'only-here', version: '1.0' }), 'alice/closed')
await alice.uploads(open, 'alice/child')
const address = (index: string, { sha256, filename }: typeof file) =>
  `/${index}/+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${filename}`

const json: Ask = { accept: 'application/json' }
const page: Ask = { accept: 'text/html', headers: { 'user-agent': 'Mozilla/5.0' } }
const WAYS: readonly (readonly [way: string, path: string, ask: Ask, refusal: number])[] = [
  ['the project page', '/alice/closed/+simple/hidden-things/', {}, 401],
  ['the list of projects', '/alice/closed/+simple/', {}, 401],
  ['a file', address('alice/closed', file), {}, 401],
  ['its metadata', `${address('alice/closed', file)}.metadata`, {}, 401],
  ['what is told of a file', address('alice/closed', file), json, 401],
  ['the index in JSON', '/alice/closed', json, 403],
  ['its options alone', '/alice/closed?no_projects=', json, 403],
  ['a project in JSON', '/alice/closed/hidden-things', json, 403],
  ['a project without bases', '/alice/closed/hidden-things?ignore_bases=', json, 403],
  ['a version in JSON', '/alice/closed/hidden-things/1.0', json, 403],
  ['the index for people', '/alice/closed', page, 401],
  ['a project for people', '/alice/closed/hidden-things', page, 401],
  ['a version for people', '/alice/closed/hidden-things/1.0', page, 401],
  ['installers without +simple', '/alice/closed/hidden-things/', { headers: { 'user-agent': 'pip/26.0' } }, 401],
]

for (const [way, path, ask, refusal] of WAYS) {
  test(`acl_pkg_read holds for ${way}`, async () => {
    for (const who of [alice, root]) assert.equal((await who.asks(path, ask)).status, 200, `${who.name}`)
    const strange = await stranger.asks(path, ask)
    assert.equal(strange.status, refusal)
    const isAsked = refusal === 401 && ask !== page
    assert.equal(strange.headers['www-authenticate'], isAsked ? 'Basic realm="pypi"' : undefined)
    const known = await bob.asks(path, ask)
    assert.equal(known.status, 403)
    for (const answer of [strange, known]) assert.ok(!/hidden_things-|quokka|sha256/.test(answer.text), answer.text)
  })
}

const LISTS: readonly (readonly [way: string, path: string, ask: Ask, what: string])[] = [
  ['all users', '/', json, 'closed'],
  ['a user', '/alice', json, 'closed'],
  ['the home page', '/', page, 'closed'],
  ['a user’s page', '/alice', page, 'closed'],
  ['search', '/+search?query=quokka', json, 'hidden-things'],
  ['search for people', '/+search?query=hidden', page, 'hidden-things'],
  ['an index that has it as a base', '/alice/child', page, 'alice/closed'],
  ['the list of a child', '/alice/child/+simple/', {}, 'only-here'],
]

for (const [way, path, ask, what] of LISTS) {
  test(`acl_pkg_read keeps an index out of ${way}`, async () => {
    const [mine, others] = [await alice.asks(path, ask), await stranger.asks(path, ask)]
    assert.deepEqual([mine.status, others.status], [200, 200])
    // A child's own options name its bases; what the index is called is no secret, what is on it is.
    const shown = (text: string) => text.replaceAll(/"bases": \[[^\]]*\]/g, '').includes(what)
    assert.equal(shown(mine.text), true)
    assert.equal(shown(others.text), false, others.text)
  })
}

test('a base that may not be read gives nothing, and still keeps its names from the mirror', async () => {
  const path = '/alice/child/+simple/hidden-things/'
  assert.ok((await alice.asks(path)).text.includes(file.filename))
  for (const who of [stranger, bob]) assert.equal((await who.asks(path)).status, 404)
  assert.equal((await stranger.asks('/alice/child/hidden-things', json)).status, 404)
  assert.equal(upstream.count('/simple/hidden-things/'), 0)
})

test('no cache between may give what one may read to another', async () => {
  const caching = async (who: Person, path: string) => (await who.asks(path)).headers['cache-control']
  for (const path of ['/alice/closed/+simple/hidden-things/', '/alice/closed/+simple/', '/alice/child/+simple/']) {
    assert.equal(await caching(alice, path), 'no-cache, private', path)
  }
  assert.equal(await caching(alice, address('alice/closed', file)), 'max-age=365000000, immutable, private')
  assert.equal(await caching(alice, '/alice/closed/pypi/hidden-things/json'), 'no-cache, private')
  // Whoever may not read a base gets a page of its own, too.
  assert.equal(await caching(stranger, '/alice/child/+simple/open-things/'), 'no-cache, private')
  assert.equal(await caching(stranger, '/alice/closed/+simple/hidden-things/'), 'no-store')
  assert.equal(await caching(alice, address('alice/child', open)), 'max-age=365000000, immutable, public')
  assert.equal(await caching(alice, '/root/pypi/+simple/apart/'), 'max-age=600')
})

test('a wrong name or password is asked for again, as pip asks its keyring only then', async () => {
  const authorization = `Basic ${Buffer.from('alice:wrong').toString('base64')}`
  for (const path of ['/alice/closed/+simple/hidden-things/', address('alice/closed', file)]) {
    const answer = await stranger.asks(path, { headers: { authorization } })
    assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Basic realm="pypi"'])
    const checked = await stranger.asks('/+authcheck', { headers: { authorization, 'x-original-uri': path } })
    assert.deepEqual([checked.status, checked.headers['www-authenticate']], [401, 'Basic realm="pypi"'])
  }
  assert.equal((await stranger.asks('/alice/closed', { ...json, headers: { authorization } })).status, 403)
})

test('a version pushed or a test result sent needs leave to read', async () => {
  const push = { name: 'hidden-things', version: '1.0', targetindex: 'bob/dev' }
  await bob.asks('/bob/dev', { method: 'PUT', json: {} })
  const refused = await bob.asks('/alice/closed', { method: 'POST', json: push, ...json })
  assert.equal(refused.status, 403)
  const result = await bob.asks(address('alice/closed', file), { method: 'POST', json: {}, ...json })
  assert.equal(result.status, 403)
  assert.equal((await bob.asks('/bob/dev/+simple/hidden-things/')).status, 404)
})

test('a mirror can be closed like a stage', async () => {
  await root.asks('/root/pypi', { method: 'PATCH', json: ['acl_pkg_read=:authenticated:'] })
  assert.equal((await stranger.asks('/root/pypi/+simple/apart/')).status, 401)
  assert.equal((await stranger.asks('/alice/child/+simple/apart/')).status, 404)
  assert.equal((await bob.asks('/alice/child/+simple/apart/')).status, 200)
  await root.asks('/root/pypi', { method: 'PATCH', json: ['acl_pkg_read-='] })
  assert.equal((await stranger.asks('/root/pypi/+simple/apart/')).status, 200)
})

const putGroup = (who: Person, members: unknown) =>
  who.asks('/+groups/readers', { method: 'PUT', json: { members }, ...json })

test('a group in acl_pkg_read admits its members, as long as they are', async () => {
  await alice.asks('/alice/closed', { method: 'PATCH', json: ['acl_pkg_read+=:readers'] })
  const path = '/alice/closed/+simple/hidden-things/'
  assert.equal((await bob.asks(path)).status, 403)
  assert.equal((await putGroup(root, ['bob'])).status, 200)
  assert.equal((await bob.asks(path)).status, 200)
  const status = (await bob.asks('/+api', json)).json<{ result: { authstatus: unknown } }>().result.authstatus
  assert.deepEqual(status, ['ok', 'bob', ['readers']])
  assert.deepEqual((await alice.asks('/+groups', json)).json<{ result: unknown }>().result, { readers: ['bob'] })
  assert.equal((await root.asks('/+groups/readers', { method: 'DELETE' })).status, 200)
  assert.equal((await bob.asks(path)).status, 403)
})

test('groups are root’s to change, hold users only, and are nothing to strangers', async () => {
  for (const who of [stranger, bob]) assert.equal((await putGroup(who, ['bob'])).status, 403)
  assert.equal((await putGroup(root, ['nobody'])).status, 404)
  assert.equal((await putGroup(root, 'bob')).status, 400)
  assert.equal((await root.asks('/+groups/a%20b', { method: 'PUT', json: { members: [] } })).status, 400)
  assert.equal((await stranger.asks('/+groups')).status, 401)
  assert.equal((await root.asks('/+groups/none', { method: 'DELETE' })).status, 404)
})

for (const [original, who, expected] of [
  ['/alice/closed/+simple/hidden-things/', stranger, 401],
  ['/alice/closed/+simple/hidden-things/', bob, 403],
  ['/alice/closed/+simple/hidden-things/', alice, 200],
  [address('alice/closed', file), stranger, 401],
  ['/alice/closed/+api', stranger, 200],
  ['/+login', stranger, 200],
  ['/alice/child/+simple/', stranger, 200],
  ['/alice/closed/%2be/x/y.whl', stranger, 401],
  ['/alice/x/+unheard-of/of', stranger, 403],
  ['%', stranger, 403],
] as const) {
  test(`/+authcheck of ${original} by ${who.name ?? 'a stranger'} is ${expected}`, async () => {
    const answer = await who.asks('/+authcheck', { headers: { 'x-original-uri': original } })
    assert.equal(answer.status, expected)
    assert.equal(answer.text, '')
  })
}
