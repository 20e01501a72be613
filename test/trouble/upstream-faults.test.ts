import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { indexAsWritten } from '../../src/catalog/accounts.ts'
import { findFiles } from '../../src/catalog/files.ts'
import type { Limits } from '../../src/model/limits.ts'
import { wheel } from '../builders/wheels.ts'
import {
  type AddedFile,
  type Behaviour,
  type FakeSettings,
  type FakeUpstream,
  startFakeUpstream,
} from '../upstream/fake-upstream.ts'
import { ask, type InProcessServer, type Reply, startInProcess } from './in-process-server.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
/** Small enough that a test does not wait, with room for a busy machine. */
const LIMITS: Partial<Limits> = {
  connectMs: 2000,
  upstreamAnswerMs: 800,
  upstreamSilenceMs: 800,
  upstreamPageMs: 2500,
  upstreamPageBytes: 1024 * 1024,
  trickleWindowMs: 700,
  backoffFirstMs: 1,
  staleWaitMs: 5000,
  resumePauseMs: 1,
}
/** Past one chunk of every buffer on the way. */
const CONTENT_BYTES = 300_000

interface World {
  readonly upstream: FakeUpstream
  readonly server: InProcessServer
}

async function startWorld(settings: Partial<FakeSettings>, flags: Record<string, unknown> = {}): Promise<World> {
  const upstream = await startFakeUpstream({ projectList: false, ...settings })
  const server = await startInProcess({ flags: { upstream: upstream.url, ...flags }, limits: LIMITS })
  return { upstream, server }
}

async function stopWorld({ upstream, server }: World): Promise<void> {
  await server[Symbol.asyncDispose]()
  await upstream.close()
}

interface Case {
  readonly fault: string
  readonly behaviour: Behaviour
  /** What a client sees: an error in words, a 200 that breaks off, or the true file after all. */
  readonly file: 'refused' | 'broken' | 'either' | 'right'
  /** Only where the page says how long the file is. */
  readonly needsSize?: true
}

const CASES: readonly Case[] = [
  { fault: 'wrong bytes of the right length', behaviour: { kind: 'wrong-bytes' }, file: 'broken' },
  { fault: 'cut before the first byte', behaviour: { kind: 'cut', afterBytes: 0 }, file: 'either' },
  { fault: 'cut after one byte', behaviour: { kind: 'cut', afterBytes: 1 }, file: 'either' },
  { fault: 'cut in the middle', behaviour: { kind: 'cut' }, file: 'broken' },
  { fault: 'cut before the last byte', behaviour: { kind: 'cut', afterBytes: CONTENT_BYTES - 1 }, file: 'right' },
  { fault: 'ended early but well-formed', behaviour: { kind: 'short' }, file: 'either' },
  { fault: 'ended at once but well-formed', behaviour: { kind: 'short', afterBytes: 0 }, file: 'either' },
  { fault: 'silence in place of headers', behaviour: { kind: 'hang' }, file: 'refused' },
  { fault: 'silence after headers', behaviour: { kind: 'hang-body', afterBytes: 0 }, file: 'either' },
  { fault: 'silence in the body', behaviour: { kind: 'hang-body' }, file: 'broken' },
  { fault: 'a trickle', behaviour: { kind: 'trickle', bytesPerSecond: 50 }, file: 'broken' },
  { fault: 'a body without end', behaviour: { kind: 'endless' }, file: 'broken', needsSize: true },
  { fault: 'status 500', behaviour: { kind: 'status', status: 500 }, file: 'refused' },
  { fault: 'status 403', behaviour: { kind: 'status', status: 403 }, file: 'refused' },
  { fault: 'status 404 for a file that is listed', behaviour: { kind: 'status', status: 404 }, file: 'refused' },
  { fault: 'status 206 without being asked', behaviour: { kind: 'status', status: 206 }, file: 'refused' },
  { fault: 'status 304 without being asked', behaviour: { kind: 'status', status: 304 }, file: 'refused' },
  { fault: 'a longer length than there is', behaviour: { kind: 'wrong-length' }, file: 'either' },
  { fault: 'a shorter length than there is', behaviour: { kind: 'wrong-length', byBytes: -10 }, file: 'either' },
  { fault: 'redirects in a circle', behaviour: { kind: 'redirect-loop' }, file: 'refused' },
  { fault: 'a redirect to another file', behaviour: { kind: 'redirect', to: '/other' }, file: 'either' },
  { fault: 'a redirect to nowhere', behaviour: { kind: 'redirect', to: 'http://127.0.0.1:1/x' }, file: 'refused' },
  { fault: 'a redirect that is no address', behaviour: { kind: 'redirect', to: 'http://[' }, file: 'refused' },
  { fault: 'a page that asks to sign in', behaviour: { kind: 'login-page' }, file: 'either' },
  { fault: 'an encoding that it does not have', behaviour: { kind: 'wrong-encoding' }, file: 'right' },
]

