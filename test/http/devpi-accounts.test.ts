import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { type Answer, type Ask, type Person, startWorld } from '../world/world.ts'

const world = await startWorld({ settings: { may_mirror: 'alice' } })
after(() => world[Symbol.asyncDispose]())
const { root, alice, stranger } = world
const bob = await world.person('bob')

/** devpi's envelope: exact type, two spaces, a final newline, and only the keys that apply. */
function assertEnvelope(answer: Answer, status: number, type: string | undefined, message: string | undefined): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['x-devpi-api-version'], '2')
  const body = answer.json()
  assert.equal(answer.text, `${JSON.stringify(body, null, 2)}\n`)
  assert.equal(body.type, type)
  assert.equal(body.message, message)
  assert.equal('result' in body, type !== undefined)
  assert.equal('status' in body, false)
}

const put = (json: unknown): Ask => ({ method: 'PUT', json })
const patch = (json: unknown): Ask => ({ method: 'PATCH', json })
const remove: Ask = { method: 'DELETE' }

test('every answer says which devpi it speaks and at which serial it stands', async () => {
  for (const path of ['/', '/+api', '/nobody', '/alice/dev/+simple/', '/alice/dev/+f/aaa/bbb/c.whl', '/+health']) {
    const { headers } = await stranger.asks(path)
    assert.equal(headers['x-devpi-api-version'], '2', path)
    assert.match(headers['x-devpi-server-version'] ?? '', /^6\./)
    assert.equal(headers['x-devpi-uuid'], headers['x-devpi-primary-uuid'])
    assert.equal(headers['x-devpi-uuid'], headers['x-devpi-master-uuid'])
    assert.match(headers['x-devpi-serial'] ?? '', /^\d+$/)
  }
})

test('GET +api tells where to log in, who asks, and what an index offers', async () => {
  const headers = { host: 'index.example' }
  const top = await stranger.asks('/+api', { headers })
  assertEnvelope(top, 200, 'apiconfig', undefined)
  const { result } = top.json<{ result: Record<string, unknown> }>()
  assert.equal(result.login, 'http://index.example/+login')
  assert.deepEqual(result.authstatus, ['noauth', '', []])
  assert.ok((result.features as string[]).includes('server-keyvalue-parsing'))
  assert.equal('index' in result, false)
  const known = (await alice.asks('/+api')).json<{ result: Record<string, unknown> }>().result
  assert.deepEqual(known.authstatus, ['ok', 'alice', []])
  const onIndex = (await stranger.asks('/alice/dev/+api', { headers })).json<{ result: Record<string, unknown> }>()
    .result
  assert.equal(onIndex.index, 'http://index.example/alice/dev')
  assert.equal(onIndex.simpleindex, 'http://index.example/alice/dev/+simple/')
  assert.equal(onIndex.pypisubmit, 'http://index.example/alice/dev/')
})

test('GET +api of a mirror offers no upload, of an unknown user no index', async () => {
  await alice.asks('/alice/far', put({ type: 'mirror', mirror_url: 'http://localhost:1/simple/' }))
  const mirror = (await stranger.asks('/alice/far/+api')).json<{ result: Record<string, unknown> }>().result
  assert.equal('pypisubmit' in mirror, false)
  assert.equal('simpleindex' in mirror, true)
  const unknown = await stranger.asks('/nobody/+api')
  assertEnvelope(unknown, 200, 'apiconfig', undefined)
  assertEnvelope(await stranger.asks('/alice/none/+api'), 404, undefined, 'The stage alice/none could not be found.')
})

test('wrong credentials are noauth at +api, and meet the permission they lack elsewhere', async () => {
  const headers = { 'x-devpi-auth': Buffer.from('alice:wrong').toString('base64') }
  const api = await stranger.asks('/+api', { headers })
  assert.deepEqual(api.json<{ result: { authstatus: unknown } }>().result.authstatus, ['noauth', '', []])
  const made = await stranger.asks('/alice/bad', { ...put({}), headers })
  assertEnvelope(made, 403, undefined, 'no permission to create index alice/bad')
})

