import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startWorld } from '../world/world.ts'

test('a problem has the shape its reader asks for', async () => {
  await using world = await startWorld()
  const said = 'The stage alice/none could not be found.'
  const api = '/alice/none'
  const page = '/alice/none/+simple/'
  const json = await world.stranger.asks(api, { accept: 'application/json' })
  assert.equal(json.headers['content-type'], 'application/json')
  assert.deepEqual(json.json(), { message: said })
  const rfc = await world.stranger.asks(api, { accept: 'application/problem+json' })
  assert.equal(rfc.headers['content-type'], 'application/problem+json')
  assert.deepEqual(rfc.json(), {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: said,
    code: 'no-such-index',
  })
  const html = await world.stranger.asks(api, { accept: 'text/html,*/*;q=0.8' })
  assert.equal(html.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(html.text, /The stage alice\/none could not be found\./)
  const text = await world.stranger.asks(page)
  assert.equal(text.headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(text.text, `${said}\n`)
  assert.equal(text.reason, said)
  assert.equal((await world.stranger.asks(api)).headers['content-type'], 'application/json')
  for (const answer of [json, rfc, html, text]) {
    assert.equal(answer.status, 404)
    assert.equal(answer.headers['cache-control'], 'no-store')
  }
})

test('uv, which shows its user nothing else and does not ask for it, gets problem+json for all that goes wrong', async () => {
  await using world = await startWorld()
  const file = wheel({ name: 'acme', version: '1.0' })
  await world.alice.uploads(file, 'alice/dev')
  const at = `/alice/dev/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}`
  await rm(join(world.folder, 'blobs', 'sha256', file.sha256.slice(0, 2)), { recursive: true })
  const pages = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01'
  const uploads = 'application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7'
  for (const [method, path, accept, status] of [
    ['GET', '/alice/dev/+simple/unknown/', pages, 404],
    ['GET', '/alice/none/+simple/', pages, 404],
    ['GET', `${at}/other-1.0-py3-none-any.whl`, '*/*', 404],
    ['GET', `${at}/${file.filename}`, '*/*', 500],
    ['GET', '/alice/dev/+simple/%zz/', pages, 400],
    ['POST', '/alice/none/', uploads, 400],
  ] as const) {
    const answer = await world.stranger.asks(path, {
      method,
      accept,
      headers: { 'user-agent': 'uv/0.13.9 {"ci":null}' },
    })
    assert.deepEqual([answer.status, answer.headers['content-type']], [status, 'application/problem+json'], path)
    const { title, detail, ...rest } = answer.json<{ title: string; detail: string; status: number }>()
    assert.ok(title.length > 0 && detail.length > 0)
    assert.equal(rest.status, status)
    const pip = await world.stranger.asks(path, { method, accept, headers: { 'user-agent': 'pip/26.3 {"ci":null}' } })
    assert.equal(pip.status, status)
    assert.notEqual(pip.headers['content-type'], 'application/problem+json')
  }
})

test('a page for people keeps what was asked from becoming markup, and is guarded like other pages', async () => {
  await using world = await startWorld()
  const answer = await world.stranger.asks('/%3Cscript%3Ealert(1)%3C%2Fscript%3E', { accept: 'text/html' })
  assert.equal(answer.status, 404)
  assert.doesNotMatch(answer.text, /<script/)
  assert.match(answer.headers['content-security-policy'] ?? '', /default-src 'none'/)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
})

for (const [method, path] of [
  ['GET', '/alice/dev/+nothing/x'],
  ['GET', '/alice/dev/a/b/c/d'],
  ['PUT', '/alice/dev/acme'],
  ['DELETE', '/'],
  ['POST', '/'],
  ['PATCH', '/alice/dev/+simple/'],
  ['OPTIONS', '/'],
] as const) {
  test(`${method} ${path} is an address of nothing: 4xx, told as JSON`, async () => {
    await using world = await startWorld()
    const answer = await world.stranger.asks(path, { method, accept: 'application/json' })
    assert.ok(answer.status === 404 || answer.status === 405, String(answer.status))
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.ok(answer.json<{ message: string }>().message.length > 0)
    assert.equal(answer.headers['x-devpi-api-version'], '2')
  })
}

test('what nobody foresaw is 500 with a reference and nothing else, and logged once under it', async () => {
  await using world = await startWorld()
  const file = wheel({ name: 'acme', version: '1.0' })
  await world.alice.uploads(file, 'alice/dev')
  await rm(join(world.folder, 'blobs', 'sha256', file.sha256.slice(0, 2)), { recursive: true })
  const path = `/alice/dev/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}/${file.filename}`
  const answer = await world.stranger.asks(path)
  assert.equal(answer.status, 500)
  const reference = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(answer.text)?.[0]
  assert.ok(reference, answer.text)
  assert.doesNotMatch(answer.text, /blob|sha256|\/|at /i)
  const lines = world.logged.filter((line) => line.reference === reference)
  assert.equal(lines.length, 1)
  assert.equal(lines[0]!.level, 50)
  assert.match(JSON.stringify(lines[0]!.err), /BlobMissing/)
})

test('a 500 is not to be kept by caches', async () => {
  await using world = await startWorld()
  const file = wheel({ name: 'acme', version: '1.0' })
  await world.alice.uploads(file, 'alice/dev')
  await rm(join(world.folder, 'blobs', 'sha256', file.sha256.slice(0, 2)), { recursive: true })
  const answer = await world.stranger.asks(
    `/alice/dev/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}/${file.filename}`,
  )
  assert.doesNotMatch(answer.headers['cache-control'] ?? '', /immutable/)
  assert.equal(answer.headers.etag, undefined)
})

test('every request is one line in the log, without credentials', async () => {
  await using world = await startWorld()
  await world.alice.asks('/alice/dev?token=secret-in-query')
  await world.stranger.asks('/+login', { json: { user: 'alice', password: 'very secret' } })
  const text = JSON.stringify(world.logged)
  assert.ok(world.logged.some((line) => line['request.method'] === 'GET' && line['response.status'] === 200))
  const { 'x-devpi-auth': token = 'none' } = world.alice.credentials
  for (const secret of ['very secret', 'password of alice', token, Buffer.from(token, 'base64').toString().slice(6)]) {
    assert.ok(!text.includes(secret), secret)
  }
})
