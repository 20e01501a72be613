import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { detailFromHtml } from '../../src/pep/simple-html.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { type Ask, startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
const acme = wheel({ name: 'acme', version: '1.0', requiresPython: '>=3.8,<4' })
const acmeSource = sdist({ name: 'acme', version: '1.0', requiresPython: '>=3.8,<4', dynamic: ['Requires-Dist'] })
for (const file of [acme, acmeSource]) assert.equal((await alice.uploads(file, 'alice/dev')).status, 200)

const PAGE = '/alice/dev/+simple/acme/'
const LIST = '/alice/dev/+simple/'
const JSON_V1 = 'application/vnd.pypi.simple.v1+json'
const HTML_V1 = 'application/vnd.pypi.simple.v1+html; charset=utf-8'
const HTML = 'text/html; charset=utf-8'

for (const [who, ask, expected] of [
  ['pip', { accept: `${JSON_V1}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01` }, JSON_V1],
  ['uv', { accept: `${JSON_V1}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01` }, JSON_V1],
  ['poetry', { accept: JSON_V1 }, JSON_V1],
  ['an old pip', { accept: 'text/html' }, HTML],
  ['hatch without Accept', {}, HTML],
  ['a client that takes anything', { accept: '*/*' }, HTML],
  ['a browser', { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }, HTML],
  ['v1+html', { accept: 'application/vnd.pypi.simple.v1+html' }, HTML_V1],
  ['latest+json', { accept: 'application/vnd.pypi.simple.latest+json' }, JSON_V1],
  ['latest+html', { accept: 'application/vnd.pypi.simple.latest+html' }, HTML_V1],
  ['v1+html preferred to JSON', { accept: `${JSON_V1};q=0.5, application/vnd.pypi.simple.v1+html` }, HTML_V1],
  ['JSON refused', { accept: `${JSON_V1};q=0, */*` }, HTML],
  ['an unknown type', { accept: 'application/octet-stream' }, HTML],
  ['JSON and HTML alike', { accept: `text/html, ${JSON_V1}` }, JSON_V1],
  ['both kinds of HTML alike', { accept: 'text/html, application/vnd.pypi.simple.v1+html' }, HTML_V1],
  ['HTML preferred to JSON', { accept: `text/html, ${JSON_V1};q=0.9` }, HTML],
  ['a later version before any type', { accept: 'application/vnd.pypi.simple.v2+json, */*;q=0.1' }, HTML],
  ['a later version before this', { accept: `application/vnd.pypi.simple.v2+json, ${JSON_V1};q=0.1` }, JSON_V1],
  ['plain JSON', { accept: 'application/json' }, HTML],
  ['nonsense', { accept: ';;;=,' }, HTML],
] as const satisfies readonly (readonly [string, Ask, string])[]) {
  for (const path of [PAGE, LIST]) {
    test(`GET ${path} gives ${who} ${expected}`, async () => {
      const answer = await stranger.asks(path, ask)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-type'], expected)
      assert.match(answer.headers.vary ?? '', /\bAccept\b/)
      if (expected === JSON_V1) assert.equal(answer.json<{ meta: object }>().meta !== undefined, true)
      else assert.match(answer.text, /^<!DOCTYPE html>/i)
    })
  }
}

for (const [format, expected] of [
  [JSON_V1, JSON_V1],
  ['application/vnd.pypi.simple.v1+html', HTML_V1],
  ['application/vnd.pypi.simple.latest+json', JSON_V1],
  ['text/html', HTML],
  ['application/x-unknown', HTML],
] as const) {
  test(`GET ${PAGE}?format=${format} wins over Accept`, async () => {
    const accept = expected === JSON_V1 ? 'text/html' : format === 'application/x-unknown' ? 'text/html' : JSON_V1
    const answer = await stranger.asks(`${PAGE}?format=${encodeURIComponent(format)}`, { accept })
    assert.equal(answer.headers['content-type'], expected)
  })
}

