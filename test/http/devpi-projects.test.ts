import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sdist, wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
const acme = { far: wheel({ name: 'acme', version: '9.0' }), near: wheel({ name: 'acme', version: '1.0' }) }
const only = wheel({ name: 'onlyfar', version: '1.0', requiresPython: '>=3.8' })
upstream.add('acme', acme.far)
upstream.add('onlyfar', { ...only, requiresPython: '>=3.8', yanked: 'old' })
upstream.add('secret', wheel({ name: 'secret', version: '99.0' }))
const lib = upstream.add('lib', wheel({ name: 'lib', version: '1.0' }))
const world = await startWorld({ upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream.close()
})
const { alice, stranger } = world
await alice.uploads(acme.near, 'alice/dev')
await alice.uploads(sdist({ name: 'acme', version: '1.0' }), 'alice/dev')
await alice.asks('/alice/child', { method: 'PUT', json: { bases: 'alice/dev' } })
await alice.uploads(wheel({ name: 'acme', version: '1.0', files: { 'acme/child': '1' } }), 'alice/child')
await alice.uploads(wheel({ name: 'acme', version: '2.0rc1' }), 'alice/child')

interface Link {
  readonly rel: string
  readonly href: string
  readonly hash_spec: string
  readonly hashes: Readonly<Record<string, string>>
  readonly log?: readonly { readonly what: string; readonly when: readonly number[]; readonly dst: string }[]
}
type Version = Readonly<Record<string, unknown>> & {
  readonly '+links'?: readonly Link[]
  readonly '+shadowing'?: readonly Version[]
}
async function versions(path: string): Promise<Record<string, Version>> {
  const answer = await stranger.asks(path, { accept: 'application/json' })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.json().type, 'projectconfig')
  return answer.json<{ result: Record<string, Version> }>().result
}

test('GET of a project gives its versions through the bases, what is hidden under +shadowing', async () => {
  const found = await versions('/alice/child/acme')
  assert.deepEqual(Object.keys(found).sort(), ['1.0', '2.0rc1'])
  const one = found['1.0']!
  assert.equal(one.name, 'acme')
  assert.equal(one['+links']!.length, 1)
  assert.match(one['+links']![0]!.href, /^http:\/\/localhost(:\d+)?\/alice\/child\/\+f\//)
  assert.equal(one['+shadowing']!.length, 1)
  assert.equal(one['+shadowing']![0]!['+links']!.length, 2)
})

test('GET of a project with ?ignore_bases and with final slash', async () => {
  assert.deepEqual(Object.keys(await versions('/alice/dev/acme/?ignore_bases=')), ['1.0'])
  // Known through the bases, and without a release of its own: devpi says so with an empty result.
  assert.deepEqual(await versions('/alice/child/onlyfar?ignore_bases='), {})
  const gone = await stranger.asks('/alice/child/nothing?ignore_bases=', { accept: 'application/json' })
  assert.equal(gone.status, 404)
})

test('links carry what clients read: rel, href, hashes and the history', async () => {
  const { '+links': links } = (await versions('/alice/dev/acme'))['1.0']!
  const link = links!.find((each) => each.href.endsWith('.whl'))!
  assert.equal(link.rel, 'releasefile')
  assert.equal(link.hash_spec, `sha256=${acme.near.sha256}`)
  assert.deepEqual(link.hashes, { sha256: acme.near.sha256 })
  assert.equal(link.log![0]!.what, 'upload')
  assert.equal(link.log![0]!.dst, 'alice/dev')
  assert.equal(link.log![0]!.when.length, 6)
  const answer = await stranger.asks(new URL(link.href).pathname)
  assert.ok(answer.bytes.equals(acme.near.bytes))
})

test("a mirror's versions are read from its page", async () => {
  const found = await versions('/alice/dev/onlyfar')
  const one = found['1.0']!
  assert.equal(one.requires_python, '>=3.8')
  assert.equal(one.yanked, 'old')
  assert.match(one['+links']![0]!.href, /\/root\/pypi\/\+f\//)
})

test('GET of a version, of latest, and of what is not there', async () => {
  const one = await stranger.asks('/alice/dev/acme/1.0', { accept: 'application/json' })
  assert.equal(one.json().type, 'versiondata')
  const latest = await stranger.asks('/alice/child/acme/latest', { accept: 'application/json' })
  assert.equal(latest.status, 200)
  for (const [path, message] of [
    ['/alice/dev/acme/7.0', 'The version 7.0 of project acme does not exist.'],
    ['/alice/dev/unheard/7.0', 'The version 7.0 of project unheard does not exist.'],
    ['/alice/dev/unheard', "no project 'unheard'"],
    ['/alice/none/acme', 'The stage alice/none could not be found.'],
  ] as const) {
    const answer = await stranger.asks(path, { accept: 'application/json' })
    assert.deepEqual([answer.status, answer.json().message], [404, message])
  }
})

test('GET under a name that is not normalized leads to the one that is', async () => {
  const answer = await stranger.asks('/alice/dev/ACME', { accept: 'application/json' })
  assert.equal(answer.status, 302)
  assert.equal(new URL(answer.headers.location!, 'http://localhost/alice/dev/ACME').pathname, '/alice/dev/acme')
})

test('a stage that knows a name keeps its mirrors from being asked', async () => {
  upstream.forgetRequests()
  await alice.registers('secret', '0.1', 'alice/dev')
  const page = await stranger.asks('/alice/child/+simple/secret/', { accept: 'application/vnd.pypi.simple.v1+json' })
  assert.deepEqual(page.json<{ files: unknown[] }>().files, [])
  assert.equal(upstream.count('/simple/secret*'), 0)
  await alice.asks('/alice/dev', { method: 'PATCH', json: ['mirror_whitelist=secret'] })
  const opened = await stranger.asks('/alice/dev/+simple/secret/', { accept: 'application/vnd.pypi.simple.v1+json' })
  assert.equal(opened.json<{ files: unknown[] }>().files.length, 1)
})

test("a mirror's file is fetched once and served from then on, with its metadata", async () => {
  const page = await stranger.asks('/alice/dev/+simple/lib/', { accept: 'application/vnd.pypi.simple.v1+json' })
  const url = new URL(
    page.json<{ files: { url: string }[] }>().files[0]!.url,
    'http://localhost/alice/dev/+simple/lib/',
  )
  const answers = await Promise.all(Array.from({ length: 8 }, () => stranger.asks(url.pathname)))
  for (const answer of answers) {
    assert.equal(answer.status, 200)
    assert.ok(answer.bytes.equals(wheel({ name: 'lib', version: '1.0' }).bytes))
  }
  assert.equal(upstream.count(lib.path), 1)
  await world.jobsDone()
  await upstream.pause()
  assert.equal((await stranger.asks(url.pathname)).status, 200)
  assert.match((await stranger.asks(`${url.pathname}.metadata`)).text, /^Metadata-Version/)
  await upstream.resume()
})

test("a mirror's page may be kept as long as upstream's own, and not at all while it is stale", async () => {
  const ask = () => stranger.asks('/root/pypi/+simple/onlyfar/', { accept: 'application/vnd.pypi.simple.v1+json' })
  const fresh = await ask()
  assert.equal(fresh.headers['cache-control'], 'max-age=600')
  assert.match(fresh.headers['x-pypi-last-serial'] ?? '', /^\d+$/)
  upstream.misbehave('/simple/onlyfar/', { kind: 'status', status: 500 })
  world.passes(1_800_000)
  const stale = await ask()
  assert.equal(stale.status, 200)
  assert.equal(stale.headers['cache-control'], 'max-age=0, must-revalidate, no-cache, no-store')
})
