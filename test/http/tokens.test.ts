/** API tokens on the wire: what they open, and every way in which one is refused. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { type BuiltFile, wheel } from '../builders/wheels.ts'
import { type Answer, type Ask, type Person, startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice, root, stranger } = world
const bob = await world.person('bob')
for (const [path, options] of [
  ['/alice/other', { volatile: true }],
  ['/alice/secret', { acl_pkg_read: ['alice'] }],
  ['/bob/dev', { acl_upload: ['alice', 'bob'] }],
] as const) {
  assert.equal((await root.asks(path, { method: 'PUT', json: options })).status, 200)
}

interface Made {
  readonly id: number
  readonly token: string
  readonly expires?: string
  readonly [key: string]: unknown
}
type Headers = Readonly<Record<string, string>>
const base64 = (text: string) => Buffer.from(text).toString('base64')
const basic = (user: string, secret: string): Headers => ({ authorization: `Basic ${base64(`${user}:${secret}`)}` })
const bearer = (secret: string): Headers => ({ authorization: `Bearer ${secret}` })

async function create(fields: Readonly<Record<string, unknown>>, who: Person = alice, of = 'alice'): Promise<Made> {
  const answer = await who.asks(`/${of}/+tokens`, { json: fields })
  assert.equal(answer.status, 201, answer.text)
  return answer.json<{ result: Made }>().result
}

async function uploadsWith(headers: Headers, file: BuiltFile, index = 'alice/dev'): Promise<Answer> {
  const [name = '', version = ''] = file.filename.split('-')
  const said = fieldParts({ ':action': 'file_upload', name, version })
  const form = multipart([...said, { name: 'content', filename: file.filename, content: file.bytes }])
  return await stranger.asks(`/${index}/`, {
    body: form.body,
    headers: { 'content-type': form.contentType, ...headers },
  })
}

const authstatus = async (headers: Headers) =>
  (await stranger.asks('/+api', { headers })).json<{ result: { authstatus: unknown[] } }>().result.authstatus

const SENT: readonly (readonly [string, (secret: string) => Headers])[] = [
  ['Basic with __token__', (secret) => basic('__token__', secret)],
  ['Basic with the owner’s name', (secret) => basic('alice', secret)],
  ['Bearer', bearer],
  ['X-Devpi-Auth', (secret) => ({ 'x-devpi-auth': base64(`alice:${secret}`) })],
]

for (const [how, headers] of SENT) {
  test(`a token sent as ${how} uploads, reads what its owner reads, and is its owner`, async () => {
    const { token } = await create({})
    const sent = headers(token)
    assert.deepEqual(await authstatus(sent), ['ok', 'alice', []])
    assert.equal((await uploadsWith(sent, wheel({ name: 'acme', version: '1.0' }))).status, 200)
    assert.equal((await stranger.asks('/alice/secret/+simple/', { headers: sent })).status, 200)
  })

  test(`a token that is wrong, expired, revoked or another’s, sent as ${how}, is answered as a wrong password is`, async () => {
    const file = wheel({ name: 'never', version: '1.0' })
    const made = await create({ expires_in: 60 })
    const revoked = await create({})
    assert.equal((await alice.asks(`/alice/+tokens/${revoked.id}`, { method: 'DELETE' })).status, 200)
    const isDifferent = made.token.endsWith('A')
    const altered = `${made.token.slice(0, -1)}${isDifferent ? 'Q' : 'A'}`
    const password = await uploadsWith(basic('alice', 'wrong'), file)
    world.passes(61_000)
    const isNamed = how !== 'Bearer' && how !== 'Basic with __token__'
    const others = isNamed ? [(await create({}, bob, 'bob')).token] : []
    for (const secret of [altered, made.token, revoked.token, ...others]) {
      const refused = await uploadsWith(headers(secret), file)
      assert.deepEqual([refused.status, refused.text], [401, password.text])
      assert.deepEqual(await authstatus(headers(secret)), ['noauth', '', []])
    }
  })
}

/** What a token of these scopes is refused, and the half of a sentence that says why. */
const REFUSED: readonly (readonly [
  string,
  Readonly<Record<string, unknown>>,
  (headers: Headers) => Promise<Answer>,
  RegExp,
])[] = [
  [
    'upload to another index',
    { indexes: ['alice/other'] },
    (headers) => uploadsWith(headers, wheel({ name: 'acme', version: '2.0' })),
    /the token is not for index alice\/dev/,
  ],
  [
    'upload another project',
    { projects: ['tools'] },
    (headers) => uploadsWith(headers, wheel({ name: 'acme', version: '2.0' })),
    /the token is not for project 'acme' on index alice\/dev/,
  ],
  [
    'upload with a token for reading',
    { actions: ['read'] },
    (headers) => uploadsWith(headers, wheel({ name: 'acme', version: '2.0' })),
    /the token is not for action 'upload'/,
  ],
  [
    'register another project',
    { projects: ['tools'] },
    (headers) => sends(headers, { ':action': 'submit', name: 'acme', version: '2.0' }),
    /not for project 'acme'/,
  ],
  [
    'send documentation of another project',
    { projects: ['tools'] },
    (headers) => sends(headers, { ':action': 'doc_upload', name: 'acme', version: '2.0' }),
    /not for project 'acme'/,
  ],
  [
    'read a protected index without the action',
    { actions: ['upload'] },
    (headers) => stranger.asks('/alice/secret/+simple/', { headers }),
    /package read forbidden/,
  ],
  [
    'read a protected index that is not named',
    { indexes: ['alice/dev'] },
    (headers) => stranger.asks('/alice/secret/+simple/', { headers }),
    /package read forbidden/,
  ],
  [
    'delete without the action',
    {},
    (headers) => stranger.asks('/alice/dev/kept', { method: 'DELETE', headers }),
    /the token is not for action 'delete'/,
  ],
  [
    'delete another project',
    { actions: ['delete'], projects: ['tools'] },
    (headers) => stranger.asks('/alice/dev/kept', { method: 'DELETE', headers }),
    /not for project 'kept'/,
  ],
  [
    'delete another project’s release',
    { actions: ['delete'], projects: ['tools'] },
    (headers) => stranger.asks('/alice/dev/kept/1.0', { method: 'DELETE', headers }),
    /not for project 'kept'/,
  ],
  [
    'delete another project’s file',
    { actions: ['delete'], projects: ['tools'] },
    async (headers) => stranger.asks(await keptFile(), { method: 'DELETE', headers }),
    /not for project 'kept'/,
  ],
  [
    'send test results of another project',
    { projects: ['tools'] },
    async (headers) => stranger.asks(await keptFile(), { json: {}, headers }),
    /not for project 'kept'/,
  ],
  [
    'push to another index',
    { indexes: ['alice/dev'] },
    (headers) => pushes(headers, { targetindex: 'alice/other' }),
    /the token is not for index alice\/other/,
  ],
  [
    'push another project',
    { projects: ['tools'] },
    (headers) => pushes(headers, { targetindex: 'alice/other' }),
    /not for project 'kept'/,
  ],
  [
    'push elsewhere with a token for reading',
    { actions: ['read'] },
    (headers) => pushes(headers, { posturl: 'http://127.0.0.1:1/', username: 'x', password: 'y' }),
    /not for action 'upload'/,
  ],
  [
    'yank without the action',
    {},
    (headers) => stranger.asks('/alice/dev/+yank', { json: { project: 'kept', version: '1.0' }, headers }),
    /the token is not for action 'delete'/,
  ],
  [
    'yank another project',
    { actions: ['delete'], projects: ['tools'] },
    (headers) => stranger.asks('/alice/dev/+yank', { json: { project: 'kept', version: '1.0' }, headers }),
    /not for project 'kept'/,
  ],
  [
    'create an index',
    {},
    (headers) => stranger.asks('/alice/more', { method: 'PUT', json: {}, headers }),
    /no permission/,
  ],
  [
    'change an index',
    {},
    (headers) => stranger.asks('/alice/dev', { method: 'PATCH', json: ['title=x'], headers }),
    /no permission/,
  ],
  ['delete an index', {}, (headers) => stranger.asks('/alice/dev', { method: 'DELETE', headers }), /no permission/],
  [
    'change a password',
    {},
    (headers) => stranger.asks('/alice', { method: 'PATCH', json: { password: 'x' }, headers }),
    /no permission/,
  ],
  [
    'create a user',
    {},
    (headers) => stranger.asks('/carol', { method: 'PUT', json: { password: 'x' }, headers }),
    /no permission/,
  ],
  ['delete its owner', {}, (headers) => stranger.asks('/alice', { method: 'DELETE', headers }), /no permission/],
  ['list tokens', {}, (headers) => stranger.asks('/alice/+tokens', { headers }), /no permission to manage tokens/],
  [
    'create a token',
    {},
    (headers) => stranger.asks('/alice/+tokens', { json: {}, headers }),
    /no permission to manage tokens/,
  ],
  [
    'add a publisher',
    {},
    (headers) => stranger.asks('/alice/dev/+publishers', { json: {}, headers }),
    /tokens do not manage/,
  ],
  ['list groups', {}, (headers) => stranger.asks('/+groups', { headers }), /no permission to see groups/],
]

