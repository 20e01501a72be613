/** The public index's own addresses: `simple/`, `packages/` and `/legacy/`, beside devpi's, which stay what they are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Answer, startWorld } from '../world/world.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const ACME = wheel({ name: 'acme', version: '1.0' })
const OWN_PATH = `${ACME.sha256.slice(0, 2)}/${ACME.sha256.slice(2, 4)}/${ACME.sha256.slice(4)}/${ACME.filename}`

interface Page {
  readonly files: readonly { readonly filename: string; readonly url: string }[]
}

/** Where the page's link to the file leads, from the root. */
function linked(answer: Answer, page: string, filename: string): string {
  assert.equal(answer.status, 200, answer.text)
  const file = answer.json<Page>().files.find((each) => each.filename === filename)!
  return new URL(file.url, `http://server${page}`).pathname
}

test('simple/ lists and shows what +simple/ does, with links to packages/', async () => {
  await using world = await startWorld()
  await world.alice.uploads(ACME, 'alice/dev')
  const { stranger } = world
  for (const [path, same] of [
    ['/alice/dev/simple/', '/alice/dev/+simple/'],
    ['/alice/dev/simple/acme/', undefined],
  ] as const) {
    const answer = await stranger.asks(path, { accept: JSON_TYPE })
    assert.equal(answer.status, 200)
    if (same !== undefined) assert.equal(answer.text, (await stranger.asks(same, { accept: JSON_TYPE })).text)
  }
  const page = '/alice/dev/simple/acme/'
  const address = linked(await stranger.asks(page, { accept: JSON_TYPE }), page, ACME.filename)
  assert.equal(address, `/alice/dev/packages/${OWN_PATH}`)
  const moved = await stranger.asks('/alice/dev/simple/ACME', { accept: JSON_TYPE })
  assert.deepEqual([moved.status, moved.headers.location], [302, '../../../alice/dev/simple/acme/'])
  const bare = await stranger.asks('/alice/dev/simple', { accept: JSON_TYPE })
  assert.deepEqual([bare.status, bare.headers.location], [302, 'simple/'])
})

test('a file under packages/ is the one under +f/, with ranges, tags, HEAD and metadata', async () => {
  await using world = await startWorld()
  await world.alice.uploads(ACME, 'alice/dev')
  await world.jobsDone()
  const digest = ACME.sha256
  const devpis = `/alice/dev/+f/${digest.slice(0, 3)}/${digest.slice(3, 16)}/${ACME.filename}`
  for (const path of [`/alice/dev/packages/${OWN_PATH}`, `/packages/alice/dev/${OWN_PATH}`]) {
    for (const [suffix, headers, method] of [
      ['', {}, 'GET'],
      ['', {}, 'HEAD'],
      ['', { range: 'bytes=5-20' }, 'GET'],
      ['', { 'if-none-match': `"${digest}"` }, 'GET'],
      ['.metadata', {}, 'GET'],
    ] as const) {
      const [answer, same] = await Promise.all(
        [path, devpis].map((each) => world.stranger.asks(`${each}${suffix}`, { headers, method })),
      )
      assert.equal(answer!.status, same!.status, path)
      assert.ok(answer!.status < 400, answer!.text)
      assert.deepEqual(answer!.bytes, same!.bytes)
      for (const name of ['etag', 'content-length', 'content-range', 'cache-control', 'content-type']) {
        assert.equal(answer!.headers[name], same!.headers[name], name)
      }
    }
  }
  const other = OWN_PATH.replace(ACME.filename, 'acme-2.0-py3-none-any.whl')
  assert.equal((await world.stranger.asks(`/alice/dev/packages/${other}`)).status, 404)
  assert.equal((await world.stranger.asks(`/alice/dev/packages/00/${OWN_PATH.slice(3)}`)).status, 404)
  await world.alice.asks('/alice/dev/acme/1.0', { method: 'DELETE' })
  assert.equal((await world.stranger.asks(`/alice/dev/packages/${OWN_PATH}`)).status, 410)
})

