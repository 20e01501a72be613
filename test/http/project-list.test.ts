/** The list of all projects as clients get it: from what lies ready, merged with stages, refreshed, and when it cannot be had. */
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { wheel } from '../builders/wheels.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Answer, startWorld, type World } from '../world/world.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const HTML_TYPE = 'application/vnd.pypi.simple.v1+html'
const GZIP = { 'accept-encoding': 'gzip, deflate' }
const MIRROR = '/root/pypi/+simple/'
const CHAIN = '/alice/dev/+simple/'
const DAY_MS = 86_400_000

function names(answer: Answer): string[] {
  assert.equal(answer.status, 200, answer.text.slice(0, 300))
  const text = (answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.bytes) : answer.bytes).toString()
  if (answer.headers['content-type']?.includes('html'))
    return [...text.matchAll(/<a href="([^"]+)\/">\1</g)].map((m) => m[1]!)
  const read = JSON.parse(text) as { projects?: { name: string }[]; result?: { projects: string[] } }
  return read.result?.projects ?? read.projects!.map((project) => project.name)
}

/** Tries until it is so; fails with what `look` said last. */
async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const seen = await look()
    if (isSo(seen) || attempt === 400) {
      assert.ok(isSo(seen), JSON.stringify(seen))
      return seen
    }
    await delay(25)
  }
}

interface ListStatus {
  projects?: number
  fetchedMs?: number
  failure?: string
  lastChange?: { added: number; removed: number }
}
async function status(world: World): Promise<ListStatus> {
  const answer = await world.root.asks('/+status')
  return answer.json<{ result: { mirrors: { list: ListStatus }[] } }>().result.mirrors[0]!.list
}

/** Asks for the list when it is old, and waits for the fetch that this starts. */
async function refreshed(world: World): Promise<ListStatus> {
  // The list is there a moment before its state says so.
  const before = await until(
    () => status(world),
    (seen) => seen.fetchedMs !== undefined,
  )
  world.passes(DAY_MS)
  await world.stranger.asks(MIRROR)
  return await until(
    () => status(world),
    (seen) => seen.fetchedMs !== before.fetchedMs,
  )
}

