/** The older JSON API and the change numbers that mirroring tools go by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sdist, wheel } from '../builders/wheels.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Answer, type Person, startWorld, type World } from '../world/world.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const DAY_MS = 86_400_000

interface JsonFile {
  readonly filename: string
  readonly url: string
  readonly [key: string]: unknown
}
interface Page {
  readonly info: Readonly<Record<string, unknown>>
  readonly last_serial: number
  readonly releases?: Readonly<Record<string, readonly JsonFile[]>>
  readonly urls: readonly JsonFile[]
}
interface List {
  readonly meta: { readonly '_last-serial': number }
  readonly projects: readonly { readonly name: string; readonly '_last-serial': number }[]
}

function stampOf(answer: Answer): number {
  assert.equal(answer.status, 200, answer.text)
  return Number(answer.headers['x-pypi-last-serial'])
}

async function listed(person: Person, index: string): Promise<Map<string, number>> {
  const answer = await person.asks(`/${index}/+simple/`, { accept: JSON_TYPE })
  const { projects } = answer.json<List>()
  return new Map(projects.map((each) => [each.name, each['_last-serial']]))
}

/** The rule of mirroring tools: a page is at least as new as the list says, whichever page it is. */
async function checkPages(person: Person, index: string): Promise<Map<string, number>> {
  const list = await listed(person, index)
  for (const [name, serial] of list) {
    assert.ok(Number.isSafeInteger(serial) && serial > 0, `${name}: ${serial}`)
    for (const path of [`/${index}/+simple/${name}/`, `/${index}/pypi/${name}/json`]) {
      const told = stampOf(await person.asks(path, { accept: path.endsWith('json') ? '*/*' : JSON_TYPE }))
      assert.ok(told >= serial, `${path}: ${told} is older than ${serial}`)
    }
  }
  return list
}

async function listIsNew(world: World, upstream: FakeUpstream): Promise<void> {
  const before = upstream.count('/simple/')
  world.passes(DAY_MS)
  await world.stranger.asks('/root/pypi/+simple/')
  const told = () => world.logged.length
  for (let attempt = 0; upstream.count('/simple/') === before && attempt < 400; attempt++) await delay(25)
  for (let seen = -1; seen !== told(); ) {
    seen = told()
    await delay(300)
  }
}

