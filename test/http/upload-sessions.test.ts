/** Upload 2.0 (PEP 694): a session from its opening to its end, and every refusal on the way. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { digestOf } from '../../src/lib/digest.ts'
import { BAD_WHEELS } from '../builders/bad-wheels.ts'
import {
  announces,
  does,
  opens,
  order,
  pathOf,
  sends,
  sendsBytes,
  stages,
  UPLOAD_TYPE,
} from '../builders/upload-session.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { type Answer, startWorld } from '../world/world.ts'

const limits = { uploadBytes: 100_000, uploadSessions: 20, uploadSessionFiles: 3 }
const world = await startWorld({ settings: { upload_sessions: true }, limits })
const without = await startWorld()
after(async () => {
  await world[Symbol.asyncDispose]()
  await without[Symbol.asyncDispose]()
})
const { alice, root, stranger } = world
const bob = await world.person('bob')
await alice.asks('/alice/prod', { method: 'PUT', json: { volatile: false } })
await root.asks('/root/far', { method: 'PUT', json: { type: 'mirror', mirror_url: 'http://localhost:1/' } })

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
const built = wheel({ name: 'acme', version: '1.0', requiresPython: '>=3.9' })
const source = sdist({ name: 'acme', version: '1.0' })
const namesAt = async (path: string) => {
  const answer = await stranger.asks(path, { accept: JSON_PAGE })
  if (answer.status === 404) return []
  return answer.json<{ files: { filename: string }[] }>().files.map((file) => file.filename)
}
let made = 0
/** A new volatile stage of alice. */
async function given(options: Record<string, unknown> = {}): Promise<string> {
  const index = `alice/u${made++}`
  assert.equal((await alice.asks(`/${index}`, { method: 'PUT', json: options })).status, 200)
  return index
}
function assertProblem(answer: Answer, status: number, code: string, says: RegExp) {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  const problem = answer.json<{ status: number; code: string; detail: string; title: string }>()
  assert.equal(problem.status, status)
  assert.equal(problem.code, code)
  assert.match(problem.detail, says)
}