async function given(settings: Parameters<typeof startFakeUpstream>[0] = {}) {
  const stack = new AsyncDisposableStack()
  const upstream: FakeUpstream = stack.use(await startFakeUpstream({ generatedNames: 300, ...settings }))
  const world = stack.use(await startWorld({ upstream }))
  return { upstream, world, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('every representation has all names, compressed or not, and a tag of its own', async () => {
  await using ground = await given()
  const { stranger } = ground.world
  const tags = new Set<string>()
  for (const [path, accept] of [
    [MIRROR, 'text/html'],
    [MIRROR, HTML_TYPE],
    [MIRROR, JSON_TYPE],
    ['/root/pypi', 'application/json'],
  ] as const) {
    for (const headers of [GZIP, {}, { 'accept-encoding': 'gzip;q=0, *' }]) {
      const answer = await stranger.asks(path, { accept, headers })
      assert.equal(names(answer).length, 300)
      const isGzip = headers === GZIP
      assert.equal(answer.headers['content-encoding'], isGzip ? 'gzip' : undefined)
      assert.equal(Number(answer.headers['content-length']), answer.bytes.length)
      assert.match(answer.headers.vary!, /\bAccept\b.*\bAccept-Encoding\b/)
      const etag = answer.headers.etag!
      const known = await stranger.asks(path, { accept, headers: { ...headers, 'if-none-match': etag } })
      assert.deepEqual([known.status, known.bytes.length, known.headers.etag], [304, 0, etag])
      const since = { ...headers, 'if-modified-since': answer.headers['last-modified']! }
      assert.equal((await stranger.asks(path, { accept, headers: since })).status, 304)
      const head = await stranger.asks(path, { accept, headers, method: 'HEAD' })
      assert.deepEqual([head.status, head.bytes.length], [200, 0])
      assert.equal(head.headers['content-length'], answer.headers['content-length'])
      tags.add(etag)
    }
  }
  assert.equal(tags.size, 8)
})

test('a chain has the names of its stages among those of the mirror', async () => {
  await using ground = await given()
  const { alice, stranger } = ground.world
  for (const name of ['aaa', 'generated-0000100', 'generated-0000100-own', 'zzz']) {
    assert.equal((await alice.uploads(wheel({ name, version: '1.0' }), 'alice/dev')).status, 200)
  }
  const expected = [...names(await stranger.asks(MIRROR)), 'aaa', 'generated-0000100-own', 'zzz'].sort()
  for (const accept of ['text/html', JSON_TYPE]) {
    for (const headers of [GZIP, {}]) {
      assert.deepEqual(names(await stranger.asks(CHAIN, { accept, headers })), expected)
    }
  }
})

test("a chain's tag holds until something is uploaded", async () => {
  await using ground = await given()
  const { alice, stranger } = ground.world
  await alice.uploads(wheel({ name: 'one', version: '1.0' }), 'alice/dev')
  const before = await stranger.asks(CHAIN, { headers: GZIP })
  const conditional = { headers: { ...GZIP, 'if-none-match': before.headers.etag! } }
  assert.equal((await stranger.asks(CHAIN, conditional)).status, 304)
  await alice.uploads(wheel({ name: 'two', version: '1.0' }), 'alice/dev')
  const after = await stranger.asks(CHAIN, conditional)
  assert.equal(names(after).length, 302)
  assert.notEqual(after.headers.etag, before.headers.etag)
})

for (const [how, settings] of [
  ['says so', {}],
  ['sends the same again', { etags: false, lastModified: false }],
] as const) {
  test(`an upstream that ${how}: the list is not written again, and keeps its tag`, async () => {
    await using ground = await given(settings)
    const { world, upstream } = ground
    const before = await world.stranger.asks(MIRROR)
    const [file] = await readdir(join(world.folder, 'mirrors'))
    const { ino, mtimeMs } = await stat(join(world.folder, 'mirrors', file!))
    const seen = await refreshed(world)
    assert.equal(upstream.count('/simple/'), 2)
    assert.equal(upstream.requests.at(-1)!.status, how === 'says so' ? 304 : 200)
    const after = await stat(join(world.folder, 'mirrors', file!))
    assert.deepEqual([after.ino, after.mtimeMs], [ino, mtimeMs])
    assert.equal(seen.failure, undefined)
    const again = await world.stranger.asks(MIRROR, { headers: { 'if-none-match': before.headers.etag! } })
    assert.equal(again.status, 304)
    assert.deepEqual(await world.drafts(), [])
  })
}

test('names that come and go are counted in the log and in +status, and not in the journal', async () => {
  await using ground = await given()
  const { world, upstream } = ground
  upstream.addProject('leaving')
  const before = await world.stranger.asks(MIRROR)
  await refreshed(world)
  const serial = await world.server.stores.catalog.latestSerial()
  upstream.remove('leaving')
  upstream.addProject('coming')
  upstream.addProject('coming-too')
  const seen = await refreshed(world)
  assert.deepEqual([seen.projects, seen.lastChange], [302, { added: 2, removed: 1 }])
  const told = world.logged.findLast((line) => line.msg === 'The list of projects has changed')
  assert.deepEqual([told?.added, told?.removed, told?.count], [2, 1, 302])
  assert.equal(await world.server.stores.catalog.latestSerial(), serial)
  const after = await world.stranger.asks(MIRROR, { headers: { 'if-none-match': before.headers.etag! } })
  assert.ok(names(after).includes('coming-too') && !names(after).includes('leaving'))
})

test('while the list is fetched anew the old one is served', async () => {
  await using ground = await given()
  const { world, upstream } = ground
  assert.equal(names(await world.stranger.asks(MIRROR)).length, 300)
  upstream.misbehave('/simple/', { kind: 'hang-body', afterBytes: 1000 })
  upstream.addProject('new')
  world.passes(DAY_MS)
  for (let time = 0; time < 3; time++) {
    assert.equal(names(await world.stranger.asks(MIRROR)).length, 300)
    assert.equal(names(await world.stranger.asks('/root/pypi', { accept: 'application/json' })).length, 300)
  }
})

test('a list that fails is answered with when to ask again, and never as empty', async () => {
  await using upstream = await startFakeUpstream({ generatedNames: 300 })
  upstream.misbehave('/simple/', { kind: 'status', status: 500 })
  await using world = await startWorld({ upstream })
  for (const path of [MIRROR, CHAIN]) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await world.stranger.asks(path, { method })
      assert.match(String(answer.status), /^50[23]$/)
      assert.ok(Number(answer.headers['retry-after']) >= 1, `${path} ${method}: ${answer.text}`)
      assert.equal(answer.headers.etag, undefined)
    }
  }
  // devpi's own way: what is held, and why it is no more.
  const told = (await world.stranger.asks('/root/pypi', { accept: 'application/json' })).json<{
    result: { projects: string[] }
    warnings: string[]
  }>()
  assert.deepEqual(told.result.projects, [])
  assert.match(told.warnings[0]!, /500/)
  upstream.behave()
  world.passes(DAY_MS)
  assert.equal(names(await world.stranger.asks(MIRROR)).length, 300)
  assert.equal((await status(world)).failure, undefined)
})