await alice.uploads(wheel({ name: 'kept', version: '1.0' }), 'alice/dev')
for (const [what, fields, act, why] of REFUSED) {
  test(`a token of ${JSON.stringify(fields)} cannot ${what}`, async () => {
    const before = JSON.stringify((await alice.asks('/')).json())
    const blobs = await world.blobs()
    const { token } = await create(fields)
    const refused = await act(bearer(token))
    assert.ok([401, 403].includes(refused.status), `${refused.status} ${refused.text}`)
    assert.match(refused.text, why)
    assert.ok(!refused.text.includes(token))
    assert.equal(JSON.stringify((await alice.asks('/')).json()), before)
    assert.deepEqual(await world.blobs(), blobs)
    assert.deepEqual(await world.drafts(), [])
  })
}

test('a token within its scopes uploads, pushes and deletes', async () => {
  const { token } = await create({
    actions: ['read', 'upload', 'delete'],
    indexes: ['alice/dev', 'alice/other'],
    projects: ['Good.Name'],
  })
  const headers = bearer(token)
  assert.equal((await uploadsWith(headers, wheel({ name: 'good_name', version: '1.0' }))).status, 200)
  const pushed = await stranger.asks('/alice/dev', {
    json: { name: 'good-name', version: '1.0', targetindex: 'alice/other' },
    headers,
  })
  assert.equal(pushed.status, 200, pushed.text)
  assert.equal((await stranger.asks('/alice/other/good-name', { method: 'DELETE', headers })).status, 200)
})

