import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sdist, wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
const file = wheel({ name: 'acme', version: '1.0', summary: 'Things', files: { 'acme/data': 'x'.repeat(5000) } })
const source = sdist({ name: 'acme', version: '1.0', dynamic: ['Requires-Dist'] })
for (const each of [file, source]) assert.equal((await alice.uploads(each, 'alice/dev')).status, 200)
const pathOf = (built: typeof file, index = 'alice/dev') =>
  `/${index}/+f/${built.sha256.slice(0, 3)}/${built.sha256.slice(3, 16)}/${built.filename}`
const path = pathOf(file)
const size = file.bytes.length
const etag = `"${file.sha256}"`

test('GET of a file gives its bytes with headers that let it be kept for good', async () => {
  const answer = await stranger.asks(path)
  assert.equal(answer.status, 200)
  assert.ok(answer.bytes.equals(file.bytes))
  assert.equal(answer.headers['content-length'], String(size))
  assert.equal(answer.headers['cache-control'], 'max-age=365000000, immutable, public')
  assert.equal(answer.headers.etag, etag)
  assert.equal(answer.headers['accept-ranges'], 'bytes')
  assert.ok(Date.parse(answer.headers['last-modified']!) > 0)
  assert.equal(answer.headers['content-type'], 'application/zip')
})

