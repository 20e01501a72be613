/** The status of a stage's project (PEP 792): what each forbids, who sets it, and what a chain makes of it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { changesSince } from '../../src/catalog/journal.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Answer, type Person, startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
const world = await startWorld({ upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice, root, stranger } = world
const bob = await world.person('bob')
const JSON_PAGE = { accept: 'application/vnd.pypi.simple.v1+json' }

interface Page {
  'project-status'?: { status: string; reason?: string }
  files: { filename: string; url: string }[]
  versions: string[]
}

let made = 0
/** A new index with one file of a project of its own name, and nothing below it. */
async function given(options: Record<string, unknown> = {}) {
  const project = `thing${made++}`
  const index = `alice/${project}`
  assert.equal((await alice.asks(`/${index}`, { method: 'PUT', json: { bases: [], ...options } })).status, 200)
  const file = wheel({ name: project, version: '1.0', summary: 'Something' })
  assert.equal((await alice.uploads(file, index)).status, 200)
  return { project, index, file }
}
const set = (index: string, project: string, json: unknown, who: Person = alice) =>
  who.asks(`/${index}/+status/${project}`, { method: 'PUT', json, accept: 'application/json' })
const tell = (answer: Answer) => [answer.status, answer.json<{ message?: string }>().message]
const pageOf = async (index: string, project: string) =>
  (await stranger.asks(`/${index}/+simple/${project}/`, JSON_PAGE)).json<Page>()
const names = async (index: string) => {
  const list = (await stranger.asks(`/${index}/+simple/`, JSON_PAGE)).json<{ projects: { name: string }[] }>()
  return list.projects.map((each) => each.name)
}
const human = async (path: string) => (await stranger.asks(path, { accept: 'text/html' })).text
const newer = (project: string) => wheel({ name: project, version: '2.0' })

test('PUT +status sets a status with its reason, GET tells it, and both representations carry it', async () => {
  const { project, index } = await given({ volatile: false })
  const status = async () =>
    (await stranger.asks(`/${index}/+status/${project}`)).json<{ result: object; type: string }>()
  assert.deepEqual(await status(), { result: { project, status: 'active' }, type: 'projectstatus' })
  assert.equal((await pageOf(index, project))['project-status'], undefined)
  const serial = await world.server.stores.catalog.latestSerial()
  const answer = await set(index, project, { status: 'deprecated', reason: 'use <other>' })
  assert.deepEqual(tell(answer), [200, `${project} is deprecated now`])
  assert.deepEqual((await status()).result, { project, status: 'deprecated', reason: 'use <other>' })
  assert.deepEqual((await pageOf(index, project))['project-status'], { status: 'deprecated', reason: 'use <other>' })
  const html = await human(`/${index}/+simple/${project}/`)
  assert.match(html, /<meta name="pypi:project-status" content="deprecated">/)
  assert.match(html, /<meta name="pypi:project-status-reason" content="use &lt;other&gt;">/)
  const [entry] = await world.server.stores.catalog.read((reader) => changesSince(reader, serial, 10))
  assert.deepEqual(entry!.changes, [{ what: 'project', how: 'restated', index, project, status: 'deprecated' }])
  assert.deepEqual(tell(await set(index, project, { status: 'deprecated', reason: 'use <other>' })), [
    200,
    `${project} was deprecated already`,
  ])
  assert.equal(await world.server.stores.catalog.latestSerial(), serial + 1)
  await set(index, project, { status: 'deprecated' })
  assert.deepEqual((await status()).result, { project, status: 'deprecated' })
})