for (const [how, settings] of [
  ['with sizes and hashes', {}],
  ['on another host', { links: 'separate' }],
  ['from HTML pages', { json: false, sizes: false }],
  ['without sizes', { sizes: false }],
] as const satisfies readonly [string, Partial<FakeSettings>][]) {
  describe(`a file ${how}`, () => {
    let world: World
    before(async () => {
      world = await startWorld(settings)
    })
    after(() => stopWorld(world))

    for (const [at, { fault, behaviour, file: expected, needsSize }] of CASES.entries()) {
      if (needsSize && ('sizes' in settings || 'json' in settings)) continue
      test(`${fault}: never a wrong file, nothing kept, healed by the next good answer`, async () => {
        const { added, name, filename } = addFile(world, `case${at}`)
        const url = await fileUrl(world, name, filename)
        const target = behaviour.kind === 'redirect' && behaviour.to === '/other' ? otherPath(world) : undefined
        world.upstream.misbehave(added.path, target === undefined ? behaviour : { kind: 'redirect', to: target })
        const reply = await ask(url)
        const outcome = outcomeOf(reply, added)
        if (expected === 'either') assert.ok(outcome === 'broken' || outcome === 'refused', outcome)
        else assert.equal(outcome, expected)
        if (outcome === 'refused') {
          assert.match(String(reply.status), /^50[23]$/)
          assert.match((JSON.parse(reply.bytes.toString()) as { message: string }).message, /^Cannot /)
          assert.equal(reply.headers['cache-control'], 'no-store')
        }
        if (expected !== 'right') await nothingIsKept(world, filename, added)

        world.upstream.behave(added.path)
        await delay(5)
        assert.equal(outcomeOf(await ask(url), added), 'right')
        await isKept(world, filename, added)
      })
    }
  })
}

describe('a file whose page is not true', () => {
  let world: World
  before(async () => {
    world = await startWorld({})
  })
  after(() => stopWorld(world))

  test('a body longer than announced is not passed on as the shorter file', async () => {
    const { added, name, filename } = addFile(world, 'longer', { sizeBytes: CONTENT_BYTES - 1000 })
    world.upstream.misbehave(added.path, { kind: 'short', afterBytes: CONTENT_BYTES })
    const reply = await ask(await fileUrl(world, name, filename))
    assert.equal(outcomeOf(reply, added), 'broken')
    await nothingIsKept(world, filename, added)
  })

  test('a part of a wrong file does not end as a success', async () => {
    const { added, name, filename } = addFile(world, 'ranged')
    const url = await fileUrl(world, name, filename)
    world.upstream.misbehave(added.path, { kind: 'wrong-bytes' })
    for (const range of ['bytes=0-99', 'bytes=100-', 'bytes=-100', `bytes=0-${CONTENT_BYTES - 2}`]) {
      const { status, isComplete } = await ask(url, { range })
      assert.ok(!(status === 206 && isComplete), `${range} ended with ${status}`)
    }
    world.upstream.behave()
    const { status, bytes, isComplete } = await ask(url, { range: 'bytes=0-99' })
    assert.deepEqual([status, bytes.length, isComplete], [206, 100, true])
  })

  test('another hash than the file has', async () => {
    const { added, name, filename } = addFile(world, 'lied', { sha256: 'ab'.repeat(32) })
    assert.equal(outcomeOf(await ask(await fileUrl(world, name, filename)), added), 'broken')
    await nothingIsKept(world, filename, added)
  })

  test('metadata other than announced', async () => {
    const { filename, bytes } = wheel({ name: 'told', version: '1.0' })
    const added = world.upstream.add('told', {
      filename,
      bytes,
      metadata: 'Metadata-Version: 2.1\nName: told\nVersion: 1.0\n',
      lies: { metadataSha256: 'cd'.repeat(32) },
    })
    const reply = await ask(`${await fileUrl(world, 'told', filename)}.metadata`)
    assert.equal(reply.status, 502)
    await nothingIsKept(world, filename, added)
  })

  test('an empty file is a file', async () => {
    const added = world.upstream.add('empty', { filename: 'empty-1.0.tar.gz', bytes: '' })
    const reply = await ask(await fileUrl(world, 'empty', 'empty-1.0.tar.gz'))
    assert.equal(outcomeOf(reply, added), 'right')
  })

  test('a file of one byte that is the wrong one', async () => {
    const added = world.upstream.add('one', { filename: 'one-1.0.tar.gz', bytes: 'x' })
    world.upstream.misbehave(added.path, { kind: 'wrong-bytes' })
    assert.equal(outcomeOf(await ask(await fileUrl(world, 'one', 'one-1.0.tar.gz')), added), 'refused')
    await nothingIsKept(world, 'one-1.0.tar.gz', added)
  })
})

