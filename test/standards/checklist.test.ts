/**
 * What installers, uploaders, mirrors and auditors need of an index, line by line: lines 1 to 6, what is read. `checklist-more.test.ts` has
 * lines 7 to 11; clients of every kind try the same for real elsewhere.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { digestOf } from '../../src/lib/digest.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { htmlFaults, jsonFaults } from '../upstream/page-shape.ts'
import {
  basic,
  filesOf,
  HTML_V1,
  JSON_V1,
  led,
  metadataIn,
  offers,
  type Page,
  PIP,
  startGround,
  UV,
} from './checklist-ground.ts'

let lib = wheel({ name: 'lib', version: '0' })
const ground = await startGround((upstream) => {
  lib = offers(upstream, 'lib', '1!2.0', { requires: '>=3.8', yanked: 'use "3" <now> & ever' })
  offers(upstream, 'lib', '1.0', { uploadTime: '2020-02-02T02:02:02.5Z' })
  offers(upstream, 'quiet', '1.0', { yanked: true })
  for (let minor = 0; minor < 8; minor++) offers(upstream, 'many', `1.${minor}`)
})
after(() => ground[Symbol.asyncDispose]())
const { world } = ground
const { alice, stranger } = world
const bob = await world.person('bob')

const own = wheel({ name: 'acme', version: '1.0+local.1', requiresPython: '>=3.8,<4' })
const ownSource = sdist({ name: 'acme', version: '1.0+local.1', dynamic: ['Requires-Dist'] })
for (const file of [own, ownSource]) assert.equal((await alice.uploads(file, 'alice/dev')).status, 200)
const PAGE = '/alice/dev/+simple/acme/'
const PAGES = [PAGE, '/alice/dev/simple/acme/', '/simple/acme/', '/alice/dev/+simple/', '/root/pypi/+simple/lib/']

const HTML = 'text/html'
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const CLIENTS: readonly (readonly [who: string, accept: string | undefined, type: string])[] = [
  ['pip', PIP.accept, JSON_V1],
  ['uv', UV.accept, JSON_V1],
  ['poetry', `${JSON_V1}, */*;q=0.1`, JSON_V1],
  ['hatch, which says nothing', undefined, HTML],
  ['Bazel', 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', HTML],
  ['a browser', BROWSER, HTML],
  ['whoever takes anything', '*/*', HTML],
  ['latest JSON', 'application/vnd.pypi.simple.latest+json', JSON_V1],
  ['latest HTML', 'application/vnd.pypi.simple.latest+html', HTML_V1],
  ['all of them alike, the richest last', `text/html, ${HTML_V1}, ${JSON_V1}`, JSON_V1],
  ['JSON by weight', `text/html;q=0.2, ${JSON_V1};q=0.3`, JSON_V1],
  ['a type of something else', 'application/octet-stream', HTML],
]

describe('1. negotiation matrix', () => {
  for (const [who, accept, type] of CLIENTS) {
    test(`${who}: ${type}`, async () => {
      for (const path of PAGES) {
        const answer = await stranger.asks(path, accept === undefined ? {} : { accept })
        assert.deepEqual([answer.status, answer.headers['content-type']?.split(';')[0]], [200, type], path)
        assert.match(answer.headers.vary ?? '', /^Accept, Accept-Encoding$/, path)
        const format = await stranger.asks(`${path}?format=${encodeURIComponent(type)}`, { accept: 'image/png' })
        assert.equal(format.headers['content-type'], answer.headers['content-type'])
      }
    })
  }
  test('another version of the API alone: 406', async () => {
    for (const path of PAGES) {
      const accept = 'application/vnd.pypi.simple.v2+json'
      assert.equal((await stranger.asks(path, { accept })).status, 406, path)
      assert.equal((await stranger.asks(path, { accept: `${accept}, ${JSON_V1};q=0.1` })).status, 200, path)
    }
  })
})

test('2. validators: no null, timestamps, and HTML that Hatch and Bazel’s rules read', async () => {
  for (const [path, name] of [
    [PAGE, 'acme'],
    ['/alice/dev/+simple/lib/', 'lib'],
    ['/root/pypi/simple/lib/', 'lib'],
    ['/root/pypi/+simple/quiet/', 'quiet'],
  ] as const) {
    const json = await stranger.asks(path, { accept: JSON_V1 })
    assert.deepEqual(jsonFaults(json.text, name, new Set()), [], path)
    const { files } = json.json<Page>()
    assert.ok(files.length > 0)
    const html = await stranger.asks(path, { accept: HTML })
    assert.deepEqual(htmlFaults(html.text, new Set(files.map((file) => file.filename))), [], path)
  }
  const page = (await stranger.asks('/root/pypi/+simple/lib/', { accept: JSON_V1 })).text
  assert.match(page, /"upload-time":\s*"2020-02-02T02:02:02\.5\d*Z"/)
})

test('3. .metadata is the METADATA of the wheel, and served exactly where it is announced', async () => {
  const told = new Map([own, lib].map((file) => [file.filename, metadataIn(file)]))
  for (const path of [PAGE, '/alice/dev/simple/acme/', '/root/pypi/+simple/lib/', '/alice/dev/+simple/lib/']) {
    for (const file of await filesOf(stranger, path)) {
      const announced = file['core-metadata']
      const answer = await stranger.asks(`${file.url}.metadata`)
      assert.equal(answer.status, announced ? 200 : 404, file.url)
      if (typeof announced === 'object') assert.equal(digestOf(answer.bytes), announced.sha256)
      const inside = told.get(file.filename)
      if (inside !== undefined) assert.equal(answer.text, inside)
    }
  }
})

/** How proxies say what clients know the server by. */
const PROXIES: readonly Readonly<Record<string, string>>[] = [
  { 'x-outside-url': 'https://out.example/deep/er' },
  { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'out.example', 'x-forwarded-prefix': '/deep/er' },
]

describe('4. addresses as clients write them', () => {
  test('+, %2B, %2b, an epoch and what need not be quoted at all', async () => {
    const epoch = wheel({ name: 'acme', version: '1!2.0' })
    await alice.uploads(epoch, 'alice/dev')
    for (const page of [PAGE, '/alice/dev/simple/acme/']) {
      for (const built of [own, epoch]) {
        const url = (await filesOf(stranger, page)).find((file) => file.filename === built.filename)!.url
        for (const spelled of [
          url.replaceAll('+', '%2B'),
          url.replaceAll('+', '%2b'),
          url.replaceAll('%2B', '+'),
          url.replaceAll('!', '%21'),
          url.replaceAll('%21', '!'),
          url.replace('acme-1', '%61cme-1'),
        ]) {
          const answer = await stranger.asks(spelled)
          assert.ok(answer.status === 200 && answer.bytes.equals(built.bytes), `${spelled}: ${answer.text}`)
        }
        // A plus sign is no blank.
        if (built === own) assert.equal((await stranger.asks(url.replace(/(1\.0)(\+|%2B)/, '$1%20'))).status, 404)
      }
    }
    assert.equal((await stranger.asks('/alice/dev/%2bsimple/acme/')).status, 200)
  })
  test('names in any spelling and without final slash are led on, behind any prefix', async () => {
    for (const [base, suffix] of [
      ['/alice/dev/+simple', '?format=text/html'],
      ['/alice/dev/simple', ''],
      ['/simple', ''],
    ] as const) {
      for (const headers of [{}, ...PROXIES]) {
        const prefix = PROXIES.includes(headers) ? '/deep/er' : ''
        for (const [name, end] of [
          ['', '/'],
          ['/acme', '/acme/'],
          ['/A_C.Me', '/a-c-me/'],
          ['/ACME/', '/acme/'],
        ] as const) {
          const path = `${prefix}${base}${name}`
          const answer = await stranger.asks(`${path}${suffix}`, { ...PIP, headers })
          assert.ok([301, 302, 308].includes(answer.status), `${path}: ${answer.status}`)
          const to = led(path, answer.headers.location)
          assert.deepEqual([to.host, to.pathname, to.search], ['server', `${prefix}${base}${end}`, suffix])
        }
      }
    }
  })
  test('links lead to the file from wherever a proxy shows the page', async () => {
    for (const headers of PROXIES) {
      for (const page of ['/deep/er/alice/dev/+simple/acme/', '/deep/er/simple/acme/']) {
        const [file] = await filesOf(stranger, page, { headers })
        assert.match(file!.url, /^\/deep\/er\//)
        assert.equal((await stranger.asks(file!.url, { headers })).status, 200)
        const json = await stranger.asks('/deep/er/pypi/acme/json', { headers })
        assert.match(json.text, /"url":"https:\/\/out\.example\/deep\/er\/packages\//)
      }
    }
  })
})

describe('5. caches and parts', () => {
  test('ETag, 304 and max-age of every route', async () => {
    const [file] = await filesOf(stranger, PAGE)
    const [packaged] = await filesOf(stranger, '/simple/acme/')
    const forGood = /^max-age=(3[1-9]\d{6}|\d{9,}), immutable, public$/
    for (const [path, caching, accept] of [
      [PAGE, /^no-cache$/, JSON_V1],
      ['/simple/acme/', /^no-cache$/, HTML],
      ['/alice/dev/+simple/lib/', /^no-cache$/, JSON_V1],
      ['/root/pypi/+simple/lib/', /^max-age=600$/, JSON_V1],
      ['/root/pypi/simple/lib/', /^max-age=600$/, HTML],
      ['/root/pypi/+simple/', /^no-cache$/, JSON_V1],
      ['/pypi/acme/json', /^no-cache$/, '*/*'],
      ['/root/pypi/pypi/lib/json', /^max-age=600$/, '*/*'],
      [file!.url, forGood, '*/*'],
      [`${file!.url}.metadata`, forGood, '*/*'],
      [packaged!.url, forGood, '*/*'],
    ] as const) {
      const answer = await stranger.asks(path, { accept })
      assert.equal(answer.status, 200, answer.text)
      assert.match(answer.headers['cache-control'] ?? '', caching, path)
      const etag = answer.headers.etag ?? ''
      assert.match(etag, /^"[^"]+"$/, path)
      const known = await stranger.asks(path, { accept, headers: { 'if-none-match': `"x", ${etag}` } })
      assert.deepEqual([known.status, known.text, known.headers.etag], [304, '', etag], path)
      assert.match(known.headers['cache-control'] ?? '', caching, path)
    }
    const failed = await stranger.asks('/alice/dev/+simple/nothing/', { ...UV, headers: { 'if-none-match': '*' } })
    assert.deepEqual(
      [failed.status, failed.headers.etag, failed.headers['cache-control']],
      [404, undefined, 'no-store'],
    )
  })
  test('pages are compressed and files are not; ranges, If-Range and HEAD', async () => {
    for (const encoding of ['gzip', 'zstd']) {
      const headers = { 'accept-encoding': encoding }
      const page = await stranger.asks('/root/pypi/+simple/many/', { accept: JSON_V1, headers })
      assert.equal(page.headers['content-encoding'], encoding)
    }
    const { url } = (await filesOf(stranger, PAGE)).find((file) => file.filename === own.filename)!
    const etag = `"${own.sha256}"`
    const size = own.bytes.length
    const date = (await stranger.asks(url)).headers['last-modified'] ?? ''
    for (const [ask, status, from, to] of [
      [{ 'accept-encoding': 'gzip, zstd' }, 200, 0, size],
      [{ range: 'bytes=5-' }, 206, 5, size],
      [{ range: 'bytes=2-9' }, 206, 2, 10],
      [{ range: 'bytes=-7' }, 206, size - 7, size],
      [{ range: 'bytes=5-', 'if-range': etag }, 206, 5, size],
      [{ range: 'bytes=5-', 'if-range': date }, 206, 5, size],
      [{ range: 'bytes=5-', 'if-range': '"x"' }, 200, 0, size],
      [{ range: 'bytes=5-', 'if-range': 'Mon, 01 Jan 2001 00:00:00 GMT' }, 200, 0, size],
      [{ range: 'bytes=0-1,5-6' }, 200, 0, size],
      [{ range: `bytes=${size}-` }, 416, 0, 0],
      [{ 'if-modified-since': date }, 304, 0, 0],
      [{ 'if-modified-since': date, 'if-none-match': '"x"' }, 200, 0, size],
    ] as const) {
      const answer = await stranger.asks(url, { headers: ask })
      assert.equal(answer.status, status, JSON.stringify(ask))
      assert.ok(answer.bytes.equals(own.bytes.subarray(from, to)), JSON.stringify(ask))
      assert.equal(answer.headers['content-encoding'], undefined)
      const range = status === 206 ? `bytes ${from}-${to - 1}/${size}` : status === 416 ? `bytes */${size}` : undefined
      assert.equal(answer.headers['content-range'], range)
    }
    const head = await stranger.asks(url, { method: 'HEAD', headers: { range: 'bytes=0-1' } })
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.headers['accept-ranges'], head.headers.etag, head.text],
      [200, String(size), 'bytes', etag, ''],
    )
  })
})

describe('6. who may read', () => {
  test('401 with a Basic challenge, 404, 403 as problem+json, any way of sending credentials', async () => {
    const make = { method: 'PUT', json: { bases: ['root/pypi'], acl_pkg_read: ['alice'] } }
    assert.equal((await alice.asks('/alice/closed', make)).status, 200)
    await alice.uploads(own, 'alice/closed')
    const { result } = (await alice.asks('/alice/+tokens', { json: {} })).json<{ result: { token: string } }>()
    const { token } = result
    const login = Buffer.from(alice.credentials['x-devpi-auth'] ?? '', 'base64').toString()
    const ways = [basic('__token__', token), basic('alice', token), { authorization: `Bearer ${token}` }]
    ways.push(basic('alice', login.slice(login.indexOf(':') + 1)), basic('alice', 'password of alice'))
    const page = '/alice/closed/simple/acme/'
    const [file] = await filesOf(alice, page)
    // On the same host, below the index: clients send the credentials of its address along.
    assert.match(file!.url, /^\/alice\/closed\//)
    for (const path of [
      page,
      '/alice/closed/+simple/acme/',
      '/alice/closed/+simple/',
      file!.url,
      `${file!.url}.metadata`,
    ]) {
      // pip asks a keyring after 401 alone, be it that what it had at first was wrong.
      for (const wrong of [{}, basic('alice', 'wrong'), basic('__token__', 'wrong'), { authorization: 'Bearer no' }]) {
        const answer = await stranger.asks(path, { ...PIP, headers: { ...PIP.headers, ...wrong } })
        assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Basic realm="pypi"'], path)
      }
      const refused = await bob.asks(path, UV)
      assert.deepEqual([refused.status, refused.headers['content-type']], [403, 'application/problem+json'])
      assert.deepEqual([refused.json().status, refused.json().title], [403, 'Forbidden'])
      for (const headers of ways) {
        const answer = await stranger.asks(path, { accept: JSON_V1, headers })
        assert.equal(answer.status, 200, `${path} ${JSON.stringify(headers)}: ${answer.text}`)
        assert.match(answer.headers['cache-control'] ?? '', /\bprivate\b/)
        assert.doesNotMatch(answer.headers['cache-control'] ?? '', /\bpublic\b/)
      }
    }
    const unknown = await stranger.asks('/alice/closed/simple/nothing/', {
      ...UV,
      headers: { ...UV.headers, ...ways[0] },
    })
    assert.deepEqual([unknown.status, unknown.headers['content-type']], [404, 'application/problem+json'])
    assert.equal((await stranger.asks('/alice/closed/simple/nothing/', PIP)).status, 401)
  })
})
