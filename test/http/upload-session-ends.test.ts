/** Upload 2.0 (PEP 694): who comes first, what is left of a session, and its preview. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { listDropped } from '../../src/catalog/dropped-blobs.ts'
import { isBlobNamed } from '../../src/catalog/named-blobs.ts'
import { collectDropped } from '../../src/jobs/dropped.ts'
import { check } from '../../src/jobs/upkeep.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { LIMITS } from '../../src/model/limits.ts'
import {
  announces,
  does,
  type OpenedSession,
  opens,
  order,
  sends,
  sendsBytes,
  stages,
} from '../builders/upload-session.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { throwawaySigstore } from '../sigstore/throwaway.ts'
import { startInProcess } from '../trouble/in-process-server.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type ProgramRequest, programFetch } from '../world/program-fetch.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { startWorld } from '../world/world.ts'

const sigstore = throwawaySigstore()
const folder = await tempFolder()
const upstream = await startFakeUpstream()
upstream.add('hidden', wheel({ name: 'hidden', version: '9.0' }))
const trusted = join(folder.path, 'trusted_root.json')
await writeFile(trusted, sigstore.trustedRoot)
const settings = { upload_sessions: true, sigstore_trusted_root: trusted }
const world = await startWorld({ settings, upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})
const { alice, stranger } = world
const { catalog, blobs } = world.server.stores
const bob = await world.person('bob')

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
const built = wheel({ name: 'acme', version: '1.0' })
const other = wheel({ name: 'acme', version: '1.0', summary: 'Other' })
const source = sdist({ name: 'acme', version: '1.0' })

interface Listed {
  readonly filename: string
  readonly url: string
  readonly hashes: { readonly sha256: string }
  readonly provenance?: string
}

let made = 0
async function given(options: Record<string, unknown> = {}): Promise<string> {
  const index = `alice/e${made++}`
  assert.equal((await alice.asks(`/${index}`, { method: 'PUT', json: options })).status, 200)
  return index
}
async function filesAt(path: string): Promise<readonly Listed[]> {
  const answer = await stranger.asks(path, { accept: JSON_PAGE })
  return answer.status === 404 ? [] : answer.json<{ files: Listed[] }>().files
}
/** As a day later: nothing is left in the blob store but what rows name, or will be looked at again (METADATA is held for ten minutes). */
async function collected(): Promise<void> {
  await collectDropped(catalog, blobs, { graceMs: -1000, clock: systemClock })
  assert.deepEqual((await check(catalog, blobs, { hashes: true })).faults, [])
  const awaited = await catalog.read((reader) => listDropped(reader, Date.now() + 1000, '', 1000))
  const left = []
  for (const { digest } of await world.blobs()) {
    const isNamed = await catalog.read((reader) => isBlobNamed(reader, digest))
    if (!isNamed && !awaited.some((each) => each.digest === digest)) left.push(digest)
  }
  assert.deepEqual(left, [])
}
const isHere = async (sha256: typeof built.sha256) => (await blobs.stat(sha256)) !== undefined

test('of two who open a session for one release at once, one does', async () => {
  const index = await given({ acl_upload: ['alice', 'bob'] })
  const body = { name: 'acme', version: '1.0' }
  const answers = await Promise.all([alice, bob, alice, bob].map((who) => sends(who, `/${index}/+upload`, body)))
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [201, 409, 409, 409])
  assert.equal(new Set(answers.map((answer) => answer.headers.location)).size, 1)
  // Bob may go on with what alice began: he may upload there.
  const path = new URL(answers[0]!.headers.location!).pathname
  assert.equal((await does(bob, path, 'GET')).status, 200)
})

test('a filename that an upload form took meanwhile keeps all of a session from being published', async () => {
  const index = await given({ volatile: false })
  const session = await opens(alice, index, 'acme', '1.0')
  await stages(alice, session, source)
  await stages(alice, session, built)
  assert.equal((await alice.uploads(other, index)).status, 200)
  const refused = await does(alice, session.links.publish)
  assert.equal(refused.status, 409)
  assert.equal(refused.json<{ code: string }>().code, 'file-exists')
  assert.deepEqual(
    (await filesAt(`/${index}/+simple/acme/`)).map((file) => file.hashes.sha256),
    [other.sha256],
  )
  // The session is open as before: without that file it goes on.
  const state = (await does(alice, session.links.session, 'GET')).json<{ files: Record<string, { link: string }> }>()
  const { pathname } = new URL(state.files[built.filename]!.link)
  assert.equal((await does(alice, pathname, 'DELETE')).status, 204)
  assert.equal((await does(alice, session.links.publish)).status, 201)
  assert.equal((await filesAt(`/${index}/+simple/acme/`)).length, 2)
})