for (const ask of [
  { accept: 'application/vnd.pypi.simple.v2+json' },
  { accept: 'application/vnd.pypi.simple.v2+json, application/vnd.pypi.simple.v2+html;q=0.2' },
  { query: '?format=application/vnd.pypi.simple.v2%2Bjson' },
]) {
  test(`who can read a later version of the API alone is told so: ${JSON.stringify(ask)}`, async () => {
    for (const path of [PAGE, LIST]) {
      const answer = await stranger.asks(`${path}${ask.query ?? ''}`, { ...(ask.accept && { accept: ask.accept }) })
      assert.equal(answer.status, 406, answer.text)
      assert.match(answer.text, /hint: accept application\/vnd\.pypi\.simple\.v1\+json/)
    }
  })
}

interface Page {
  readonly meta: { readonly 'api-version': string }
  readonly name: string
  readonly versions: readonly string[]
  readonly files: readonly Readonly<Record<string, unknown>>[]
}

test('the JSON page carries what PEP 691, 700 and 714 ask for', async () => {
  const page = (await stranger.asks(PAGE, { accept: JSON_V1 })).json<Page>()
  assert.match(page.meta['api-version'], /^1\.\d$/)
  assert.equal(page.name, 'acme')
  assert.deepEqual(page.versions, ['1.0'])
  const file = page.files.find((each) => each.filename === acme.filename)!
  assert.deepEqual(file.hashes, { sha256: acme.sha256 })
  assert.equal(file.size, acme.bytes.length)
  assert.equal(file['requires-python'], '>=3.8,<4')
  assert.match(String(file['upload-time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  assert.ok((file['core-metadata'] as { sha256: string }).sha256)
  assert.equal('core-metadata' in page.files.find((each) => each.filename === acmeSource.filename)!, false)
})

test('the HTML page says the same as the JSON page', async () => {
  const json = (await stranger.asks(PAGE, { accept: JSON_V1 })).json<Page>()
  const html = await stranger.asks(PAGE, { accept: 'text/html' })
  const base = new URL(`http://localhost${PAGE}`)
  const read = detailFromHtml(html.text, base, 'acme' as Parameters<typeof detailFromHtml>[2])
  const told = read.files.map((file) => [file.filename, file.url, file.hashes, file.requiresPython])
  const expected = json.files.map((file) => [
    file.filename,
    new URL(String(file.url), base).href,
    file.hashes,
    file['requires-python'],
  ])
  assert.deepEqual(told, expected)
})

test('links are relative, and absolute where it is asked for', async () => {
  const relative = (await stranger.asks(PAGE, { accept: JSON_V1 })).json<Page>().files[0]!
  assert.match(String(relative.url), /^\.\.\/\.\.\/\.\.\/\.\.\/alice\/dev\/\+f\/|^\.\.\/\.\.\/\+f\//)
  const headers = { 'x-devpi-absolute-urls': '1', host: 'index.example:3141' }
  const absolute = (await stranger.asks(PAGE, { accept: JSON_V1, headers })).json<Page>().files[0]!
  assert.match(String(absolute.url), /^http:\/\/index\.example:3141\/alice\/dev\/\+f\//)
})

for (const accept of [JSON_V1, 'text/html']) {
  test(`a page known by its tag is 304 (${accept})`, async () => {
    const first = await stranger.asks(PAGE, { accept })
    const etag = first.headers.etag!
    assert.match(etag, /^"[^"]+"$/)
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await stranger.asks(PAGE, { accept, headers: { 'if-none-match': tag } })
      assert.equal(again.status, 304, tag)
      assert.equal(again.text, '')
      assert.equal(again.headers.etag, etag)
      assert.match(again.headers.vary ?? '', /Accept/)
    }
    assert.equal((await stranger.asks(PAGE, { accept, headers: { 'if-none-match': '"other"' } })).status, 200)
  })
}

test('the tag of a page changes with the page and differs between representations', async () => {
  const tagOf = async (accept: string) => (await stranger.asks('/alice/dev/+simple/tagged/', { accept })).headers.etag
  await alice.uploads(wheel({ name: 'tagged', version: '1.0' }), 'alice/dev')
  const before = await tagOf(JSON_V1)
  assert.notEqual(before, await tagOf('text/html'))
  await alice.uploads(wheel({ name: 'tagged', version: '2.0' }), 'alice/dev')
  assert.notEqual(before, await tagOf(JSON_V1))
})

for (const [path, location] of [
  ['/alice/dev/+simple', '/alice/dev/+simple/'],
  ['/alice/dev/+simple/acme', '/alice/dev/+simple/acme/'],
  ['/alice/dev/+simple/Acme/', '/alice/dev/+simple/acme/'],
  ['/alice/dev/+simple/Acme', '/alice/dev/+simple/acme/'],
  ['/alice/dev/+simple/A__c.-me/', '/alice/dev/+simple/a-c-me/'],
  ['/alice/dev/+simple/acme?format=x', '/alice/dev/+simple/acme/?format=x'],
  ['/alice/dev/+simple/Acme/?format=x', '/alice/dev/+simple/acme/?format=x'],
] as const) {
  test(`GET ${path} is led to ${location}`, async () => {
    const answer = await stranger.asks(path)
    assert.equal(answer.status, 302)
    const led = new URL(answer.headers.location!, `http://localhost${path}`)
    assert.equal(led.pathname + led.search, location)
  })
}

for (const [path, status, sentence] of [
  ['/alice/dev/+simple/unknown/', 404, 'The project unknown does not exist.'],
  ['/alice/none/+simple/acme/', 404, 'The stage alice/none could not be found.'],
  ['/alice/none/+simple/', 404, 'The stage alice/none could not be found.'],
] as const) {
  test(`GET ${path} is ${status} in words an installer shows`, async () => {
    const answer = await stranger.asks(path, { headers: { 'user-agent': 'pip/26.0' } })
    assert.equal(answer.status, status)
    assert.equal(answer.reason, sentence)
    assert.equal(answer.text, `${sentence}\n`)
    assert.equal(answer.headers['cache-control'], 'no-store')
  })
}

test('the list holds every project once, in order', async () => {
  const list = (await stranger.asks(LIST, { accept: JSON_V1 })).json<{ projects: { name: string }[] }>()
  const names = list.projects.map((project) => project.name)
  assert.deepEqual(names, [...new Set(names)].sort())
  assert.ok(names.includes('acme'))
})

test('a project that was only registered has an empty page', async () => {
  assert.equal((await alice.registers('planned', '0.1', 'alice/dev')).status, 200)
  const page = await stranger.asks('/alice/dev/+simple/planned/', { accept: JSON_V1 })
  assert.equal(page.status, 200)
  assert.deepEqual(page.json<Page>().files, [])
})

for (const agent of ['pip/26.0', 'uv/0.9.1', 'pex/2.1', 'setuptools/80']) {
  test(`${agent} gets simple pages at the plain addresses too`, async () => {
    const headers = { 'user-agent': `${agent} {"more":1}` }
    const list = await stranger.asks('/alice/dev', { headers, accept: JSON_V1 })
    assert.equal(list.headers['content-type'], JSON_V1)
    const page = await stranger.asks('/alice/dev/acme', { headers, accept: JSON_V1 })
    assert.equal(page.json<Page>().name, 'acme')
    const link = new URL(String(page.json<Page>().files[0]!.url), 'http://localhost/alice/dev/acme')
    assert.equal((await stranger.asks(link.pathname)).status, 200)
  })
}

test('HEAD of pages has the headers of GET and no body', async () => {
  for (const path of [PAGE, LIST]) {
    const got = await stranger.asks(path)
    const head = await stranger.asks(path, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    assert.equal(head.headers['content-type'], got.headers['content-type'])
    assert.equal(head.headers.etag, got.headers.etag)
    assert.notEqual(head.headers['content-length'], '0')
  }
})

test('pages of a stage are asked for again each time: anybody may upload at any moment', async () => {
  for (const path of [PAGE, LIST]) {
    assert.equal((await stranger.asks(path, { accept: JSON_V1 })).headers['cache-control'], 'no-cache')
  }
})