for (const status of ['archived', 'quarantined'] as const) {
  test(`a project that is ${status} takes no file, registration, documentation or push, until it is active`, async () => {
    const { project, index } = await given()
    const other = await given()
    await alice.uploads(newer(project), other.index)
    await set(index, project, { status, reason: 'moved' })
    const serial = await world.server.stores.catalog.latestSerial()
    const said = `Cannot upload to ${project}: it is ${status} on ${index} (moved). To change that: airlock status ${project} active --index ${index}`
    const documentation = multipart([
      ...fieldParts({ ':action': 'doc_upload', name: project, version: '1.0' }),
      { name: 'content', filename: `${project}.zip`, content: Buffer.alloc(0) },
    ])
    const push = { name: project, version: '2.0', targetindex: index }
    const refused = {
      upload: await alice.uploads(newer(project), index),
      same: await alice.uploads(wheel({ name: project, version: '1.0', summary: 'Something' }), index),
      registration: await alice.registers(project, '3.0', index),
      documentation: await alice.asks(`/${index}/`, {
        body: documentation.body,
        headers: { 'content-type': documentation.contentType },
      }),
      push: await alice.asks(`/${other.index}`, { json: push, accept: 'application/json' }),
    }
    for (const [what, answer] of Object.entries(refused)) {
      assert.equal(answer.status, 403, what)
      assert.ok(answer.text.includes(said), what)
      if (what !== 'push') assert.equal(answer.reason, said)
    }
    assert.equal(await world.server.stores.catalog.latestSerial(), serial)
    assert.deepEqual(await world.drafts(), [])
    await set(index, project, { status: 'active' })
    assert.equal((await alice.uploads(newer(project), index)).status, 200)
  })
}

for (const status of ['archived', 'deprecated', 'active'] as const) {
  test(`a project that is ${status} is listed and delivered as before`, async () => {
    const { project, index, file } = await given()
    await set(index, project, { status })
    assert.deepEqual(await names(index), [project])
    const page = await pageOf(index, project)
    assert.deepEqual([page.files.map((each) => each.filename), page['project-status']], [[file.filename], { status }])
    assert.equal(
      (await stranger.asks(`/${index}/+simple/${project}/${page.files[0]!.url}`.replace('%2B', '+'))).status,
      200,
    )
    assert.equal((await alice.uploads(newer(project), index)).status, status === 'archived' ? 403 : 200)
  })
}

test('a quarantined project is on no list, its page is empty, and its files answer 403, with and without cache', async () => {
  const { project, index } = await given()
  const address = new URL((await pageOf(index, project)).files[0]!.url, `http://x/${index}/+simple/${project}/`)
    .pathname
  await set(index, project, { status: 'quarantined', reason: 'malware' })
  const page = await pageOf(index, project)
  assert.deepEqual([page.files, page['project-status']], [[], { status: 'quarantined', reason: 'malware' }])
  assert.doesNotMatch(await human(`/${index}/+simple/${project}/`), /<a /)
  assert.deepEqual(await names(index), [])
  for (const path of [address, `${address}.metadata`]) {
    const refused = await stranger.asks(path, { accept: 'application/problem+json' })
    assert.deepEqual([refused.status, refused.json().code], [403, 'file-withheld'], path)
    assert.match(refused.text, new RegExp(`${project} is quarantined on ${index}`))
  }
  const push = { name: project, version: '1.0', targetindex: 'alice/dev' }
  assert.match((await alice.asks(`/${index}`, { json: push })).text, /Cannot push .* it is quarantined/)
  const data = await stranger.asks(`/${index}/${project}`, { accept: 'application/json' })
  assert.deepEqual(Object.keys(data.json<{ result: object }>().result), ['1.0'])
  assert.doesNotMatch(data.text, /releasefile/)
  await set(index, project, { status: 'active' })
  assert.deepEqual(await names(index), [project])
  assert.equal((await stranger.asks(address)).status, 200)
})

test('pages for people and the search say what a project is', async () => {
  const { project, index } = await given()
  await set(index, project, { status: 'quarantined', reason: 'a <b>reason</b>' })
  for (const path of [`/${index}/${project}`, `/${index}/${project}/1.0`]) {
    assert.match(await human(path), /This project is quarantined\.<\/strong>.*Reason: a &lt;b&gt;reason/, path)
  }
  for (const path of [`/${index}`, `/+search?query=${project}`]) {
    assert.match(await human(path), new RegExp(`>${project}</a>(.|\\n)*title="a &lt;b&gt;[^>]*>quarantined<`), path)
  }
  const found = (await stranger.asks(`/+search?query=${project}`, { accept: 'application/json' })).json<{
    result: { hits: { status: object }[] }
  }>()
  assert.deepEqual(found.result.hits[0]!.status, { status: 'quarantined', reason: 'a <b>reason</b>' })
})