test('an sdist is gzip and not sent with an encoding', async () => {
  const answer = await stranger.asks(pathOf(source), { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(answer.headers['content-type'], 'application/gzip')
  assert.equal(answer.headers['content-encoding'], undefined)
  assert.ok(answer.bytes.equals(source.bytes))
})

for (const [range, start, end] of [
  ['bytes=0-0', 0, 1],
  ['bytes=0-9', 0, 10],
  ['bytes=10-', 10, size],
  ['bytes=-7', size - 7, size],
  [`bytes=-${size + 100}`, 0, size],
  [`bytes=5-${size + 100}`, 5, size],
  [`bytes=${size - 1}-`, size - 1, size],
] as const) {
  test(`Range ${range} is 206`, async () => {
    const answer = await stranger.asks(path, { headers: { range } })
    assert.equal(answer.status, 206)
    assert.equal(answer.headers['content-range'], `bytes ${start}-${end - 1}/${size}`)
    assert.equal(answer.headers['content-length'], String(end - start))
    assert.ok(answer.bytes.equals(file.bytes.subarray(start, end)))
    assert.equal(answer.headers.etag, etag)
  })
}

for (const range of [`bytes=${size}-`, `bytes=${size + 5}-${size + 6}`, 'bytes=-0']) {
  test(`Range ${range} is 416`, async () => {
    const answer = await stranger.asks(path, { headers: { range } })
    assert.equal(answer.status, 416)
    assert.equal(answer.headers['content-range'], `bytes */${size}`)
    assert.equal(answer.text, '')
    assert.notEqual(answer.headers['cache-control'], 'max-age=365000000, immutable, public')
  })
}

for (const range of ['bytes=9-3', 'bytes=0-1,5-6', 'lines=0-1', 'bytes=a-b', 'bytes=-', 'bytes', '']) {
  test(`Range "${range}" is read over`, async () => {
    const answer = await stranger.asks(path, { headers: { range } })
    assert.equal(answer.status, 200)
    assert.equal(answer.bytes.length, size)
  })
}

test('If-Range gives the range to who has part of this very file, else the whole', async () => {
  const modified = (await stranger.asks(path)).headers['last-modified']!
  for (const [condition, status] of [
    [etag, 206],
    [modified, 206],
    ['"other"', 200],
    [`W/${etag}`, 200],
    ['Mon, 01 Jan 2001 00:00:00 GMT', 200],
  ] as const) {
    const answer = await stranger.asks(path, { headers: { range: 'bytes=1-2', 'if-range': condition } })
    assert.equal(answer.status, status, condition)
  }
})

test('If-None-Match is 304 without a body', async () => {
  for (const tag of [etag, `W/${etag}`, '*', `"x", ${etag}`]) {
    const answer = await stranger.asks(path, { headers: { 'if-none-match': tag } })
    assert.equal(answer.status, 304, tag)
    assert.equal(answer.bytes.length, 0)
    assert.equal(answer.headers.etag, etag)
  }
  assert.equal((await stranger.asks(path, { headers: { 'if-none-match': '"x"' } })).status, 200)
})

test('HEAD has the headers of GET and no body', async () => {
  const answer = await stranger.asks(path, { method: 'HEAD' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-length'], String(size))
  assert.equal(answer.headers.etag, etag)
  assert.equal(answer.bytes.length, 0)
  const ranged = await stranger.asks(path, { method: 'HEAD', headers: { range: 'bytes=0-3' } })
  assert.ok(ranged.status === 200 || ranged.status === 206)
  assert.equal(ranged.bytes.length, 0)
})

test('the .metadata of a wheel is the METADATA inside it, as its page says', async () => {
  const page = (
    await stranger.asks('/alice/dev/+simple/acme/', { accept: 'application/vnd.pypi.simple.v1+json' })
  ).json<{
    files: { filename: string; 'core-metadata'?: { sha256: string } }[]
  }>()
  const told = page.files.find((each) => each.filename === file.filename)!['core-metadata']!
  const answer = await stranger.asks(`${path}.metadata`)
  assert.equal(answer.status, 200)
  assert.match(answer.text, /^Metadata-Version: 2\.1\nName: acme\nVersion: 1\.0\nSummary: Things\n/)
  assert.equal(answer.headers.etag, `"${told.sha256}"`)
  assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(answer.headers['cache-control'], 'max-age=365000000, immutable, public')
})

test('.metadata is served exactly where it is advertised', async () => {
  const page = (
    await stranger.asks('/alice/dev/+simple/acme/', { accept: 'application/vnd.pypi.simple.v1+json' })
  ).json<{
    files: { url: string; 'core-metadata'?: unknown }[]
  }>()
  for (const each of page.files) {
    const url = new URL(`${each.url}.metadata`, 'http://localhost/alice/dev/+simple/acme/')
    const { status } = await stranger.asks(url.pathname)
    assert.equal(status, each['core-metadata'] === undefined ? 404 : 200, url.pathname)
  }
})

test('an address names its content: another hash, index or name is 404', async () => {
  await alice.asks('/alice/other', { method: 'PUT', json: {} })
  const other = 'f'.repeat(64) as typeof file.sha256
  for (const wrong of [
    pathOf({ ...file, sha256: other }),
    pathOf({ ...file, sha256: (file.sha256.slice(0, 3) + other.slice(3)) as typeof other }),
    pathOf(file, 'alice/other'),
    pathOf({ ...file, filename: 'acme-1.1-py3-none-any.whl' }),
    `${pathOf(source)}.metadata`,
    `${path}.metadata.metadata`,
    '/alice/dev/+e/http_x/acme-1.0-py3-none-any.whl',
  ]) {
    const answer = await stranger.asks(wrong)
    assert.equal(answer.status, 404, wrong)
    assert.equal(answer.headers['cache-control'], 'no-store')
  }
})

test('a file of an index that exists in the page is found under an encoded address as well', async () => {
  const local = wheel({ name: 'acme', version: '1.0+local.1' })
  assert.equal((await alice.uploads(local, 'alice/dev')).status, 200)
  const plain = await stranger.asks(pathOf(local))
  const encoded = await stranger.asks(pathOf(local).replaceAll('+', '%2B'))
  assert.deepEqual([plain.status, encoded.status], [200, 200])
  assert.ok(encoded.bytes.equals(local.bytes))
})

test('what is sent before its hash was found right has no ETag: nobody can join it to the rest of the right file', async () => {
  await using upstream = await startFakeUpstream()
  const fresh = wheel({ name: 'fresh', version: '1.0' })
  upstream.add('fresh', fresh)
  await using mirroring = await startWorld({ upstream })
  const path = `/root/pypi/+f/${fresh.sha256.slice(0, 3)}/${fresh.sha256.slice(3, 16)}/${fresh.filename}`
  await mirroring.stranger.asks('/root/pypi/+simple/fresh/')
  const first = await mirroring.stranger.asks(path)
  assert.deepEqual(
    [first.status, first.headers['cache-status'], first.headers.etag],
    [200, 'airlock; fwd=miss', undefined],
  )
  const held = await mirroring.stranger.asks(path)
  assert.deepEqual([held.headers['cache-status'], held.headers.etag], ['airlock; hit', `"${fresh.sha256}"`])
})