test('a project and a release have the keys of the public index', async () => {
  await using world = await startWorld()
  const options = { name: 'acme', summary: 'Tools', requiresPython: '>=3.9', requiresDist: ['attrs'] }
  const newest = wheel({ ...options, version: '1.1', description: 'Long', descriptionContentType: 'text/markdown' })
  for (const file of [wheel({ ...options, version: '1.0' }), newest, wheel({ ...options, version: '2.0a1' })]) {
    assert.equal((await world.alice.uploads(file, 'alice/dev')).status, 200)
  }
  await world.alice.uploads(sdist({ ...options, version: '1.0' }), 'alice/dev')
  await world.jobsDone()
  const answer = await world.stranger.asks('/alice/dev/pypi/acme/json/', { headers: { host: 'airlock:3141' } })
  assert.equal(answer.headers['content-type'], 'application/json')
  const page = answer.json<Page>()
  assert.deepEqual(Object.keys(page).sort(), [
    ...['info', 'last_serial', 'ownership', 'releases', 'urls', 'vulnerabilities'],
  ])
  assert.equal(page.last_serial, stampOf(answer))
  const { info } = page
  assert.deepEqual(
    [info.name, info.version, info.summary, info.requires_python, info.requires_dist, info.description_content_type],
    ['acme', '1.1', 'Tools', '>=3.9', ['attrs'], 'text/markdown'],
  )
  assert.deepEqual(
    [info.yanked, info.yanked_reason, info.package_url],
    [false, null, 'http://airlock:3141/alice/dev/acme'],
  )
  const { releases } = page
  assert.deepEqual(Object.keys(releases!).sort(), ['1.0', '1.1', '2.0a1'])
  assert.deepEqual(releases!['1.0']!.map((file) => file.packagetype).sort(), ['bdist_wheel', 'sdist'])
  const [file] = page.urls
  const digest = newest.sha256
  assert.equal(
    file!.url,
    `http://airlock:3141/packages/alice/dev/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4)}/${newest.filename}`,
  )
  assert.deepEqual([file!.digests, file!.size, file!.python_version], [{ sha256: digest }, newest.bytes.length, 'py3'])
  assert.match(String(file!.upload_time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  assert.match(String(file!.upload_time_iso_8601), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  assert.ok(typeof file!['core-metadata'] === 'object')

  const release = (await world.stranger.asks('/alice/dev/pypi/acme/1.0/json')).json<Page>()
  assert.equal(release.releases, undefined)
  assert.deepEqual([release.info.version, release.urls.length], ['1.0', 2])
  const other = await world.stranger.asks('/alice/dev/pypi/Ac_me/1.0/json')
  assert.deepEqual([other.status, other.headers.location], [301, '../../../../../alice/dev/pypi/ac-me/1.0/json'])
  for (const path of ['nothing/json', 'acme/9.9/json']) {
    assert.equal((await world.stranger.asks(`/alice/dev/pypi/${path}`)).status, 404)
  }
  const tag = { 'if-none-match': answer.headers.etag!, host: 'airlock:3141' }
  assert.equal((await world.stranger.asks('/alice/dev/pypi/acme/json', { headers: tag })).status, 304)
})

test("a mirror's project is told from its page and its wheel's metadata, and while upstream is gone from what is here", async () => {
  await using upstream = await startFakeUpstream()
  const built = wheel({ name: 'flask', version: '3.0', summary: 'Web' })
  const metadata = 'Metadata-Version: 2.1\nName: flask\nVersion: 3.0\nSummary: Web\n'
  upstream.add('flask', { ...built, metadata })
  await using world = await startWorld({ upstream })
  const page = (await world.stranger.asks('/pypi/flask/json')).json<Page>()
  assert.deepEqual([page.info.summary, page.info.version], ['Web', '3.0'])
  const path = new URL(page.urls[0]!.url).pathname
  assert.match(path, /^\/packages\/[0-9a-f]{2}\//)
  assert.deepEqual((await world.stranger.asks(path)).bytes, built.bytes)
  await world.jobsDone()
  await upstream.pause()
  world.passes(DAY_MS)
  const held = (await world.stranger.asks('/pypi/flask/json')).json<Page>()
  assert.deepEqual([held.info.summary, held.urls.map((file) => file.filename)], ['Web', [built.filename]])
  await upstream.resume()
})

test('every change of a stage raises the number of its project, and of no other', async () => {
  await using world = await startWorld()
  const { alice, stranger } = world
  await alice.uploads(wheel({ name: 'one', version: '1.0' }), 'alice/dev')
  await alice.uploads(wheel({ name: 'two', version: '1.0' }), 'alice/dev')
  await world.jobsDone()
  let before = await checkPages(stranger, 'alice/dev')
  for (const change of [
    () => alice.uploads(wheel({ name: 'one', version: '2.0' }), 'alice/dev'),
    () => alice.registers('one', '3.0', 'alice/dev'),
    () => alice.asks('/alice/dev/one/1.0', { method: 'DELETE' }),
  ]) {
    assert.ok((await change()).status < 300)
    await world.jobsDone()
    const now = await checkPages(stranger, 'alice/dev')
    const greatest = Math.max(...before.values())
    assert.ok(now.get('one')! > greatest, 'what has changed is above all that was there')
    assert.equal(now.get('two'), before.get('two'))
    before = now
  }
})

for (const serials of [true, false]) {
  test(`a mirror and a chain number what changes upstream, where upstream ${serials ? 'tells numbers' : 'tells none'}`, async () => {
    await using upstream = await startFakeUpstream({ serials })
    upstream.add('flask', wheel({ name: 'flask', version: '3.0' }))
    upstream.add('jinja2', wheel({ name: 'jinja2', version: '3.0' }))
    await using world = await startWorld({ upstream, limits: { tokenSeconds: 30 * 86_400 } })
    await world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')
    await world.alice.uploads(wheel({ name: 'jinja2', version: '1.0' }), 'alice/dev')
    const { stranger } = world
    const mirror = await checkPages(stranger, 'root/pypi')
    if (serials)
      assert.ok(
        [...mirror.values()].every((serial) => serial < 1_000_000),
        "upstream's own",
      )
    const chain = await checkPages(stranger, 'alice/dev')
    assert.deepEqual([...chain.keys()], ['acme', 'flask', 'jinja2'])
    const greatest = Math.max(...chain.values())

    upstream.add('flask', wheel({ name: 'flask', version: '3.1' }))
    await listIsNew(world, upstream)
    const after = await checkPages(stranger, 'alice/dev')
    assert.ok(after.get('flask')! > greatest)
    assert.equal(after.get('acme'), chain.get('acme'))
    const page = (await stranger.asks('/alice/dev/pypi/flask/json')).json<Page>()
    assert.deepEqual(Object.keys(page.releases!).sort(), ['3.0', '3.1'])
    await checkPages(stranger, 'root/pypi')
    await world.alice.uploads(wheel({ name: 'acme', version: '2.0' }), 'alice/dev')
    const last = await checkPages(stranger, 'alice/dev')
    assert.ok(last.get('acme')! > Math.max(...after.values()))
  })
}

test('a page that is younger than its life is asked for again when the list tells of a change', async () => {
  await using upstream = await startFakeUpstream()
  upstream.add('flask', wheel({ name: 'flask', version: '3.0' }))
  await using world = await startWorld({ upstream, settings: { mirror_cache_expiry: 3600 } })
  await checkPages(world.stranger, 'root/pypi')
  upstream.add('flask', wheel({ name: 'flask', version: '3.1' }))
  world.passes(3000_000)
  await world.stranger.asks('/root/pypi/+simple/flask/refresh', { method: 'POST' })
  upstream.add('flask', wheel({ name: 'flask', version: '3.2' }))
  await listIsNew(world, upstream)
  const page = await world.stranger.asks('/root/pypi/+simple/flask/', { accept: JSON_TYPE })
  assert.deepEqual(page.json<{ versions: string[] }>().versions.toSorted(), ['3.0', '3.1', '3.2'])
})