test('a token reads where everybody may, whatever its scopes, and grants no more than its owner has', async () => {
  const { token } = await create({ actions: ['upload'], indexes: ['alice/other'] })
  assert.equal((await stranger.asks('/alice/dev/+simple/', { headers: bearer(token) })).status, 200)
  const bobs = await create({}, bob, 'bob')
  const refused = await uploadsWith(bearer(bobs.token), wheel({ name: 'acme', version: '3.0' }))
  assert.equal(refused.status, 403)
  assert.match(refused.text, /acl_upload/)
})

test('losing a right ends it for tokens too; so does deleting the owner, also when somebody takes the name again', async () => {
  const carol = await world.person('carol')
  const { token } = await create({}, carol, 'carol')
  await root.asks('/bob/dev', { method: 'PATCH', json: ['acl_upload+=carol'] })
  const file = wheel({ name: 'hers', version: '1.0' })
  assert.equal((await uploadsWith(bearer(token), file, 'bob/dev')).status, 200)
  await root.asks('/bob/dev', { method: 'PATCH', json: ['acl_upload-=carol'] })
  assert.equal((await uploadsWith(bearer(token), file, 'bob/dev')).status, 403)
  await root.asks('/bob/dev', { method: 'PATCH', json: ['acl_upload+=carol'] })
  assert.equal((await root.asks('/carol', { method: 'DELETE' })).status, 200)
  assert.equal((await uploadsWith(bearer(token), file, 'bob/dev')).status, 401)
  await world.person('carol')
  assert.equal((await uploadsWith(bearer(token), file, 'bob/dev')).status, 401)
})

test('a token is no password: nobody gets a login for one', async () => {
  const { token } = await create({})
  const refused = await stranger.asks('/+login', { json: { user: 'alice', password: token } })
  assert.equal(refused.status, 401)
})