test('an upload form and a session that race for a filename: one of them wins, whole', async () => {
  for (let round = 0; round < 5; round++) {
    const index = await given({ volatile: false })
    const session = await opens(alice, index, 'acme', '1.0')
    await stages(alice, session, source)
    await stages(alice, session, built)
    const [published, uploaded] = await Promise.all([does(alice, session.links.publish), alice.uploads(other, index)])
    const found = (await filesAt(`/${index}/+simple/acme/`)).map((file) => file.hashes.sha256).sort()
    if (published.status === 201) {
      assert.equal(uploaded.status, 409)
      assert.deepEqual(found, [built.sha256, source.sha256].sort())
    } else {
      assert.deepEqual([published.status, uploaded.status], [409, 200])
      assert.deepEqual(found, [other.sha256])
    }
  }
})

test('two sessions with one release published at once, or a publication and its end: all or nothing', async () => {
  const index = await given({ volatile: false })
  const session = await opens(alice, index, 'acme', '1.0')
  await stages(alice, session, built)
  const answers = await Promise.all([does(alice, session.links.publish), does(alice, session.links.publish)])
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [201, 201],
  )
  const next = await opens(alice, index, 'acme', '2.0')
  await stages(alice, next, wheel({ name: 'acme', version: '2.0' }))
  const [published, canceled] = await Promise.all([
    does(alice, next.links.publish),
    does(alice, next.links.session, 'DELETE'),
  ])
  assert.equal(canceled.status, 204)
  const there = (await filesAt(`/${index}/+simple/acme/`)).length
  assert.equal(there, published.status === 201 ? 2 : 1)
})

test('a session that is canceled while a file comes leaves nothing of it', async () => {
  const index = await given()
  const session = await opens(alice, index, 'acme', '1.0')
  const file = wheel({ name: 'acme', version: '1.0', summary: 'Canceled' })
  const announced = await announces(alice, session, file)
  const [sent] = await Promise.all([
    sendsBytes(alice, announced.content, file.bytes),
    does(alice, session.links.session, 'DELETE'),
  ])
  assert.ok([201, 404].includes(sent.status), sent.text)
  await collected()
  assert.equal(await isHere(file.sha256), false)
})

test('staged blobs are kept while the session is open, and go with it: canceled, over, or with its index', async () => {
  const ends: readonly (readonly [string, (session: OpenedSession, index: string) => Promise<unknown>])[] = [
    ['canceled', (session) => does(alice, session.links.session, 'DELETE')],
    ['index deleted', (_session, index) => alice.asks(`/${index}`, { method: 'DELETE' })],
  ]
  for (const [what, end] of ends) {
    const index = await given()
    const session = await opens(alice, index, 'acme', '1.0')
    const file = wheel({ name: 'acme', version: '1.0', summary: what })
    await stages(alice, session, file)
    await collected()
    assert.equal(await isHere(file.sha256), true)
    await end(session, index)
    assert.ok((await catalog.read((reader) => listDropped(reader, Date.now() + 1000, '', 1000))).length > 0)
    await collected()
    assert.equal(await isHere(file.sha256), false, what)
  }
})

test('what is published stays, and what a file was before it was sent anew goes', async () => {
  const index = await given()
  const session = await opens(alice, index, 'acme', '1.0')
  const file = await stages(alice, session, other)
  assert.equal((await does(alice, file.address, 'DELETE')).status, 204)
  await stages(alice, session, source)
  assert.equal((await does(alice, session.links.publish)).status, 201)
  await collected()
  assert.equal(await isHere(source.sha256), true)
  assert.equal((await alice.asks(`/${index}`, { method: 'DELETE' })).status, 201)
})

