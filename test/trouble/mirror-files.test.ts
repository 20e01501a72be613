/** What becomes of files of a mirror that are not here yet, or no longer: asked for by head, in part, while upstream breaks off, while room is made. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { indexAsWritten } from '../../src/catalog/accounts.ts'
import { findFiles } from '../../src/catalog/files.ts'
import type { Limits } from '../../src/model/limits.ts'
import { wheel } from '../builders/wheels.ts'
import { type AddedFile, type FakeSettings, type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { ask, startInProcess } from './in-process-server.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const SIZE = 3_000_000
const FILENAME = 'big-1.0-py3-none-any.whl'

async function given(
  settings: Partial<FakeSettings> = {},
  flags: Record<string, unknown> = {},
  limits: Partial<Limits> = {},
) {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeUpstream({ projectList: false, ...settings }))
  const quick = { resumePauseMs: 1, upstreamSilenceMs: 2000, ...limits }
  const server = stack.use(await startInProcess({ flags: { upstream: upstream.url, ...flags }, limits: quick }))
  const opened = stack.move()
  return {
    upstream,
    server,
    /** Where the server lists the file. */
    url: async (project = 'big', filename = FILENAME) => {
      const page = `${server.url}/root/pypi/+simple/${project}/`
      const reply = await ask(page, { accept: JSON_TYPE })
      const { files } = JSON.parse(reply.bytes.toString()) as { files: { filename: string; url: string }[] }
      return new URL(files.find((file) => file.filename === filename)!.url, page).href
    },
    digest: async () => {
      const { catalog } = server.stores
      const record = (await catalog.read((reader) => indexAsWritten(reader, 'root/pypi')))!
      return (await catalog.read((reader) => findFiles(reader, record, FILENAME)))[0]?.digest
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Where each request for the file wanted it to begin. */
function startsOf(upstream: FakeUpstream, { path }: AddedFile): (number | undefined)[] {
  const asked = upstream.requests.filter((each) => each.path === path)
  return asked.map(({ headers }) => (headers.range === undefined ? undefined : Number(/\d+/.exec(headers.range)![0])))
}

for (const [how, settings] of [
  ['with validators', {}],
  ['with dates alone', { etags: false }],
  ['without validators, but with hashes', { etags: false, lastModified: false }],
] as const satisfies readonly [string, Partial<FakeSettings>][]) {
  test(`a file that breaks off twice ${how} is one download, and its rest alone is asked for`, async () => {
    await using ground = await given(settings)
    const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
    ground.upstream.misbehave(file.path, { kind: 'cut', afterBytes: 1_000_000 }, { times: 2 })
    const reply = await ask(await ground.url())
    assert.deepEqual([reply.status, reply.isComplete, reply.sha256], [200, true, file.sha256])
    const [none, ...starts] = startsOf(ground.upstream, file)
    assert.deepEqual([none, starts.length], [undefined, 2])
    // What was on the way when the connection broke is lost with it.
    assert.ok(starts[0]! > 500_000 && starts[0]! <= 1_000_000 && starts[1]! > starts[0]!, starts.join())
    assert.equal(await ground.digest(), file.sha256)
  })
}

test('an upstream that gives no parts begins anew, and no byte comes twice', async () => {
  for (const settings of [{ ranges: false }, { hashes: false, etags: false, lastModified: false }]) {
    await using ground = await given(settings)
    const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
    ground.upstream.misbehave(file.path, { kind: 'cut', afterBytes: 1_000_000 }, { times: 1 })
    const reply = await ask(await ground.url())
    assert.deepEqual([reply.status, reply.isComplete, reply.sha256], [200, true, file.sha256])
    assert.equal(ground.upstream.count(file.path), 2)
  }
})

test('a file that is another one after the cut is never joined to what came before', async () => {
  for (const hashes of [true, false]) {
    await using ground = await given({ hashes })
    const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
    const url = await ground.url()
    ground.upstream.misbehave(file.path, { kind: 'cut', afterBytes: 1_000_000 }, { times: 1 })
    const other = await ground.upstream.bigFile('big', 'other-1.0-py3-none-any.whl', SIZE, 'another seed')
    const cut = ask(url)
    while (ground.upstream.count(file.path) === 0) await delay(1)
    ground.upstream.misbehave(file.path, { kind: 'redirect', to: other.url })
    // The rule for the cut is older, so it was taken already.
    const reply = await cut
    assert.ok(!(reply.isComplete && reply.status === 200 && reply.sha256 !== file.sha256))
    assert.equal(reply.isComplete, false)
    assert.equal(await ground.digest(), undefined)
  }
})

test('HEAD of what is not here yet tells its length and fetches nothing, announced or not', async () => {
  for (const settings of [{}, { sizes: false }, { sizes: false, ranges: false }]) {
    await using ground = await given(settings)
    const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
    const reply = await head(await ground.url())
    assert.deepEqual([reply.status, reply.headers['content-length']], [200, String(SIZE)])
    assert.equal(await ground.digest(), undefined)
    const sent = ground.upstream.requests.filter((each) => each.path === file.path)
    assert.ok(sent.length <= 1)
  }
})

test('a range of what is not here yet joins the flight of who asked first', async () => {
  await using ground = await given()
  const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
  const url = await ground.url()
  const replies = await Promise.all([ask(url), ask(url, { range: 'bytes=-1000' }), ask(url, { range: 'bytes=5-104' })])
  assert.deepEqual(
    replies.map((reply) => [reply.status, reply.bytes.length, reply.isComplete]),
    [
      [200, SIZE, true],
      [206, 1000, true],
      [206, 100, true],
    ],
  )
  assert.ok(replies[1]!.bytes.equals(replies[0]!.bytes.subarray(-1000)))
  assert.ok(replies[2]!.bytes.equals(replies[0]!.bytes.subarray(5, 105)))
  assert.equal(ground.upstream.count(file.path), 1)
})

for (const [name, value] of [
  ['md5', 'right'],
  ['md5', 'wrong'],
  ['sha1', 'wrong'],
] as const) {
  test(`a file of which upstream tells ${name} alone is checked by it: the ${value} one`, async () => {
    await using ground = await given({ json: false, hashes: false })
    const { bytes, filename } = wheel({ name: 'acme', version: '1.0' })
    const added = ground.upstream.add('acme', { filename, bytes })
    const hash = createHash(name)
      .update(value === 'right' ? bytes : 'another')
      .digest('hex')
    const page = `<!DOCTYPE html><a href="${added.url}#${name}=${hash}">${filename}</a>`
    const listing = ground.upstream.add('listing', { filename: 'page.html', bytes: page })
    ground.upstream.misbehave('/simple/acme/', { kind: 'redirect', to: listing.url })
    const reply = await ask(await ground.url('acme', filename))
    assert.equal(reply.isComplete && reply.status === 200, value === 'right')
  })
}

test('metadata of a wheel that is not here is asked for once, however many ask, and kept', async () => {
  await using ground = await given()
  const { bytes, filename } = wheel({ name: 'acme', version: '1.0' })
  const metadata = `Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n\n${'text\n'.repeat(1000)}`
  const added = ground.upstream.add('acme', { filename, bytes, metadata })
  const url = `${await ground.url('acme', filename)}.metadata`
  ground.upstream.misbehave(`${added.path}.metadata`, { kind: 'slow', ms: 100 })
  const replies = await Promise.all(Array.from({ length: 8 }, () => ask(url)))
  replies.push(await ask(url))
  for (const reply of replies) assert.equal(reply.bytes.toString(), metadata)
  assert.equal(ground.upstream.count(`${added.path}.metadata`), 1)
  await ground.upstream.pause()
  assert.equal((await ask(url)).bytes.toString(), metadata)
  assert.equal(ground.upstream.count(added.path), 0)
})

test('a file that is let go between question and answer is fetched again, whole or in part', async () => {
  for (const range of [undefined, 'bytes=100-199']) {
    await using ground = await given()
    const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
    const url = await ground.url()
    assert.equal((await ask(url)).sha256, file.sha256)
    // The row is here and the bytes are not: what a request sees that was overtaken.
    await ground.server.stores.blobs.delete(file.sha256)
    const reply = await ask(url, range === undefined ? {} : { range })
    assert.deepEqual([reply.status, reply.isComplete], [range === undefined ? 200 : 206, true])
    assert.equal(reply.bytes.length, range === undefined ? SIZE : 100)
    assert.equal(ground.upstream.count(file.path), 2)
    assert.equal((await ask(url)).sha256, file.sha256)
    assert.equal(ground.upstream.count(file.path), 2)
  }
})

test('a file larger than all the room there is goes through whole, and does not stay', async () => {
  await using ground = await given({}, { mirror_cache_size: '1MB' })
  const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
  const url = await ground.url()
  for (const times of [1, 2]) {
    assert.equal((await ask(url)).sha256, file.sha256)
    assert.equal(await ground.digest(), undefined)
    assert.equal(ground.upstream.count(file.path), times)
  }
  assert.equal(await ground.server.stores.blobs.stat(file.sha256), undefined)
})

test('a client that goes away early ends its download after a while, and who comes then begins anew', async () => {
  await using ground = await given({}, {}, { unreadMs: 50 })
  const file = await ground.upstream.bigFile('big', FILENAME, SIZE)
  const url = await ground.url()
  ground.upstream.misbehave(file.path, { kind: 'trickle', bytesPerSecond: 400_000 }, { times: 1 })
  await leaveEarly(url)
  const asked = ground.upstream.requests.at(-1)!
  while (asked.state === 'open') await delay(10)
  assert.ok(asked.sentBytes < SIZE / 2, `${asked.sentBytes} bytes were fetched for nobody`)
  assert.equal(await ground.digest(), undefined)
  assert.equal((await ask(url)).sha256, file.sha256)
  assert.equal(ground.upstream.count(file.path), 2)
})

function head(url: string) {
  return new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
    const asked = request(url, { method: 'HEAD', agent: false }, (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
    })
    asked.on('error', reject).end()
  })
}

/** Hangs up after the first bytes. */
function leaveEarly(url: string): Promise<void> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false }, (response) => response.once('data', () => asked.destroy()))
    asked.on('error', () => {})
    asked.once('close', () => resolve())
    asked.end()
  })
}