test('an upstream without a list is told apart from one that fails, and asked again a day later only', async () => {
  await using upstream = await startFakeUpstream({ projectList: false })
  const { filename, bytes } = wheel({ name: 'public', version: '1.0' })
  upstream.add('public', { filename, bytes })
  await using world = await startWorld({ upstream, settings: { mirror_cache_expiry: 86_400 } })
  const answer = await world.stranger.asks(MIRROR)
  assert.equal(answer.status, 502)
  assert.match(answer.text, /has no list of all projects/)
  assert.match(answer.text, /mirror_no_project_list/)
  world.passes(3_600_000)
  await world.stranger.asks(MIRROR)
  assert.equal(upstream.count('/simple/'), 1)
  assert.equal((await world.stranger.asks(`${MIRROR}public/`)).status, 200)
  assert.match((await status(world)).failure!, /no list/)
})

test('a list that goes missing at upstream stays as it was', async () => {
  await using ground = await given()
  const { world, upstream } = ground
  assert.equal(names(await world.stranger.asks(MIRROR)).length, 300)
  upstream.settings.projectList = false
  world.passes(DAY_MS)
  await world.stranger.asks(MIRROR)
  await until(
    () => status(world),
    (seen) => seen.failure !== undefined,
  )
  assert.equal(names(await world.stranger.asks(MIRROR)).length, 300)
})

test('an upstream without projects has a list without names', async () => {
  await using ground = await given({ generatedNames: 0 })
  const { alice, stranger } = ground.world
  for (const accept of ['text/html', JSON_TYPE]) {
    for (const headers of [GZIP, {}]) assert.deepEqual(names(await stranger.asks(MIRROR, { accept, headers })), [])
  }
  assert.deepEqual(names(await stranger.asks('/root/pypi', { accept: 'application/json' })), [])
  await alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')
  assert.deepEqual(names(await stranger.asks(CHAIN, { accept: JSON_TYPE })), ['acme'])
})

test('another mirror_url is another list', async () => {
  await using ground = await given()
  await using other = await startFakeUpstream({ generatedNames: 5 })
  const { root, stranger } = ground.world
  const before = await stranger.asks(MIRROR)
  const changed = await root.asks('/root/pypi', { method: 'PATCH', json: [`mirror_url=${other.url}`] })
  assert.equal(changed.status, 200, changed.text)
  const after = await stranger.asks(MIRROR, { headers: { 'if-none-match': before.headers.etag! } })
  assert.equal(names(after).length, 5)
})
