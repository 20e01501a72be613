import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { asking } from '../../test/upstream/asking.ts'
import { type Listener, listen } from '../../test/world/listener.ts'
import type { Problem } from '../model/errors.ts'
import { withLimits } from '../model/limits.ts'
import { projectName } from '../pep/name.ts'
import type { PageAnswer } from './upstream.ts'

const ACME = projectName('acme')
const HASH = 'ab'.repeat(32)
const WHEEL = 'acme-1.0-py3-none-any.whl'

interface Sent {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** An upstream that answers by path; what is not named is 404. */
function serving(answers: Readonly<Record<string, Sent | (() => Sent)>>): Promise<Listener> {
  return listen((request, response) => {
    const found = answers[request.url ?? '']
    const {
      status = 200,
      type,
      headers = {},
      body = '',
    } = (typeof found === 'function' ? found() : found) ?? { status: 404 }
    response.writeHead(status, { ...(type !== undefined && { 'content-type': type }), ...headers })
    response.end(body)
  })
}

function filesOf(answer: PageAnswer) {
  return answer.kind === 'page' ? answer.detail.files : assert.fail(answer.kind)
}

const html = (body: string, head = '') => `<!DOCTYPE html><html><head>${head}</head><body>${body}</body></html>`
const link = (href: string, attributes = '') => `<a href="${href}" ${attributes}>${WHEEL}</a><br/>`
const json = (file: object) => JSON.stringify({ meta: { 'api-version': '1.0' }, name: 'acme', files: [file] })

/** What each kind of index sends for a project, and where its file is then: `~` is the host. */
const SHAPES: readonly (readonly [who: string, sent: Sent, url: string, hashes?: object])[] = [
  [
    'Artifactory: relative links up to packages',
    { type: 'text/html;charset=utf-8', body: html(link(`../../packages/ab/${WHEEL}#sha256=${HASH}`)) },
    `~/root/packages/ab/${WHEEL}`,
    { sha256: HASH },
  ],
  [
    'CodeArtifact: links below the page',
    { type: 'text/html', body: html(link(`1.0/${WHEEL}#sha256=${HASH}`), '<title>Links for acme</title>') },
    `~/root/simple/acme/1.0/${WHEEL}`,
    { sha256: HASH },
  ],
  [
    'Azure: another character set, said in the page',
    {
      type: 'text/html; charset=windows-1252',
      body: html(link(`/x/${WHEEL}#sha256=${HASH}`), '<meta charset="windows-1252">'),
    },
    `~/x/${WHEEL}`,
    { sha256: HASH },
  ],
  [
    'GitLab: absolute links with the hash and Python in attributes',
    { type: 'text/html', body: html(link(`~/f/${WHEEL}#sha256=${HASH}`, 'data-requires-python="&gt;=3.9"')) },
    `~/f/${WHEEL}`,
    { sha256: HASH },
  ],
  [
    'Nexus: only md5',
    { type: 'text/html', body: html(link(`../../p/${WHEEL}#md5=${'1'.repeat(32)}`)) },
    `~/root/p/${WHEEL}`,
    { md5: '1'.repeat(32) },
  ],
  [
    'a page with a base',
    { type: 'text/html', body: html(link(WHEEL), '<base href="/else/where/">') },
    `~/else/where/${WHEEL}`,
    {},
  ],
  [
    'a static tree: no hash',
    { type: 'text/html', body: `<pre>${link(WHEEL)}</pre>` },
    `~/root/simple/acme/${WHEEL}`,
    {},
  ],
  ['a static tree: HTML as text', { type: 'text/plain', body: html(link(WHEEL)) }, `~/root/simple/acme/${WHEEL}`, {}],
  [
    'a static tree: HTML as bytes',
    { type: 'application/octet-stream', body: html(link(WHEEL)) },
    `~/root/simple/acme/${WHEEL}`,
    {},
  ],
  [
    'storage: HTML as its own kind of bytes',
    { type: 'binary/octet-stream', body: html(link(WHEEL)) },
    `~/root/simple/acme/${WHEEL}`,
    {},
  ],
  ['XHTML', { type: 'application/xhtml+xml', body: html(link(WHEEL)) }, `~/root/simple/acme/${WHEEL}`, {}],
  ['HTML without a type', { body: html(link(WHEEL)) }, `~/root/simple/acme/${WHEEL}`, {}],
  [
    'JSON without a type',
    { body: json({ filename: WHEEL, url: WHEEL, hashes: {} }) },
    `~/root/simple/acme/${WHEEL}`,
    {},
  ],
  [
    'JSON of the plain type, with a byte order mark',
    {
      type: 'application/json; charset=utf-8',
      body: `\uFEFF${json({ filename: WHEEL, url: WHEEL, hashes: { sha256: HASH } })}`,
    },
    `~/root/simple/acme/${WHEEL}`,
    { sha256: HASH },
  ],
  [
    'JSON as HTML',
    { type: 'text/html', body: json({ filename: WHEEL, url: WHEEL, hashes: {} }) },
    `~/root/simple/acme/${WHEEL}`,
    {},
  ],
  [
    'a short hash',
    { type: 'text/html', body: html(link(`${WHEEL}#sha256=1234`)) },
    `~/root/simple/acme/${WHEEL}`,
    { sha256: '1234' },
  ],
  [
    'PyTorch: a plus in names, as %2B',
    { type: 'text/html', body: html(`<a href="/whl/acme-1.0%2Bcpu-py3-none-any.whl#sha256=${HASH}">acme-1.0+cpu</a>`) },
    '~/whl/acme-1.0%2Bcpu-py3-none-any.whl',
    { sha256: HASH },
  ],
  [
    'files of another host',
    { type: 'text/html', body: html(link(`http://files.example/${WHEEL}`)) },
    `http://files.example/${WHEEL}`,
    {},
  ],
]

for (const [who, sent, url, hashes = {}] of SHAPES) {
  test(`Upstream reads ${who}`, async () => {
    const answers: Record<string, Sent> = {}
    await using server = await serving(answers)
    const here = (text: string) => text.replaceAll('~', server.url)
    answers['/root/simple/acme/'] = { ...sent, body: here(sent.body as string) }
    await using upstream = asking(`${server.url}/root/simple`)
    const [file] = filesOf(await upstream.page(ACME, {}))
    assert.equal(file!.url, here(url))
    assert.deepEqual(file!.hashes, hashes)
  })
}

for (const [says, attribute, expected] of [
  ['the old attribute with a hash', `data-dist-info-metadata="sha256=${HASH}"`, { sha256: HASH }],
  ['the old attribute alone', 'data-dist-info-metadata="true"', true],
  ['both, the new one counts', `data-core-metadata="sha256=${HASH}" data-dist-info-metadata="true"`, { sha256: HASH }],
] as const) {
  test(`Upstream reads metadata marked by ${says}`, async () => {
    await using server = await serving({ '/acme/': { type: 'text/html', body: html(link(WHEEL, attribute)) } })
    await using upstream = asking(server.url)
    assert.deepEqual(filesOf(await upstream.page(ACME, {}))[0]!.coreMetadata, expected)
  })
}

const PAGE = html(link(WHEEL))
for (const [encoding, body] of [
  ['gzip', gzipSync(PAGE)],
  ['x-gzip', gzipSync(PAGE)],
  ['GZIP', gzipSync(PAGE)],
  ['deflate', deflateSync(PAGE)],
  ['deflate', deflateRawSync(PAGE)],
  ['zstd', zstdCompressSync(PAGE)],
  ['br', brotliCompressSync(PAGE)],
  ['gzip, br', brotliCompressSync(gzipSync(PAGE))],
  ['identity', Buffer.from(PAGE)],
] as const) {
  test(`Upstream reads a page in ${encoding} (${body.length} bytes)`, async () => {
    const headers = { 'content-encoding': encoding }
    await using server = await serving({
      '/acme/': { type: 'text/html', headers, body },
      '/': { type: 'text/html', headers, body: body },
    })
    await using upstream = asking(server.url)
    assert.equal(filesOf(await upstream.page(ACME, {})).length, 1)
    assert.equal(upstream.figures.bytes, body.length)
  })
}

for (const [what, sent] of [
  ['an encoding that it has not', { headers: { 'content-encoding': 'gzip' }, body: PAGE }],
  ['an encoding of nobody', { headers: { 'content-encoding': 'rot13' }, body: PAGE }],
  ['encodings without end', { headers: { 'content-encoding': 'gzip, gzip, gzip, gzip' }, body: PAGE }],
  ['a cut encoding', { headers: { 'content-encoding': 'gzip' }, body: gzipSync(PAGE).subarray(0, 40) }],
  ['a picture', { type: 'image/png', body: PAGE }],
  ['the page of another project', { type: 'application/json', body: json({}).replace('"acme"', '"other"') }],
] as const satisfies readonly [string, Sent][]) {
  test(`Upstream refuses ${what}`, async () => {
    await using server = await serving({ '/acme/': { type: 'text/html', ...sent } })
    await using upstream = asking(server.url)
    await assert.rejects(upstream.page(ACME, {}), (error: Problem) => error.code === 'upstream-failed')
    assert.equal(upstream.reachability.failure, undefined)
  })
}

test('Upstream bounds what an encoding unpacks to', async () => {
  const body = gzipSync(Buffer.alloc(5_000_000, 32))
  await using server = await serving({ '/acme/': { type: 'text/html', headers: { 'content-encoding': 'gzip' }, body } })
  await using upstream = asking(server.url, { limits: withLimits({ upstreamPageBytes: 100_000 }) })
  await assert.rejects(upstream.page(ACME, {}), (error: Problem) => error.code === 'upstream-failed')
})

test('Upstream takes links relative to where redirects led', async () => {
  await using other = await serving({ '/moved/acme/': { type: 'text/html', body: PAGE } })
  await using server = await serving({
    '/simple/acme/': { status: 301, headers: { location: '/Simple/acme/' } },
    '/Simple/acme/': { status: 308, headers: { location: `${other.url}/moved/acme/` } },
  })
  await using upstream = asking(`${server.url}/simple/`)
  assert.equal(filesOf(await upstream.page(ACME, {}))[0]!.url, `${other.url}/moved/acme/${WHEEL}`)
})

test('Upstream reads the list in JSON or HTML, whatever type it is sent as', async () => {
  const projects = [{ name: 'Acme' }, { name: 'other.one' }]
  const names = JSON.stringify({ meta: { 'api-version': '1.0' }, projects })
  for (const [type, body] of [
    ['application/json', names],
    ['text/plain', names],
    ['text/html', names],
    ['binary/octet-stream', html('<a href="Acme/">Acme</a> <a href="other.one/">x</a>', '<title>Simple index</title>')],
  ] as const) {
    await using server = await serving({ '/simple/': { type, body } })
    await using upstream = asking(`${server.url}/simple/`)
    const answer = await upstream.list({})
    assert.equal(answer.kind, 'names')
    if (answer.kind !== 'names') continue
    const read = await Array.fromAsync(answer.names)
    assert.deepEqual(read, [{ name: 'acme' }, { name: 'other-one' }], type)
  }
})

test('Upstream reads HTTP/1.0, and takes no cut page for one that has ended', async () => {
  let body = PAGE
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n${body}`))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await using upstream = asking(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
    assert.equal(filesOf(await upstream.page(ACME, {})).length, 1)
    body = PAGE.slice(0, -10)
    await assert.rejects(upstream.page(ACME, {}), /breaks off/)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test('Upstream says who asks', async () => {
  let agent: string | undefined
  await using server = await listen((request, response) => {
    agent = request.headers['user-agent']
    response.setHeader('content-type', 'text/html').end(PAGE)
  })
  await using upstream = asking(server.url, { userAgent: 'airlock/1 (test)' })
  await upstream.page(ACME, {})
  assert.equal(agent, 'airlock/1 (test)')
})
