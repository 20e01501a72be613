import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld, type World } from '../world/world.ts'

const SECRET = 'hush-hush'
const ACME = wheel({ name: 'acme', version: '1.0' })

let upstream: FakeUpstream
let world: World
let shown: string

before(async () => {
  upstream = await startFakeUpstream({ credentials: { user: 'me', password: SECRET }, links: 'separate' })
  upstream.add('acme', ACME)
  shown = upstream.url
  world = await startWorld({ upstream, settings: { may_mirror: 'alice' } })
  const mirror_url = upstream.url.replace('//', `//me:${SECRET}@`)
  const made = await world.alice.asks('/alice/mirror', { method: 'PUT', json: { type: 'mirror', mirror_url } })
  assert.equal(made.status, 200, made.text)
  assert.equal(made.json<{ result: { mirror_url: string } }>().result.mirror_url, shown)
})
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

async function install(): Promise<number> {
  const page = await world.stranger.asks('/alice/mirror/+simple/acme/', {
    accept: 'application/vnd.pypi.simple.v1+json',
  })
  if (page.status !== 200) return page.status
  const [file] = page.json<{ files: { url: string }[] }>().files
  const path = new URL(file!.url, 'http://x/alice/mirror/+simple/acme/').pathname
  return (await world.stranger.asks(path)).status
}

test('the password in mirror_url is shown to nobody, and in nothing that is logged', async () => {
  assert.equal(await install(), 200)
  upstream.misbehave('/simple/acme/', { kind: 'status', status: 403 })
  await world.root.asks('/alice/mirror/acme/refresh', { method: 'POST' })
  upstream.behave()
  await world.jobsDone()
  const told: string[] = []
  for (const person of [world.alice, world.root, world.stranger]) {
    for (const path of [
      '/',
      '/alice',
      '/alice/mirror',
      '/alice/mirror?no_projects=',
      '/alice/mirror/acme',
      '/alice/mirror/acme/1.0',
      '/alice/mirror/+api',
      '/+status',
      '/+metrics',
    ]) {
      for (const accept of ['application/json', 'text/html']) {
        const answer = await person.asks(path, { accept })
        told.push(`${path} ${accept} ${JSON.stringify(answer.headers)} ${answer.text}`)
      }
    }
  }
  told.push(...world.logged.map((line) => JSON.stringify(line)))
  for (const each of told) assert.doesNotMatch(each, /hush/, each)
  const rows = await world.server.stores.catalog.read(({ db }) =>
    Promise.all([db.selectFrom('journal').selectAll().execute(), db.selectFrom('jobs').selectAll().execute()]),
  )
  assert.doesNotMatch(JSON.stringify(rows), /hush/)
})

test('only the index host sees the password', async () => {
  assert.ok(upstream.requests.some(({ host }) => host === 'files'))
  for (const { host, path, headers } of upstream.requests) {
    if (host === 'files') assert.equal(headers.authorization, undefined, path)
  }
})

test('what was shown can be sent back, and the password stays; another address loses it', async () => {
  for (const change of [
    { mirror_url: shown, title: 'x' },
    [`mirror_url=${shown}`, 'title=y'],
    { mirror_url: shown.slice(0, -1) },
  ]) {
    const changed = await world.alice.asks('/alice/mirror', { method: 'PATCH', json: change })
    assert.equal(changed.status, 200, changed.text)
    assert.doesNotMatch(changed.text, /hush/)
    world.passes(3600_000)
    assert.equal(await install(), 200)
  }
  await world.alice.asks('/alice/mirror', { method: 'PATCH', json: { mirror_url: `${shown}else/` } })
  await world.alice.asks('/alice/mirror', { method: 'PATCH', json: { mirror_url: shown } })
  upstream.forgetRequests()
  await world.stranger.asks('/alice/mirror/+simple/other/')
  for (const { headers } of upstream.requests) assert.equal(headers.authorization, undefined)
})

test('the server folder has the password in the catalog and in no other file', async () => {
  for (const entry of await readdir(world.folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('catalog.db')) continue
    assert.doesNotMatch((await readFile(join(entry.parentPath, entry.name))).toString('latin1'), /hush/, entry.name)
  }
})