for (const [what, json, status, message] of [
  ['no status', { reason: 'x' }, 400, /"status" is active, archived, quarantined or deprecated/],
  ['an unknown status', { status: 'gone' }, 400, /"status" is active/],
  ['an unknown key', { status: 'active', why: 'x' }, 400, /"why" is not known, send "status" and "reason"/],
  ['a reason of two lines', { status: 'active', reason: 'a\u2028b' }, 400, /control character/],
  ['no object', 'active', 400, /could not decode json/],
] as const) {
  test(`PUT +status refuses ${what} with ${status}`, async () => {
    const answer = await set('alice/dev', 'thing0', json)
    assert.equal(answer.status, status)
    assert.match(String(tell(answer)[1]), message)
  })
}

test('PUT +status is for who may delete from a stage that has the project itself', async () => {
  const { project, index } = await given({ acl_upload: ['alice'] })
  const json = { status: 'archived' }
  assert.equal((await set(index, project, json, stranger)).status, 401)
  assert.deepEqual(tell(await set(index, project, json, bob)), [
    403,
    `no permission to set the status of a project of ${index}`,
  ])
  assert.deepEqual(tell(await set(index, 'other', json)), [404, `The project other is not on ${index} itself`])
  assert.deepEqual(tell(await set('alice/none', project, json)), [404, 'The stage alice/none could not be found.'])
  assert.match(String(tell(await set('root/pypi', project, json, root))), /^404,.*its upstream sets it/)
  assert.equal((await stranger.asks(`/${index}/+status/other`)).status, 404)
  assert.equal((await set(index, project, json, root)).status, 200)
})

test('a quarantined private project keeps its name from mirrors, and its bases from being offered through it', async () => {
  const { project, index } = await given({ bases: ['root/pypi'] })
  upstream.add(project, { filename: `${project}-9.0-py3-none-any.whl`, bytes: 'public' })
  await set(index, project, { status: 'quarantined' })
  assert.deepEqual((await pageOf(index, project)).files, [])
  assert.ok(!upstream.requests.some((request) => request.path.includes(project)))
  const above = `alice/above${project}`
  await alice.asks(`/${above}`, { method: 'PUT', json: { bases: [index] } })
  assert.equal((await alice.uploads(newer(project), above)).status, 200)
  const through = await pageOf(above, project)
  assert.deepEqual([through.files, through['project-status']?.status], [[], 'quarantined'])
  await set(above, project, { status: 'active' })
  assert.deepEqual(
    (await pageOf(above, project)).files.map((file) => file.filename),
    [newer(project).filename],
  )
})

test('an upstream’s status comes through a mirror and a chain, and a stage’s own goes before it', async () => {
  const { project, index, file } = await given({ bases: ['root/pypi'], mirror_whitelist: ['*'] })
  upstream.add('elsewhere', { filename: 'elsewhere-1.0-py3-none-any.whl', bytes: 'x' })
  for (const status of ['archived', 'deprecated', 'quarantined', 'active']) {
    upstream.setStatus('elsewhere', status, 'so')
    world.passes(3_600_000)
    for (const each of ['root/pypi', index]) {
      const page = await pageOf(each, 'elsewhere')
      assert.equal(page['project-status']?.status ?? 'active', status, `${status} ${each}`)
      assert.equal(page.files.length, status === 'quarantined' ? 0 : 1)
    }
  }
  upstream.add(project, { filename: `${project}-9.0-py3-none-any.whl`, bytes: 'public' })
  upstream.setStatus(project, 'archived')
  world.passes(3_600_000)
  assert.equal((await pageOf(index, project))['project-status']?.status, 'archived')
  await set(index, project, { status: 'deprecated' })
  assert.deepEqual((await pageOf(index, project))['project-status'], { status: 'deprecated' })
  await set(index, project, { status: 'quarantined' })
  assert.deepEqual((await pageOf(index, project)).files, [])
  await set(index, project, { status: 'active' })
  upstream.setStatus(project, 'quarantined')
  world.passes(3_600_000)
  const page = await pageOf(index, project)
  assert.deepEqual(
    [page.files.map((each) => each.filename), page['project-status']],
    [[file.filename], { status: 'active' }],
  )
})