describe('many clients at once', () => {
  let world: World
  before(async () => {
    world = await startWorld({})
  })
  after(() => stopWorld(world))

  for (const behaviour of [{ kind: 'wrong-bytes' }, { kind: 'cut' }, { kind: 'status', status: 500 }] as const) {
    test(`8 clients ask for a file that arrives with ${behaviour.kind}: none gets one, and then all do`, async () => {
      const { added, name, filename } = addFile(world, `eight-${behaviour.kind}`)
      const url = await fileUrl(world, name, filename)
      world.upstream.misbehave(added.path, behaviour)
      const bad = await Promise.all(Array.from({ length: 8 }, () => ask(url)))
      for (const reply of bad) assert.notEqual(outcomeOf(reply, added), 'right')
      await nothingIsKept(world, filename, added)
      world.upstream.behave()
      const good = await Promise.all(Array.from({ length: 8 }, () => ask(url)))
      for (const reply of good) assert.equal(outcomeOf(reply, added), 'right')
    })
  }

  test('64 clients ask for one file that is not here yet: upstream is asked once', async () => {
    const { added, name, filename } = addFile(world, 'sixtyfour')
    const url = await fileUrl(world, name, filename)
    world.upstream.misbehave(added.path, { kind: 'slow', ms: 300 })
    const replies = await Promise.all(Array.from({ length: 64 }, () => ask(url)))
    for (const reply of replies) assert.equal(outcomeOf(reply, added), 'right')
    assert.equal(world.upstream.count(added.path), 1)
  })

  test('64 clients ask for one project that is not here yet: upstream is asked once', async () => {
    addFile(world, 'crowd')
    world.upstream.misbehave('/simple/crowd/', { kind: 'slow', ms: 300 })
    const url = `${world.server.url}/root/pypi/+simple/crowd/`
    const replies = await Promise.all(Array.from({ length: 64 }, () => ask(url, { accept: JSON_TYPE })))
    for (const reply of replies) assert.equal(filenames(reply).length, 1)
    assert.equal(world.upstream.count('/simple/crowd/'), 1)
  })

  test('a client that goes away does not take the file from the others', async () => {
    const { added, name, filename } = addFile(world, 'leaver')
    const url = await fileUrl(world, name, filename)
    world.upstream.misbehave(added.path, { kind: 'trickle', bytesPerSecond: CONTENT_BYTES })
    const stop = new AbortController()
    const leaving = fetch(url, { signal: stop.signal }).then((response) => response.bytes())
    const staying = ask(url)
    await delay(200)
    stop.abort()
    await assert.rejects(leaving)
    assert.equal(outcomeOf(await staying, added), 'right')
  })
})

const PAGE_CASES = CASES.filter(({ behaviour }) => behaviour.kind !== 'status' || behaviour.status !== 404)