test('a session lives from its opening to its publication, and its files appear together', async () => {
  const index = await given()
  const session = await opens(alice, index, 'Acme', '1.0')
  assert.equal(session.answer.headers['content-type'], UPLOAD_TYPE)
  assert.equal(pathOf(session.answer.headers.location!), session.links.session)
  const { 'expires-at': expires, ...told } = session.answer.json()
  assert.match(String(expires), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const base = 'http://localhost:80'
  assert.deepEqual(told, {
    meta: { 'api-version': '2.0' },
    name: 'Acme',
    version: '1.0',
    status: 'open',
    links: Object.fromEntries(Object.entries(session.links).map(([rel, path]) => [rel, base + path])),
    mechanisms: ['http-post-bytes'],
    'session-token': session.token,
    files: {},
  })

  const announced = await announces(alice, session, built)
  const waiting = await does(alice, announced.address, 'GET')
  assert.equal(waiting.json<{ status: string }>().status, 'pending')
  assert.equal((await sendsBytes(alice, announced.content, built.bytes)).status, 201)
  assertProblem(await does(alice, session.links.publish), 409, 'session-conflict', /acme-1.0-.* is not completed/)
  assert.equal((await does(alice, announced.complete)).status, 201)
  assert.equal((await does(alice, announced.complete)).status, 201)
  await stages(alice, session, source)
  assert.deepEqual(await namesAt(`/${index}/+simple/acme/`), [])
  assert.equal((await stranger.asks(`/${index}/acme`, { accept: 'application/json' })).status, 404)

  const before = await world.server.stores.catalog.latestSerial()
  const published = await does(alice, session.links.publish)
  assert.equal(published.status, 201, published.text)
  assert.equal(published.json<{ status: string }>().status, 'published')
  assert.equal(published.headers.location, `${base}/${index}/acme/1.0`)
  assert.equal(await world.server.stores.catalog.latestSerial(), before + 1)
  assert.deepEqual((await namesAt(`/${index}/+simple/acme/`)).sort(), [built.filename, source.filename].sort())
  const page = await stranger.asks(`/${index}/+simple/acme/`, { accept: JSON_PAGE })
  const listed = page
    .json<{ files: Record<string, unknown>[] }>()
    .files.find((file) => file.filename === built.filename)
  assert.equal(listed?.['requires-python'], '>=3.9')
  assert.deepEqual(Object.keys(listed?.['core-metadata'] as object), ['sha256'])
  const release = await stranger.asks(`/${index}/acme/1.0`, { accept: 'application/json' })
  const data = release.json<{ result: { name: string; '+links': { log: { what: string; who: string }[] }[] } }>().result
  assert.equal(data.name, 'Acme')
  assert.deepEqual([data['+links'][0]?.log[0]?.what, data['+links'][0]?.log[0]?.who], ['upload', 'alice'])

  // Asked again, because the answer was lost.
  assert.equal((await does(alice, session.links.publish)).status, 201)
  const state = (await does(alice, session.links.session, 'GET')).json<{
    status: string
    files: Record<string, { status: string }>
  }>()
  assert.equal(state.status, 'published')
  assert.deepEqual(Object.keys(state.files).sort(), [built.filename, source.filename].sort())
  assertProblem(await sends(alice, session.links.upload, order(source)), 409, 'session-conflict', /published already/)
  await opens(alice, index, 'acme', '1.0')
})

test('a session is canceled, a file deleted and sent anew, an end moved', async () => {
  const session = await opens(alice, await given(), 'acme', '1.0')
  const first = await stages(alice, session, built)
  assertProblem(await sendsBytes(alice, first.content, built.bytes), 409, 'session-conflict', /completed already/)
  const again = await sends(alice, session.links.upload, order(built))
  assertProblem(again, 409, 'session-conflict', /in the session already/)
  assert.equal(pathOf(again.headers.location!), first.address)
  assert.equal((await does(alice, first.address, 'DELETE')).status, 204)
  assertProblem(await does(alice, first.address, 'GET'), 404, 'no-such-session', /no such file in the upload session/)
  await stages(alice, session, built)

  const endOf = async () =>
    Date.parse((await does(alice, session.links.session, 'GET')).json<{ 'expires-at': string }>()['expires-at'])
  const end = await endOf()
  assert.equal((await sends(alice, session.links.extend, { 'extend-for': 3600 })).status, 200)
  // A session has its full time already: an hour more is no more than that.
  assert.ok((await endOf()) - end < 60_000)
  assertProblem(await sends(alice, session.links.extend, { 'extend-for': -1 }), 400, 'bad-request', /extend-for/)

  assert.equal((await does(alice, session.links.session, 'DELETE')).status, 204)
  assertProblem(await does(alice, session.links.session, 'GET'), 404, 'no-such-session', /no such upload session/)
})

test('a second session for a release, however its version is written, is the first', async () => {
  const index = await given()
  const { links } = await opens(alice, index, 'acme', '1.0')
  const second = await sends(alice, `/${index}/+upload`, { name: 'ACME', version: '1.0.0' })
  assertProblem(second, 409, 'session-open', /acme 1.0 is open already/)
  assert.equal(pathOf(second.headers.location!), links.session)
  await opens(alice, index, 'acme', '1.0.1')
})

const wrong = { meta: { 'api-version': '3.0' } }
for (const [what, body, status, code, says] of [
  ['another API version', wrong, 400, 'bad-request', /no "api-version" 2.0/],
  ['no name', { version: '1.0' }, 400, 'bad-request', /write "name" as text/],
  ['what is no name', { name: '-', version: '1.0' }, 400, 'metadata-invalid', /"-" is not a project name/],
  ['what is no version', { name: 'acme', version: 'one' }, 400, 'metadata-invalid', /"one" is not a PEP 440 version/],
] as const) {
  test(`a session with ${what} is not opened`, async () => {
    assertProblem(await sends(alice, '/alice/dev/+upload', body), status, code, says)
  })
}

test('a session is opened where an upload would be taken', async () => {
  const body = { name: 'acme', version: '1.0' }
  assertProblem(await sends(stranger, '/alice/dev/+upload', body), 401, 'login-required', /without login/)
  assertProblem(await sends(bob, '/alice/dev/+upload', body), 403, 'not-allowed', /no permission to submit/)
  assertProblem(await sends(alice, '/alice/none/+upload', body), 404, 'no-such-index', /alice\/none/)
  assertProblem(await sends(root, '/root/far/+upload', body), 404, 'mirror-read-only', /mirror/)
  const index = await given()
  const { links } = await opens(alice, index, 'acme', '1.0')
  const paths = [links.session, links.publish, links.upload]
  for (const path of paths) {
    assertProblem(await does(stranger, path, path === links.session ? 'GET' : 'POST'), 401, 'login-required', /login/)
    assertProblem(await does(bob, path, path === links.session ? 'DELETE' : 'POST'), 403, 'not-allowed', /permission/)
  }
  // A key is of one index only.
  const elsewhere = links.session.replace(index, 'alice/dev')
  assertProblem(await does(alice, elsewhere, 'GET'), 404, 'no-such-session', /no such/)
})

test('a token for another project opens no session, and sees none', async () => {
  const index = await given()
  const { links } = await opens(alice, index, 'acme', '1.0')
  const token = (await alice.asks('/alice/+tokens', { json: { actions: ['upload'], projects: ['other'] } })).json<{
    result: { token: string }
  }>().result.token
  const headers = { authorization: `Bearer ${token}` }
  const refused = await sends(stranger, `/${index}/+upload`, { name: 'acme', version: '2.0' }, { headers })
  assertProblem(refused, 403, 'not-allowed', /no permission to submit to .*: /)
  const seen = await stranger.asks(links.session, { headers: { ...headers, accept: UPLOAD_TYPE } })
  assertProblem(seen, 403, 'not-allowed', /no permission/)
  assert.equal((await sends(stranger, `/${index}/+upload`, { name: 'other', version: '1' }, { headers })).status, 201)
})

test('a closed project takes no session, and one that is open publishes nothing', async () => {
  const index = await given()
  await alice.uploads(wheel({ name: 'acme', version: '0.9' }), index)
  const session = await opens(alice, index, 'acme', '1.0')
  await stages(alice, session, built)
  const status = await alice.asks(`/${index}/+status/acme`, { method: 'PUT', json: { status: 'archived' } })
  assert.equal(status.status, 200, status.text)
  const opened = await sends(alice, `/${index}/+upload`, { name: 'acme', version: '2.0' })
  assertProblem(opened, 403, 'project-closed', /acme: it is archived/)
  assertProblem(await does(alice, session.links.publish), 403, 'project-closed', /archived/)
  assert.deepEqual(await namesAt(`/${index}/+simple/acme/`), ['acme-0.9-py3-none-any.whl'])
})

for (const [what, changes, status, code, says] of [
  ['another mechanism', { mechanism: 'http-put' }, 422, 'mechanism-unknown', /"http-put": it is "http-post-bytes"/],
  ['no mechanism', { mechanism: undefined }, 422, 'mechanism-unknown', /http-post-bytes/],
  ['a size that is none', { size: '12' }, 400, 'bad-request', /"size" as a whole number/],
  ['too great a size', { size: 100_001 }, 413, 'too-large', /more than 100000 bytes/],
  ['no hashes', { hashes: {} }, 400, 'bad-request', /no secure hash/],
  ['a weak hash alone', { hashes: { md5: 'd41d8cd98f00b204e9800998ecf8427e' } }, 400, 'bad-request', /no secure hash/],
  ['a hash of unknown name', { hashes: { crc32: '00000000' } }, 400, 'bad-request', /Cannot check the hash "crc32"/],
  ['a hash that is none', { hashes: { sha256: 'x' } }, 400, 'bad-request', /"sha256" in hex/],
  [
    'what is no archive',
    { filename: 'acme-1.0.txt' },
    400,
    'file-invalid',
    /'acme-1.0.txt' is not a valid archive name/,
  ],
  ['a path', { filename: '../acme-1.0.tar.gz' }, 400, 'file-invalid', /not a valid archive name/],
  ['another project', { filename: 'other-1.0.tar.gz' }, 400, 'file-invalid', /is not one of acme 1.0/],
  ['another version', { filename: 'acme-2.0.tar.gz' }, 400, 'file-invalid', /is not one of acme 1.0/],
] as const) {
  test(`a file with ${what} is not awaited`, async () => {
    const session = await opens(alice, await given(), 'acme', '1.0')
    const answer = await sends(alice, session.links.upload, { ...order(source), ...changes })
    assertProblem(answer, status, code, says)
    assert.deepEqual((await does(alice, session.links.session, 'GET')).json<{ files: unknown }>().files, {})
    assert.equal((await does(alice, session.links.session, 'DELETE')).status, 204)
    assert.equal((await alice.asks(`/alice/u${made - 1}`, { method: 'DELETE' })).status, 201)
  })
}

const damaged = Buffer.from(built.bytes).fill(0, 40, 60)
for (const [what, sent, announced, code, says] of [
  ['fewer bytes', built.bytes.subarray(1), built, 'digest-differs', /were announced/],
  ['more bytes', Buffer.concat([built.bytes, Buffer.from('x')]), built, 'digest-differs', /more than the \d+ bytes/],
  ['other bytes', damaged, built, 'digest-differs', /sha256 of acme-1.0-.*was announced/],
  ['no bytes', Buffer.alloc(0), built, 'digest-differs', /0 bytes/],
] as const) {
  test(`${what} than announced are refused, and leave nothing`, async () => {
    const session = await opens(alice, await given(), 'acme', '1.0')
    const before = await world.blobs()
    const file = await announces(alice, session, announced)
    assertProblem(await sendsBytes(alice, file.content, sent), 400, code, says)
    assert.deepEqual(await world.blobs(), before)
    assert.deepEqual(await world.drafts(), [])
    const state = (await does(alice, file.address, 'GET')).json<{ status: string; notices: string[] }>()
    assert.equal(state.status, 'error')
    assert.match(state.notices[0]!, says)
    assertProblem(await does(alice, file.complete), 409, 'session-conflict', /what was sent was refused/)
    assertProblem(await does(alice, session.links.publish), 409, 'session-conflict', /not completed/)
    // And then it goes well.
    assert.equal((await sendsBytes(alice, file.content, built.bytes)).status, 201)
    assert.equal((await does(alice, file.complete)).status, 201)
    assert.equal((await does(alice, session.links.publish)).status, 201)
  })
}

for (const { what, bytes, says } of BAD_WHEELS.slice(0, 3)) {
  test(`a wheel with ${what} is refused as it is from an upload form`, async () => {
    const session = await opens(alice, await given(), 'acme', '1.0')
    const bad = { filename: 'acme-1.0-py3-none-any.whl', bytes, sha256: digestOf(bytes) }
    const file = await announces(alice, session, bad)
    assertProblem(await sendsBytes(alice, file.content, bytes), 400, 'file-invalid', new RegExp(RegExp.escape(says)))
    assert.equal((await does(alice, session.links.session, 'DELETE')).status, 204)
  })
}

test('sessions and files are bounded', async () => {
  const index = await given()
  const session = await opens(alice, index, 'acme', '1.0')
  for (const tag of ['py3-none-any', 'py2-none-any', 'py4-none-any']) {
    await announces(alice, session, wheel({ name: 'acme', version: '1.0', tag }))
  }
  const another = await sends(alice, session.links.upload, order(source))
  assertProblem(another, 409, 'session-conflict', /has 3 files, which is the most/)
  for (let each = 1; each < limits.uploadSessions; each++) await opens(alice, index, 'acme', `2.${each}`)
  const body = { name: 'acme', version: '3.0' }
  assertProblem(await sends(alice, `/${index}/+upload`, body), 409, 'session-conflict', /has 20, which is the most/)
})

test('a session without files is not published', async () => {
  const { links } = await opens(alice, await given(), 'acme', '1.0')
  assertProblem(await does(alice, links.publish), 409, 'session-conflict', /has no files/)
})

test('a name that the index has and keeps is refused when the file is announced', async () => {
  assert.equal((await alice.uploads(built, 'alice/prod')).status, 200)
  const session = await opens(alice, 'alice/prod', 'acme', '1.0')
  const other = wheel({ name: 'acme', version: '1.0', summary: 'Other' })
  assertProblem(await sends(alice, session.links.upload, order(other)), 409, 'file-exists', /already exists/)
  // The very same is no conflict.
  await stages(alice, session, built)
  assert.equal((await does(alice, session.links.publish)).status, 201)
})

test('types: a body of another is 415, an answer of none that is accepted 406', async () => {
  const plain = { headers: { 'content-type': 'application/json' } }
  const body = { name: 'acme', version: '1.0' }
  assertProblem(await sends(alice, '/alice/dev/+upload', body, plain), 415, 'type-unsupported', /type of Upload 2.0/)
  const html = { headers: { accept: 'text/html' } }
  assertProblem(await sends(alice, '/alice/dev/+upload', body, html), 406, 'not-acceptable', /type that is accepted/)
  const headers = { 'content-type': UPLOAD_TYPE }
  const garbled = await alice.asks('/alice/dev/+upload', { body: '{"meta', headers })
  assertProblem(garbled, 400, 'bad-request', /no JSON/)
  const list = await alice.asks('/alice/dev/+upload', { body: '[]', headers })
  assertProblem(list, 400, 'bad-request', /./)
  const empty = await alice.asks('/alice/dev/+upload', { method: 'POST' })
  assertProblem(empty, 400, 'bad-request', /api-version/)
  const session = await opens(alice, await given(), 'acme', '1.0')
  const json = await alice.asks(session.links.session, { accept: 'application/json' })
  assert.equal(json.headers['content-type'], 'application/json')
})

test('without the setting every address says so', async () => {
  const says = /switched off on this server.*upload_sessions/s
  for (const [method, path] of [
    ['POST', '/alice/dev/+upload'],
    ['GET', '/alice/dev/+upload/x'],
    ['POST', '/alice/dev/+upload/x/files/y/content'],
  ] as const) {
    assertProblem(await without.alice.asks(path, { method }), 404, 'not-enabled', says)
  }
  const staged = await without.alice.asks('/alice/dev/+staged/x/simple/')
  assert.equal(staged.status, 404)
  assert.match(staged.text, says)
})