const login = (json: unknown, from?: string): Ask => ({ json, ...(from !== undefined && { from }) })

test('POST /+login gives a token that works as password in both headers', async () => {
  const answer = await stranger.asks('/+login', login({ user: 'bob', password: 'password of bob' }))
  assertEnvelope(answer, 200, 'proxyauth', 'login successful')
  const { password, expiration } = answer.json<{ result: { password: string; expiration: number } }>().result
  assert.equal(expiration, 36_000)
  assert.equal(encodeURIComponent(password), password)
  const pair = Buffer.from(`bob:${password}`).toString('base64')
  for (const headers of [
    { 'x-devpi-auth': pair },
    { authorization: `Basic ${pair}` },
    { authorization: `basic ${pair}` },
  ]) {
    const api = await stranger.asks('/+api', { headers: headers as Record<string, string> })
    assert.deepEqual(api.json<{ result: { authstatus: unknown } }>().result.authstatus, ['ok', 'bob', []])
  }
})

for (const [what, ask, status, message] of [
  ['a wrong password', login({ user: 'bob', password: 'x' }), 401, "user 'bob' could not be authenticated"],
  ['an unknown user', login({ user: 'nobody', password: 'x' }), 401, "user 'nobody' could not be authenticated"],
  ['no password', login({ user: 'bob' }), 400, 'Bad request: no user/password specified'],
  ['no user', login({ password: 'x' }), 400, 'Bad request: no user/password specified'],
  ['a number', login({ user: 'bob', password: 5 }), 400, 'Bad request: no user/password specified'],
  ['a list', login([]), 400, 'Bad request: could not decode json'],
  [
    'no JSON',
    { body: '{"user":', headers: { 'content-type': 'application/json' } },
    400,
    'Bad request: could not decode json',
  ],
  [
    'nothing',
    { method: 'POST', headers: { 'content-type': 'application/json' } },
    400,
    'Bad request: could not decode json',
  ],
] as const satisfies readonly (readonly [string, Ask, number, string])[]) {
  test(`POST /+login with ${what} is ${status}`, async () => {
    const answer = await stranger.asks('/+login', { method: 'POST', ...ask })
    assertEnvelope(answer, status, undefined, message)
    assert.equal(answer.headers.location, undefined)
  })
}

test('GET /+login is 404', async () => {
  assert.equal((await stranger.asks('/+login')).status, 404)
})

test("root's empty password is good on the machine itself and refused from elsewhere, with the remedy", async () => {
  for (const from of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    assert.equal((await stranger.asks('/+login', login({ user: 'root', password: '' }, from))).status, 200, from)
  }
  const answer = await stranger.asks('/+login', login({ user: 'root', password: '' }, '203.0.113.7'))
  assert.equal(answer.status, 401)
  assert.match(
    answer.json<{ message: string }>().message,
    /^user 'root' could not be authenticated: .*airlock passwd root/,
  )
})