for (const [how, settings] of [
  ['JSON', {}],
  ['HTML', { json: false }],
] as const satisfies readonly [string, Partial<FakeSettings>][]) {
  describe(`a project page in ${how}`, () => {
    let world: World
    before(async () => {
      // Every page is old at once, so that each request asks upstream.
      world = await startWorld(settings, { mirror_cache_expiry: 0 })
    })
    after(() => stopWorld(world))

    for (const [at, { fault, behaviour }] of PAGE_CASES.entries()) {
      test(`${fault}: neither "no such project" nor an empty page, healed by the next good answer`, async () => {
        const { name, filename } = addFile(world, `new${at}`)
        const path = `/simple/${name}/`
        const page = `${world.server.url}/root/pypi/+simple/${name}/`
        const to = behaviour.kind === 'redirect' && behaviour.to === '/other' ? otherPath(world) : undefined
        world.upstream.misbehave(path, to === undefined ? behaviour : { kind: 'redirect', to })
        for (const accept of [JSON_TYPE, 'text/html']) {
          const reply = await ask(page, { accept })
          assert.ok(reply.isComplete, `${reply.status} was not complete`)
          if (reply.status === 200) assert.match(reply.bytes.toString(), new RegExp(filename))
          else assert.match(String(reply.status), /^50[23]$/)
        }
        world.upstream.behave(path)
        await delay(5)
        assert.deepEqual(filenames(await ask(page, { accept: JSON_TYPE })), [filename])
      })

      test(`${fault}: the page known from before is served`, async () => {
        const { name, filename, added } = addFile(world, `known${at}`)
        const url = await fileUrl(world, name, filename)
        assert.equal(outcomeOf(await ask(url), added), 'right')
        const page = `${world.server.url}/root/pypi/+simple/${name}/`
        world.upstream.misbehave(`/simple/${name}/`, behaviour)
        if (behaviour.kind === 'redirect' && behaviour.to === '/other')
          world.upstream.misbehave(`/simple/${name}/`, { kind: 'redirect', to: otherPath(world) })
        assert.deepEqual(filenames(await ask(page, { accept: JSON_TYPE })), [filename])
        assert.equal(outcomeOf(await ask(url), added), 'right')
        world.upstream.behave()
      })
    }
  })
}

test('a file that upstream did not answer for once does not hide the files of other projects', async () => {
  const world = await startWorld({})
  try {
    const hanging = addFile(world, 'hanging')
    const other = addFile(world, 'bystander')
    const otherUrl = await fileUrl(world, other.name, other.filename)
    const url = await fileUrl(world, hanging.name, hanging.filename)
    world.upstream.misbehave(hanging.added.path, { kind: 'hang' })
    assert.equal(outcomeOf(await ask(url), hanging.added), 'refused')
    await delay(5)
    const page = `${world.server.url}/root/pypi/+simple/${other.name}/`
    assert.deepEqual(filenames(await ask(page, { accept: JSON_TYPE })), [other.filename])
    assert.equal(outcomeOf(await ask(otherUrl), other.added), 'right')
  } finally {
    await stopWorld(world)
  }
})

describe('the list of all projects', () => {
  for (const [how, settings] of [
    ['HTML', { projectList: true, generatedNames: 20_000 }],
    ['JSON', { projectList: true, generatedNames: 20_000, html: false }],
  ] as const satisfies readonly [string, Partial<FakeSettings>][]) {
    for (const behaviour of [
      { kind: 'cut', afterBytes: 100_000 },
      { kind: 'short', afterBytes: 100_000 },
      { kind: 'status', status: 500 },
      { kind: 'status', status: 404 },
      { kind: 'hang-body', afterBytes: 100_000 },
      { kind: 'login-page' },
      { kind: 'redirect-loop' },
    ] as const satisfies readonly Behaviour[]) {
      const { kind, ...details } = behaviour
      test(`${how} ${kind} ${Object.values(details).join('')}: never a shorter list`, async () => {
        const world = await startWorld(settings)
        try {
          world.upstream.misbehave('/simple/', behaviour)
          const list = `${world.server.url}/root/pypi/+simple/`
          const bad = await ask(list, { accept: JSON_TYPE })
          assert.match(String(bad.status), /^50[23]$/, bad.bytes.toString().slice(0, 200))
          await noLeftovers(world)
        } finally {
          await stopWorld(world)
        }
      })
    }
  }

  test('after a failure the list is fetched again', async () => {
    const upstream = await startFakeUpstream({ generatedNames: 1000 })
    const server = await startInProcess({
      flags: { upstream: upstream.url },
      limits: { ...LIMITS, backoffMostMs: 1 },
    })
    const world = { upstream, server }
    try {
      upstream.misbehave('/simple/', { kind: 'cut' }, { times: 1 })
      const list = `${server.url}/root/pypi/+simple/`
      assert.match(String((await ask(list, { accept: JSON_TYPE })).status), /^50[23]$/)
      await delay(5)
      const good = await ask(list, { accept: JSON_TYPE })
      assert.equal((JSON.parse(good.bytes.toString()) as { projects: unknown[] }).projects.length, 1000)
    } finally {
      await stopWorld(world)
    }
  })
})