test('tokens are shown without their secret, with their last use to about a minute, to their owner and root alone', async () => {
  const made = await create({ note: 'the nightly build', indexes: ['alice/dev'], projects: ['A_b'], expires_in: 3600 })
  assert.match(made.token, /^airlock-[A-Za-z0-9_-]{43}$/)
  const shown = async (who: Person) => {
    const answer = await who.asks('/alice/+tokens')
    assert.ok(!answer.text.includes(made.token) && answer.headers['cache-control'] === 'no-store')
    return answer.json<{ result: Made[] }>().result.find((each) => each.id === made.id)
  }
  const { token: _token, ...facts } = made
  assert.deepEqual(await shown(alice), facts)
  assert.deepEqual([facts.note, facts.actions, facts.projects], ['the nightly build', ['read', 'upload'], ['a-b']])
  await authstatus(bearer(made.token))
  const used = await until(
    () => shown(root),
    (each) => each?.last_used !== undefined,
  )
  world.passes(30_000)
  await authstatus(bearer(made.token))
  assert.equal((await shown(alice))?.last_used, used?.last_used)
  world.passes(31_000)
  await authstatus(bearer(made.token))
  await until(
    () => shown(alice),
    (each) => each?.last_used !== used?.last_used,
  )
  for (const who of [bob, stranger]) {
    assert.equal((await who.asks('/alice/+tokens')).status, 403)
    assert.equal((await who.asks('/alice/+tokens', { json: {} })).status, 403)
    assert.equal((await who.asks(`/alice/+tokens/${made.id}`, { method: 'DELETE' })).status, 403)
  }
  assert.equal((await bob.asks(`/bob/+tokens/${made.id}`, { method: 'DELETE' })).status, 404)
  assert.equal((await root.asks('/nobody/+tokens')).status, 404)
  assert.equal((await root.asks(`/alice/+tokens/${made.id}`, { method: 'DELETE' })).status, 200)
  assert.equal((await alice.asks(`/alice/+tokens/${made.id}`, { method: 'DELETE' })).status, 404)
})

test('a token that is asked for in a way nobody understands is refused', async () => {
  const refused = await alice.asks('/alice/+tokens', { json: { scope: 'all' } })
  assert.equal(refused.status, 400)
  assert.match(refused.json<{ message: string }>().message, /^Cannot create a token: "scope" is not known/)
})

test('a token for an index that is not there is refused', async () => {
  assert.equal((await alice.asks('/alice/+tokens', { json: { indexes: ['alice/nope'] } })).status, 404)
})

test('no secret of a token is in the log, in the journal or anywhere in the catalog', async () => {
  const { token, id } = await create({})
  await uploadsWith(bearer(token), wheel({ name: 'logged', version: '1.0' }))
  await uploadsWith(basic('bob', token), wheel({ name: 'logged', version: '1.0' }))
  await alice.asks(`/alice/+tokens/${id}`, { method: 'DELETE' })
  assert.ok(!JSON.stringify(world.logged).includes(token.slice(8)))
  assert.ok(world.logged.some((line) => line.msg === 'API token created' && line['token.id'] === id))
  assert.ok(world.logged.some((line) => line.msg === 'API token revoked' && line['token.id'] === id))
  const { journal, tokens } = await world.server.stores.catalog.read(async ({ db }) => ({
    journal: await db.selectFrom('journal').select('changes').execute(),
    tokens: await db.selectFrom('tokens').selectAll().execute(),
  }))
  assert.ok(!JSON.stringify([journal, tokens]).includes(token.slice(8)))
  assert.ok(
    JSON.stringify(journal).includes(
      `\\"what\\":\\"token\\",\\"how\\":\\"revoked\\",\\"user\\":\\"alice\\",\\"id\\":${id}`,
    ),
  )
})

async function sends(headers: Headers, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const form = multipart([...fieldParts(fields), { name: 'content', filename: 'acme.zip', content: Buffer.from('PK') }])
  return await stranger.asks('/alice/dev/', {
    body: form.body,
    headers: { 'content-type': form.contentType, ...headers },
  })
}

function pushes(headers: Headers, to: Readonly<Record<string, string>>): Promise<Answer> {
  const ask: Ask = { json: { name: 'kept', version: '1.0', ...to }, headers }
  return stranger.asks('/alice/dev', ask)
}

async function keptFile(): Promise<string> {
  const accept = 'application/vnd.pypi.simple.v1+json'
  const page = (await alice.asks('/alice/dev/+simple/kept/', { accept })).json<{ files: { url: string }[] }>()
  return new URL(page.files[0]!.url, 'http://x/alice/dev/+simple/kept/').pathname
}

/** Uses are written down beside the request. */
async function until<T>(ask: () => Promise<T>, isDone: (found: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await ask()
    if (isDone(found)) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('Cannot go on: it did not come about')
}