test('an attestation is verified when its file is completed, and served when that is published', async () => {
  const index = await given()
  const session = await opens(alice, index, 'acme', '1.0')
  const file = await announces(alice, session, built)
  assert.equal((await sendsBytes(alice, file.content, built.bytes)).status, 201)
  const attest = (about: typeof built) => Buffer.from(JSON.stringify([sigstore.attest(about)]))
  assert.equal((await sendsBytes(alice, file.attestations, attest(other))).status, 201)
  const refused = await does(alice, file.complete)
  assert.equal(refused.status, 400)
  assert.equal(refused.json<{ code: string }>().code, 'attestation-invalid')
  assert.equal((await sendsBytes(alice, file.attestations, attest(built))).status, 201)
  assert.equal((await does(alice, file.complete)).status, 201)
  assert.equal((await does(alice, session.links.publish)).status, 201)
  const [listed] = await filesAt(`/${index}/+simple/acme/`)
  const provenance = await stranger.asks(new URL(listed!.provenance!).pathname)
  assert.equal(provenance.json<{ attestation_bundles: unknown[] }>().attestation_bundles.length, 1)
  const huge = await announces(alice, await opens(alice, index, 'acme', '2'), wheel({ name: 'acme', version: '2' }))
  assert.equal((await sendsBytes(alice, huge.attestations, Buffer.alloc(LIMITS.attestationBytes + 1))).status, 413)
})

test('a preview shows the index as it will be: completed files beside those that are there, and other projects', async () => {
  const index = await given({ bases: ['root/pypi'] })
  const old = wheel({ name: 'acme', version: '0.9' })
  await alice.uploads(old, index)
  const session = await opens(alice, index, 'acme', '1.0')
  await stages(alice, session, built)
  const awaited = await announces(alice, session, source)
  const { stage } = session.links
  assert.equal(stage, `/${index}/+staged/${session.token}/simple/`)
  const list = (await stranger.asks(stage, { accept: JSON_PAGE })).json<{ projects: { name: string }[] }>()
  assert.deepEqual(list.projects, [{ name: 'acme' }])
  assert.match((await stranger.asks(stage, { accept: 'text/html' })).text, /<a href="acme\/">acme<\/a>/)
  const files = await filesAt(`${stage}acme/`)
  assert.deepEqual(files.map((file) => file.filename).sort(), [built.filename, old.filename].sort())
  const listed = files.find((file) => file.filename === built.filename)!
  const path = new URL(listed.url, `http://localhost${stage}acme/`).pathname
  const got = await stranger.asks(path)
  assert.ok(got.bytes.equals(built.bytes))
  assert.equal(got.headers['cache-control'], 'private, no-cache')
  const part = await stranger.asks(path, { headers: { range: 'bytes=2-5' } })
  assert.deepEqual([part.status, part.bytes], [206, built.bytes.subarray(2, 6)])
  assert.match((await stranger.asks(`${path}.metadata`)).text, /^Name: acme$/m)
  const spelled = await stranger.asks(`${stage}Acme/`)
  assert.deepEqual([spelled.status, spelled.headers.location], [302, `../../../../../..${stage}acme/`])
  const widget = await stranger.asks(`${stage}widget/`)
  assert.deepEqual([widget.status, widget.headers.location], [302, `../../../../../../${index}/+simple/widget/`])
  for (const missing of [path.replace(built.filename, source.filename), stage.replace(session.token, 'x'.repeat(48))]) {
    assert.equal((await stranger.asks(missing)).status, 404)
  }
  assert.equal((await does(alice, awaited.address, 'DELETE')).status, 204)
  assert.equal((await does(alice, session.links.publish)).status, 201)
  assert.equal((await stranger.asks(stage)).status, 404)
  assert.equal((await stranger.asks(path)).status, 404)
})

test('a preview of an index that not everybody may read needs credentials, too', async () => {
  const index = await given({ acl_pkg_read: ['alice'] })
  const session = await opens(alice, index, 'acme', '1.0')
  await stages(alice, session, built)
  assert.equal((await stranger.asks(`${session.links.stage}acme/`, { accept: JSON_PAGE })).status, 401)
  assert.equal((await alice.asks(`${session.links.stage}acme/`, { accept: JSON_PAGE })).status, 200)
})

test('a preview hides what an upstream has of the name, as the stage will when it has the project', async () => {
  for (const [whitelist, count] of [
    [[], 1],
    [['hidden'], 2],
  ] as const) {
    const index = await given({ bases: ['root/pypi'], mirror_whitelist: whitelist })
    const session = await opens(alice, index, 'hidden', '1.0')
    await stages(alice, session, wheel({ name: 'hidden', version: '1.0' }))
    assert.equal((await filesAt(`${session.links.stage}hidden/`)).length, count)
    assert.equal((await does(alice, session.links.publish)).status, 201)
    assert.equal((await filesAt(`/${index}/+simple/hidden/`)).length, count)
  }
})