function addFile(world: World, name: string, lies?: { readonly sizeBytes?: number; readonly sha256?: string }) {
  const filename = `${name.replaceAll('-', '_')}-1.0-py3-none-any.whl`
  const noise = Buffer.alloc(CONTENT_BYTES)
  for (let at = 0; at < CONTENT_BYTES; at += 8) noise.write(`${name}${at}`.slice(-8), at)
  const added = world.upstream.add(name, { filename, bytes: noise, ...(lies !== undefined && { lies }) })
  return { added, name, filename }
}

function otherPath({ upstream }: World): string {
  return upstream.add('somewhere-else', { filename: 'somewhere_else-1.0.tar.gz', bytes: 'something else' }).path
}

/** As a page of the server names it. */
async function fileUrl(world: World, project: string, filename: string): Promise<string> {
  const page = `${world.server.url}/root/pypi/+simple/${project}/`
  const reply = await ask(page, { accept: JSON_TYPE })
  assert.equal(reply.status, 200, reply.bytes.toString())
  const { files } = JSON.parse(reply.bytes.toString()) as { files: { filename: string; url: string }[] }
  const file = files.find((each) => each.filename === filename)
  assert.ok(file, `${filename} is not listed`)
  return new URL(file.url, page).href
}

function filenames(reply: Reply): string[] {
  assert.equal(reply.status, 200, reply.bytes.toString().slice(0, 300))
  return (JSON.parse(reply.bytes.toString()) as { files: { filename: string }[] }).files.map((file) => file.filename)
}

function outcomeOf(reply: Reply, file: AddedFile): 'right' | 'WRONG' | 'broken' | 'refused' {
  if (reply.status !== 200 && reply.status !== 0) return 'refused'
  if (reply.status === 0 || !reply.isComplete) return 'broken'
  return reply.sha256 === file.sha256 ? 'right' : 'WRONG'
}

async function rowsOf({ server }: World, filename: string) {
  return await server.stores.catalog.read(async (reader) => {
    const index = await indexAsWritten(reader, 'root/pypi')
    assert.ok(index)
    return await findFiles(reader, index, filename)
  })
}

async function nothingIsKept(world: World, filename: string, file: AddedFile): Promise<void> {
  assert.deepEqual(await rowsOf(world, filename), [])
  assert.equal(await world.server.stores.blobs.stat(file.sha256), undefined)
  await noLeftovers(world)
  // No blob of whatever other content, too: each has a row.
  for await (const { digest } of world.server.stores.blobs.list()) {
    const named = await world.server.stores.catalog.read(({ db }) =>
      db.selectFrom('files').select('id').where('digest', '=', digest).executeTakeFirst(),
    )
    assert.ok(named, `${digest} was kept without a row`)
  }
}

/** Drafts go when the last reader has gone, which may be a moment after the client saw the end. */
async function noLeftovers({ server }: World): Promise<void> {
  const folder = join(server.stores.folder.root, 'drafts')
  let found = await readdir(folder)
  for (let attempt = 0; attempt < 100 && found.length > 0; attempt++) {
    await delay(50)
    found = await readdir(folder)
  }
  assert.deepEqual(found, [])
}

async function isKept(world: World, filename: string, file: AddedFile): Promise<void> {
  const [row] = await rowsOf(world, filename)
  assert.equal(row?.digest, file.sha256)
  assert.equal((await world.server.stores.blobs.stat(file.sha256))?.sizeBytes, file.sizeBytes)
  const asked = world.upstream.count(file.path)
  assert.equal(outcomeOf(await ask(await fileUrl(world, row.project, filename)), file), 'right')
  assert.equal(world.upstream.count(file.path), asked)
}