test('a proxy on the machine does not make strangers local', async () => {
  for (const headers of [
    { 'x-forwarded-for': '203.0.113.7' },
    { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' },
    { 'x-real-ip': '203.0.113.7' },
    { via: '1.1 proxy' },
    { forwarded: 'for=203.0.113.7' },
    { 'x-outside-url': 'http://index.example' },
  ] as Record<string, string>[]) {
    const answer = await stranger.asks('/+login', { json: { user: 'root', password: '' }, headers })
    assert.equal(answer.status, 401, JSON.stringify(headers))
  }
})

test('a token is refused when it is too old', async () => {
  const carol = await world.person('carol')
  assert.equal((await carol.asks('/carol/a', put({}))).status, 200)
  world.passes(36_001_000)
  assertEnvelope(await carol.asks('/carol/b', put({})), 403, undefined, 'no permission to create index carol/b')
  world.passes(-36_001_000)
  assert.equal((await carol.asks('/carol/b', put({}))).status, 200)
})

test('GET / gives all users with their indexes', async () => {
  const answer = await stranger.asks('/?indexes=False', { accept: 'application/json' })
  assertEnvelope(answer, 200, 'list:userconfig', undefined)
  const { result } = answer.json<{ result: Record<string, { username: string; indexes: Record<string, unknown> }> }>()
  assert.equal(result.root!.username, 'root')
  assert.ok('dev' in result.alice!.indexes)
})

test('GET / carries a JSON body without harm', async () => {
  const answer = await stranger.asks('/', { method: 'GET', json: {}, accept: 'application/json' })
  assertEnvelope(answer, 200, 'list:userconfig', undefined)
})

test('PUT /{user} makes a user and shows no password', async () => {
  const answer = await stranger.asks('/dora', put({ password: 'secret of dora', email: 'd@example.org', title: 'D' }))
  assertEnvelope(answer, 201, 'userconfig', undefined)
  const { result } = answer.json<{ result: Record<string, unknown> }>()
  assert.deepEqual(Object.keys(result).sort(), ['created', 'email', 'indexes', 'title', 'username'])
  assert.match(String(result.created), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.doesNotMatch((await stranger.asks('/dora', { accept: 'application/json' })).text, /argon2|secret of dora/)
})

test('PUT /{user} takes an empty password and a ready hash', async () => {
  assert.equal((await stranger.asks('/empty', put({ password: '' }))).status, 201)
  assert.equal((await stranger.asks('/+login', login({ user: 'empty', password: '' }))).status, 200)
  const pwhash = '$argon2i$v=19$m=1024,t=2,p=2$1v+16qwONMn17EgmhBw6FA$j2R4EN5pGxfH0FEl2Ew2hvmICznAs8YLGT6dcDH2otw'
  assert.equal((await stranger.asks('/hashed', put({ password: 'x', pwhash }))).status, 201)
  assert.equal((await stranger.asks('/+login', login({ user: 'hashed', password: 'pässwörd' }))).status, 200)
})

for (const [what, path, ask, status, message] of [
  ['that exists', '/bob', put({ password: 'x' }), 409, 'user already exists'],
  ['without password', '/eve', put({}), 400, 'password needs to be set'],
  ['with an unknown key', '/eve', put({ password: 'x', foo: 1 }), 400, 'Unknown keys in user config: foo'],
  [
    'with a colon',
    '/ca:rl',
    put({ password: 'x' }),
    400,
    "username 'ca:rl' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.",
  ],
  ['from a list', '/eve', put([]), 400, 'Bad request: could not decode json'],
  ['from no text', '/eve', put({ password: 7 }), 400, 'password must be text'],
] as const satisfies readonly (readonly [string, string, Ask, number, string])[]) {
  test(`PUT of a user ${what} is ${status}`, async () => {
    assertEnvelope(await stranger.asks(path, ask), status, undefined, message)
    if (path === '/eve') assert.equal((await stranger.asks('/eve')).status, 404)
  })
}

for (const name of ['a.b', 'a@b', 'a-b_c', 'ünïcode', '🐍']) {
  test(`a user may be called ${name}`, async () => {
    const path = `/${encodeURIComponent(name)}`
    assert.equal((await stranger.asks(path, put({ password: 'x' }))).status, 201)
    const got = await stranger.asks(path, { accept: 'application/json' })
    assert.equal(got.json<{ result: { username: string } }>().result.username, name)
  })
}

test('PATCH /{user} without password says so, with one gives a new token', async () => {
  const got = await bob.asks('/bob', { accept: 'application/json' })
  const { indexes: _i, username: _u, ...record } = got.json<{ result: Record<string, unknown> }>().result
  assertEnvelope(
    await bob.asks('/bob', patch({ ...record, title: 'Bob', foo: 'dropped' })),
    200,
    undefined,
    'user updated',
  )
  const shown = (await stranger.asks('/bob', { accept: 'application/json' })).json<{
    result: Record<string, unknown>
  }>().result
  assert.equal(shown.title, 'Bob')
  assert.equal('foo' in shown, false)
  assert.equal(shown.created, record.created)
  assertEnvelope(await bob.asks('/bob', patch({ title: '' })), 200, undefined, 'user updated')
  assert.equal(
    'title' in (await stranger.asks('/bob', { accept: 'application/json' })).json<{ result: object }>().result,
    false,
  )
  const changed = await bob.asks('/bob', patch({ password: 'another' }))
  assertEnvelope(changed, 200, 'userpassword', 'user updated, new proxy auth')
  assert.equal((await stranger.asks('/+login', login({ user: 'bob', password: 'another' }))).status, 200)
  assert.equal((await stranger.asks('/+login', login({ user: 'bob', password: 'password of bob' }))).status, 401)
  // Tokens issued before stay good, as in devpi.
  assert.equal((await bob.asks('/bob', patch({ title: 'B' }))).status, 200)
})

for (const [who, asker, path, status, message] of [
  ['a stranger', stranger, '/bob', 403, 'no permission to modify user bob'],
  ['another user', alice, '/bob', 403, 'no permission to modify user bob'],
  ['anyone, of nobody', alice, '/nobody', 404, "no user 'nobody'"],
] as const satisfies readonly (readonly [string, Person, string, number, string])[]) {
  test(`PATCH of a user by ${who} is ${status}`, async () => {
    assertEnvelope(await asker.asks(path, patch({ title: 'x' })), status, undefined, message)
  })
}

test('DELETE /{user} takes all that the user owns, but no non-volatile index and not root', async () => {
  const frank = await world.person('frank')
  await frank.asks('/frank/keep', put({ volatile: false }))
  assertEnvelope(await frank.asks('/frank', remove), 403, undefined, "user 'frank' has non-volatile index: keep")
  assertEnvelope(await alice.asks('/frank', remove), 403, undefined, 'no permission to delete user frank')
  await frank.asks('/frank/keep', patch({ volatile: true }))
  assertEnvelope(await frank.asks('/frank', remove), 200, undefined, "user 'frank' deleted")
  assertEnvelope(await stranger.asks('/frank', { accept: 'application/json' }), 404, undefined, "no user 'frank'")
  assert.equal((await stranger.asks('/frank/keep', { accept: 'application/json' })).status, 404)
  assert.equal((await root.asks('/root', remove)).status, 403)
  assertEnvelope(await root.asks('/frank', remove), 404, undefined, "no user 'frank'")
})

test("a deleted user's token is nothing for a new user of that name", async () => {
  const old = await world.person('gina')
  await old.asks('/gina', remove)
  world.passes(2000)
  await world.person('gina')
  assert.equal((await old.asks('/gina/a', put({}))).status, 403)
})

test('PUT /{user}/{index} gives the options with their defaults', async () => {
  const answer = await alice.asks('/alice/prod', put({ volatile: 'False', bases: 'alice/dev,/alice/far' }))
  assertEnvelope(answer, 200, 'indexconfig', undefined)
  assert.deepEqual(answer.json().result, {
    type: 'stage',
    bases: ['alice/dev', 'alice/far'],
    volatile: false,
    acl_upload: ['alice'],
    acl_toxresult_upload: [':ANONYMOUS:'],
    mirror_whitelist: [],
    mirror_whitelist_inheritance: 'intersection',
  })
})

test('root may make an index for another user, who may be asked for by nobody', async () => {
  assert.equal((await root.asks('/bob/made', put({}))).status, 200)
  const shown = (await stranger.asks('/bob/made', { accept: 'application/json' })).json<{
    result: { acl_upload: string[] }
  }>()
  assert.deepEqual(shown.result.acl_upload, ['bob'])
})

for (const [what, asker, path, ask, status, message] of [
  ['of nobody', alice, '/nobody/dev', put({}), 404, "no user 'nobody'"],
  ['that exists', stranger, '/alice/dev', put({}), 409, "index 'alice/dev' exists"],
  ['of another', bob, '/alice/new', put({}), 403, 'no permission to create index alice/new'],
  ['of an unknown type', alice, '/alice/new', put({ type: 'foo' }), 400, "unknown index type 'foo'"],
  [
    'with unknown options',
    alice,
    '/alice/new',
    put({ a: 'b', c: 1 }),
    400,
    'indexconfig got unexpected keyword arguments: a=b, c=1',
  ],
  [
    'on missing bases',
    alice,
    '/alice/new',
    put({ bases: 'x/y,x/z' }),
    400,
    "base index 'x/y' does not exist, base index 'x/z' does not exist",
  ],
  ['on a wrong base', alice, '/alice/new', put({ bases: ['zz'] }), 400, "invalid base index spec: 'zz'"],
  ['half volatile', alice, '/alice/new', put({ volatile: 'maybe' }), 400, "Unknown boolean value 'maybe'."],
  [
    'with a hash in its name',
    alice,
    '/alice/n%23w',
    put({}),
    400,
    "indexname 'n#w' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.",
  ],
] as const satisfies readonly (readonly [string, Person, string, Ask, number, string])[]) {
  test(`PUT of an index ${what} is ${status}`, async () => {
    const serial = (await stranger.asks('/+api')).headers['x-devpi-serial']
    assertEnvelope(await asker.asks(path, ask), status, undefined, message)
    assert.equal((await stranger.asks('/+api')).headers['x-devpi-serial'], serial)
  })
}

test('GET /{user}/{index} lists the projects of this very index, unless asked not to', async () => {
  await alice.uploads(wheel({ name: 'zeta', version: '1.0' }), 'alice/dev')
  await alice.uploads(wheel({ name: 'beta', version: '1.0' }), 'alice/dev')
  await alice.asks('/alice/child', put({ bases: 'alice/dev' }))
  const full = await stranger.asks('/alice/dev', { accept: 'application/json' })
  assertEnvelope(full, 200, 'indexconfig', undefined)
  assert.deepEqual(full.json<{ result: { projects: string[] } }>().result.projects, ['beta', 'zeta'])
  const bare = await stranger.asks('/alice/dev?no_projects=', { accept: 'application/json' })
  assert.equal('projects' in bare.json<{ result: object }>().result, false)
  const child = await stranger.asks('/alice/child/', { accept: 'application/json' })
  assertEnvelope(child, 200, 'indexconfig', undefined)
  assert.deepEqual(child.json<{ result: { projects: string[] } }>().result.projects, [])
})

test('PATCH takes operations, options, and the whole envelope', async () => {
  await alice.asks('/alice/forms', put({ title: 'T' }))
  const path = '/alice/forms'
  const operated = await alice.asks(
    path,
    patch(['bases=alice/dev', 'acl_upload+=bob', 'title-=', 'mirror_whitelist+=*']),
  )
  assertEnvelope(operated, 200, 'indexconfig', undefined)
  const one = operated.json<{ result: Record<string, unknown> }>().result
  assert.deepEqual(
    [one.bases, one.acl_upload, one.title, one.mirror_whitelist],
    [['alice/dev'], ['alice', 'bob'], undefined, ['*']],
  )
  const optioned = await alice.asks(path, patch({ acl_upload: 'bob', projects: ['ignored'], type: 'stage' }))
  const two = optioned.json<{ result: Record<string, unknown> }>().result
  assert.deepEqual([two.bases, two.acl_upload, 'projects' in two], [['alice/dev'], ['bob'], false])
  const enveloped = await alice.asks(path, patch({ type: 'indexconfig', result: { ...two, bases: [] } }))
  assert.deepEqual(enveloped.json<{ result: Record<string, unknown> }>().result, { ...two, bases: [] })
})

for (const [what, asker, path, ask, status, message] of [
  ['of another', bob, '/alice/dev', patch({ title: 'x' }), 403, 'no permission to modify index alice/dev'],
  ['that is not there', alice, '/alice/none', patch({}), 404, 'The stage alice/none could not be found.'],
  ['to another type', alice, '/alice/dev', patch({ type: 'mirror' }), 400, "the 'type' of an index can't be changed"],
  [
    'without effect',
    alice,
    '/alice/dev?error_on_noop',
    patch(['volatile=True']),
    400,
    'The requested modifications resulted in no changes',
  ],
  ['that drops a default', alice, '/alice/dev', patch(['bases-=']), 400, "Default values can't be removed."],
  [
    'that takes what is not there',
    alice,
    '/alice/dev',
    patch(['acl_upload-=bob']),
    400,
    "The 'acl_upload' setting doesn't have value 'bob'",
  ],
  ['onto a missing base', alice, '/alice/dev', patch(['bases+=x/y']), 400, "base index 'x/y' does not exist"],
  ['by no operation', alice, '/alice/dev', patch(['bases']), 400, 'Invalid operation: "bases"'],
  ['by numbers', alice, '/alice/dev', patch([1]), 400, 'Invalid operation: 1'],
  [
    'of an object’s own workings',
    alice,
    '/alice/dev',
    patch(['toString+=x']),
    400,
    'indexconfig got unexpected keyword arguments: toString=x',
  ],
  [
    'of a constructor',
    alice,
    '/alice/dev',
    patch({ constructor: 'x' }),
    400,
    'indexconfig got unexpected keyword arguments: constructor=x',
  ],
] as const satisfies readonly (readonly [string, Person, string, Ask, number, string])[]) {
  test(`PATCH of an index ${what} is ${status}`, async () => {
    assertEnvelope(await asker.asks(path, ask), status, undefined, message)
  })
}

test('DELETE /{user}/{index} is 201, and 403 for one that is not volatile or not mine', async () => {
  await alice.asks('/alice/gone', put({}))
  assertEnvelope(await bob.asks('/alice/gone', remove), 403, undefined, 'no permission to delete index alice/gone')
  assertEnvelope(await alice.asks('/alice/gone', remove), 201, undefined, 'index alice/gone deleted')
  assertEnvelope(await alice.asks('/alice/gone', remove), 404, undefined, 'The stage alice/gone could not be found.')
  assertEnvelope(
    await alice.asks('/alice/prod', remove),
    403,
    undefined,
    'index alice/prod non-volatile, cannot delete',
  )
})

test('an index whose base is deleted goes on without it', async () => {
  await alice.asks('/alice/below', put({}))
  await alice.asks('/alice/above', put({ bases: 'alice/below' }))
  await alice.asks('/alice/below', remove)
  assert.equal((await stranger.asks('/alice/above/+simple/')).status, 200)
  const shown = (await stranger.asks('/alice/above?no_projects', { accept: 'application/json' })).json<{
    result: { bases: string[] }
  }>()
  assert.deepEqual(shown.result.bases, ['alice/below'])
  assert.equal((await alice.asks('/alice/above', patch(['title=still']))).status, 200)
})

test('root owns every index, but may upload only where it is listed', async () => {
  const file = wheel({ name: 'acme', version: '3.0' })
  assert.equal((await root.uploads(file, 'alice/dev')).status, 403)
  assert.equal((await root.asks('/alice/dev', patch(['acl_upload+=root']))).status, 200)
  assert.equal((await root.uploads(file, 'alice/dev')).status, 200)
})