test("a mirror's files keep upstream's own path, through a chain and on the default index", async () => {
  await using upstream = await startFakeUpstream()
  const file = upstream.add('flask', wheel({ name: 'flask', version: '3.0' }))
  await using world = await startWorld({ upstream, settings: { default_index: 'alice/dev' } })
  await world.alice.uploads(ACME, 'alice/dev')
  for (const [page, place] of [
    ['/root/pypi/simple/flask/', '/root/pypi'],
    ['/alice/dev/simple/flask/', '/alice/dev'],
    ['/simple/flask/', ''],
  ] as const) {
    const address = linked(await world.stranger.asks(page, { accept: JSON_TYPE }), page, 'flask-3.0-py3-none-any.whl')
    assert.equal(address, place + file.path)
    const answer = await world.stranger.asks(address)
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.bytes, wheel({ name: 'flask', version: '3.0' }).bytes)
  }
  assert.equal((await world.stranger.asks(`/packages/${OWN_PATH}`)).status, 200)
  assert.equal((await world.stranger.asks(`/root/pypi/packages/${OWN_PATH}`)).status, 404)
})

test('a name that a stage keeps from mirrors is not looked for there by its path', async () => {
  await using upstream = await startFakeUpstream()
  const evil = upstream.add('acme', wheel({ name: 'acme', version: '99.0' }))
  await using world = await startWorld({ upstream })
  await world.alice.uploads(ACME, 'alice/dev')
  assert.equal((await world.stranger.asks(`/alice/dev${evil.path}`)).status, 404)
  assert.equal(upstream.count('/simple/acme/'), 0)
})

test('who may not read an index gets nothing from its other addresses', async () => {
  await using world = await startWorld({ settings: { default_index: 'alice/dev' } })
  await world.alice.uploads(ACME, 'alice/dev')
  const changed = await world.alice.asks('/alice/dev', { method: 'PATCH', json: ['acl_pkg_read=alice'] })
  assert.equal(changed.status, 200, changed.text)
  for (const path of [
    '/alice/dev/simple/',
    '/alice/dev/simple/acme/',
    `/alice/dev/packages/${OWN_PATH}`,
    `/packages/alice/dev/${OWN_PATH}`,
    `/packages/${OWN_PATH}`,
    '/simple/',
    '/simple/acme/',
    '/alice/dev/pypi/acme/json',
    '/pypi/acme/1.0/json',
  ]) {
    assert.match(String((await world.stranger.asks(path)).status), /^40[13]$/, path)
    assert.equal((await world.alice.asks(path)).status, 200, path)
  }
})

test('/legacy/ uploads to the default index, /legacy sends on there, and a mirror refuses as ever', async () => {
  const send = (path: string) => {
    const parts = fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' })
    const form = multipart([...parts, { name: 'content', filename: ACME.filename, content: ACME.bytes }])
    return { path, ask: { method: 'POST', body: form.body, headers: { 'content-type': form.contentType } } }
  }
  await using world = await startWorld({ settings: { default_index: 'alice/dev' } })
  const { path, ask } = send('/legacy')
  const moved = await world.alice.asks(path, ask)
  assert.deepEqual([moved.status, moved.headers.location], [308, 'legacy/'])
  assert.equal((await world.alice.asks('/legacy/', ask)).status, 200)
  assert.equal((await world.stranger.asks('/simple/acme/')).status, 200)
  await using upstream = await startFakeUpstream()
  await using other = await startWorld({ upstream })
  const refused = await other.root.asks('/legacy/', ask)
  assert.equal(refused.status, 404)
  assert.match(refused.reason, /cannot submit to mirror index/)
})

test('no new user takes the name of such an address', async () => {
  await using world = await startWorld()
  for (const name of ['simple', 'legacy', 'pypi', 'packages']) {
    const answer = await world.root.asks(`/${name}`, { method: 'PUT', json: { password: 'secret' } })
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.text, /kept for the address/)
  }
})

test('a project called simple keeps its addresses for devpi and for people', async () => {
  await using world = await startWorld()
  await world.alice.uploads(sdist({ name: 'simple', version: '1.0' }), 'alice/dev')
  const devpis = await world.stranger.asks('/alice/dev/simple', { accept: 'application/json' })
  assert.equal(devpis.json<{ type: string }>().type, 'projectconfig')
  const version = await world.stranger.asks('/alice/dev/simple/1.0', { accept: 'application/json' })
  assert.equal(version.json<{ type: string }>().type, 'versiondata')
  assert.match((await world.stranger.asks('/alice/dev/simple', { accept: 'text/html' })).text, /<h1/)
  const installers = await world.stranger.asks('/alice/dev/simple/', { accept: JSON_TYPE })
  assert.deepEqual(
    installers.json<{ projects: { name: string }[] }>().projects.map((each) => each.name),
    ['simple'],
  )
  assert.equal((await world.stranger.asks('/alice/dev/simple/simple/', { accept: JSON_TYPE })).status, 200)
})