test('a file that breaks off is told of, and leaves nothing', async () => {
  const session = await opens(alice, await given(), 'acme', '1.0')
  const file = await announces(alice, session, built)
  const credentials = Object.entries(alice.credentials).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${file.content} HTTP/1.1\r\nHost: localhost\r\n${credentials.join('')}Content-Length: 900\r\n\r\n`
  const before = await world.blobs()
  await world.raw(`${head}only this much`, { isCut: true })
  const stateOf = async () => (await does(alice, file.address, 'GET')).json<{ status: string; notices?: string[] }>()
  const until = performance.now() + 10_000
  while ((await stateOf()).status === 'pending' && performance.now() < until) await delay(10)
  const { status, notices } = await stateOf()
  assert.equal(status, 'error')
  assert.match(notices![0]!, /Cannot read acme-1.0-/)
  // The state is told a moment before the draft goes.
  while ((await world.drafts()).length > 0 && performance.now() < until) await delay(10)
  assert.deepEqual([await world.drafts(), await world.blobs()], [[], before])
  assert.equal((await sendsBytes(alice, file.content, built.bytes)).status, 201)
})

test('a session outlives the server, with all that was sent', async () => {
  await using place = await tempFolder()
  const flags = { serverdir: place.path, no_root_pypi: true, upload_sessions: true }
  const pair = Buffer.from('root:').toString('base64')
  const JSON_TYPE = { 'content-type': 'application/json' }
  const post = {
    method: 'POST',
    headers: { 'x-devpi-auth': pair, 'content-type': 'application/vnd.pypi.upload.v2+json' },
  }
  const api = (body: unknown) => ({
    ...post,
    body: JSON.stringify({ meta: { 'api-version': '2.0' }, ...(body as object) }),
  })
  type Body = {
    links: Record<string, string>
    mechanism: { file_url: string }
    files: Record<string, { status: string }>
  }
  let publish = ''
  let status = ''
  {
    await using server = await startInProcess({ flags })
    const ask = async (url: string, init: ProgramRequest) =>
      (await (await programFetch(new URL(url, server.url), init)).json()) as Body
    await programFetch(`${server.url}/root/dev`, {
      method: 'PUT',
      headers: { ...JSON_TYPE, 'x-devpi-auth': pair },
      body: '{}',
    })
    const session = await ask('/root/dev/+upload', api({ name: 'acme', version: '1.0' }))
    publish = new URL(session.links.publish!).pathname
    status = new URL(session.links.session!).pathname
    const file = await ask(session.links.upload!, api(order(built)))
    await ask(file.mechanism.file_url, { ...post, body: new Uint8Array(built.bytes) })
    await ask(file.links.complete!, { method: 'POST', headers: { 'x-devpi-auth': pair } })
  }
  await using server = await startInProcess({ flags })
  const headers = { 'x-devpi-auth': pair }
  const state = (await (await programFetch(server.url + status, { headers })).json()) as Body
  assert.equal(state.files[built.filename]?.status, 'completed')
  assert.equal((await programFetch(server.url + publish, { method: 'POST', headers })).status, 201)
  const report = await check(server.stores.catalog, server.stores.blobs, { hashes: true })
  assert.deepEqual([report.faults, report.unnamed], [[], 0])
})

// Last: logins end with the days that go by.
test('a session whose time is over is gone at once, and leaves room for another', async () => {
  const index = await given()
  const session = await opens(alice, index, 'acme', '1.0')
  await stages(alice, session, wheel({ name: 'acme', version: '1.0', summary: 'Late' }))
  world.passes(LIMITS.uploadSessionMs + 1000)
  const again = await stranger.asks('/+login', { json: { user: 'alice', password: 'password of alice' } })
  const { password } = again.json<{ result: { password: string } }>().result
  const headers = { 'x-devpi-auth': Buffer.from(`alice:${password}`).toString('base64') }
  for (const [method, path] of [
    ['GET', session.links.session],
    ['POST', session.links.publish],
    ['GET', session.links.stage],
  ] as const) {
    assert.equal((await stranger.asks(path, { method, headers })).status, 404)
  }
  const body = { name: 'acme', version: '1.0' }
  assert.equal((await sends(stranger, `/${index}/+upload`, body, { headers })).status, 201)
})
