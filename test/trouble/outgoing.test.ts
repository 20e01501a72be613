/** Where the server can be made to send a request: addresses × ways × whose mirror it is, with services on this machine that count who comes. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { answerNames } from '../world/answering-names.ts'
import { type InProcessServer, startInProcess } from './in-process-server.ts'

const FILE = wheel({ name: 'acme', version: '1.0' })
const ORDINARY = 'alice'
const NAMED = 'carol'
const OWNERS = [ORDINARY, NAMED, 'root'] as const
type Owner = (typeof OWNERS)[number]

/** An address on the Internet that nobody is asked at: it only stands in an answer of the resolver. */
const FAR = '192.88.99.9'
const own = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ internal, family }) => !internal && family === 'IPv4')
  .map(({ address }) => address)

const NAMES = {
  // An upstream on the Internet, which is here after all: `outgoing_allow` lets anybody ask it, and that is no reason to be led nearer.
  'far.test': { looked: [FAR], connected: ['127.0.0.1'] },
  'here.test': ['127.0.0.1'],
  'here6.test': ['::ffff:127.0.0.1'],
  'inside.test': ['10.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  // Its name server says something else to who connects than to who looked.
  'turning.test': { looked: [FAR], connected: ['127.0.0.1'] },
  'turning-back.test': { looked: ['127.0.0.1'], connected: ['169.254.169.254'] },
} as const

const LOOPBACK = [
  '127.0.0.1',
  '127.1',
  '127.8.9.10',
  '2130706433',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '0.0.0.0',
  'localhost',
  'LOCALHOST',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::]',
  'here.test',
  'here6.test',
  ...own,
]
const PRIVATE = ['10.0.0.1', '192.168.77.77', '100.64.1.1', '[fd12::1]', '[::ffff:10.0.0.1]', 'inside.test']
const NEVER = [
  '169.254.169.254',
  '[::ffff:169.254.169.254]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  'metadata.test',
]

/** What upstream's page says or does so that the mirror asks `target`; `file` is asked for after the page where there is one. */
const WAYS = {
  'page that redirects': { page: 'redirect' },
  'link to a file': { link: 'plain' },
  'link without a hash (+e/)': { link: 'unhashed' },
  'link that redirects': { link: 'redirect' },
  'metadata beside a link': { link: 'metadata' },
  provenance: { link: 'provenance' },
} as const
type Way = keyof typeof WAYS

let server: InProcessServer
let names: ReturnType<typeof answerNames>
let pages: Server
let inside: Server
let pagesPort: number
let insidePort: number
let hits = 0
let reached: string[] = []
let made = 0

before(async () => {
  names = answerNames(NAMES)
  subscribe('net.client.socket', onSocket)
  inside = await listening(
    createServer((request, reply) => {
      hits++
      reply.setHeader('content-type', 'text/html')
      if (request.url?.endsWith('.whl') === true) return reply.end(FILE.bytes)
      return reply.end(
        '<!doctype html><title>Links</title><meta name="pypi:repository-version" content="1.0"><a href="secret-1.0.tar.gz">secret</a>',
      )
    }),
  )
  insidePort = (inside.address() as AddressInfo).port
  pages = await listening(createServer((request, reply) => servePage(new URL(request.url!, 'http://x'), reply)))
  pagesPort = (pages.address() as AddressInfo).port
  server = await startInProcess({
    flags: {
      no_root_pypi: true,
      may_mirror: `:AUTHENTICATED:,${NAMED}`,
      may_push_out: `:AUTHENTICATED:,${NAMED}`,
      outgoing_allow: 'far.test',
    },
    limits: {
      connectMs: 500,
      upstreamAnswerMs: 2000,
      upstreamPageMs: 3000,
      issuerAnswerMs: 2000,
      issuerRetryMs: 1,
      backoffFirstMs: 1,
      backoffMostMs: 2,
      resumes: 0,
    },
  })
  for (const user of [ORDINARY, NAMED]) await sends('root', 'PUT', `/${user}`, { password: 'secret' }, 201)
  for (const user of OWNERS) {
    await sends(user, 'PUT', `/${user}/dev`, {})
    const form = uploadForm()
    const { statusCode, body } = await server.app.inject({
      method: 'POST',
      url: `/${user}/dev/`,
      headers: { ...credentials(user), 'content-type': form.contentType },
      payload: form.body,
    })
    assert.equal(statusCode, 200, body)
  }
})
after(async () => {
  await server[Symbol.asyncDispose]()
  for (const each of [pages, inside]) {
    each.closeAllConnections()
    await new Promise((resolve) => each.close(resolve))
  }
  unsubscribe('net.client.socket', onSocket)
  names[Symbol.dispose]()
})

for (const owner of OWNERS) {
  const mayBeNear = owner !== ORDINARY
  describe(`a mirror of ${owner} that is itself at the address`, () => {
    for (const host of LOOPBACK) {
      test(`${host}: page and list are ${mayBeNear ? 'asked for' : 'not asked for'}`, async () => {
        const index = await mirror(owner, `http://${host}:${insidePort}/simple/`)
        const seen = await watch(async () => (await get(`/${index}/+simple/acme/`)).status)
        assert.deepEqual([seen.hits > 0, seen.result], mayBeNear ? [true, 200] : [false, 502], host)
      })
    }
    // What is allowed in a private network is not tried here: such addresses are other machines.
    for (const host of [...NEVER, ...(mayBeNear ? [] : PRIVATE)]) {
      test(`${host}: nothing is connected to`, async () => {
        const index = await mirror(owner, `http://${host}:${insidePort}/simple/`)
        const seen = await watch(async () => await get(`/${index}/+simple/acme/`))
        assert.deepEqual([seen.hits, seen.result.status, seen.reached], [0, 502, []])
        assert.match(seen.result.text, /Cannot ask/)
      })
    }
    test('the server itself is never asked, by any name', async () => {
      const port = new URL(server.url).port
      for (const host of LOOPBACK) {
        const index = await mirror(owner, `http://root:@${host}:${port}/root/dev/+simple/`)
        const seen = await watch(async () => await get(`/${index}/+simple/acme/`))
        assert.deepEqual([seen.result.status, seen.reached], [502, []], host)
        assert.match(seen.result.text, mayBeNear ? /this server itself/ : /this server itself|this machine/)
      }
    })
    test('its list, which a thread fetches, is under the same rule', async () => {
      for (const [host, isAsked] of [
        ['127.0.0.1', mayBeNear],
        ['169.254.169.254', false],
      ] as const) {
        const index = await mirror(owner, `http://${host}:${insidePort}/simple/`, { mirror_no_project_list: false })
        const seen = await watch(async () => (await get(`/${index}/+simple/`)).status)
        assert.equal(seen.hits > 0, isAsked, host)
      }
      const port = Number(new URL(server.url).port)
      const index = await mirror(owner, `http://127.0.0.1:${port}/root/dev/+simple/`, { mirror_no_project_list: false })
      assert.equal((await get(`/${index}/+simple/`)).status, 502)
    })
    test('a name server that says something else to who connects leads nowhere', async () => {
      for (const name of ['turning.test', 'turning-back.test']) {
        for (let round = 0; round < 3; round++) {
          const index = await mirror(owner, `http://${name}:${insidePort}/simple/`)
          const seen = await watch(async () => (await get(`/${index}/+simple/acme/`)).status)
          assert.deepEqual([seen.hits, seen.result, seen.reached], [0, 502, []], name)
        }
      }
    })
  })

  describe(`a mirror of ${owner} on the Internet`, () => {
    for (const way of Object.keys(WAYS) as Way[]) {
      test(`${way}: leads to nothing near, in any spelling`, async () => {
        for (const host of [...LOOPBACK, ...PRIVATE, ...NEVER, 'turning.test']) {
          const index = await mirror(owner, base('far.test', `${host}:${insidePort}`, way))
          const seen = await watch(() => follow(index, way))
          assert.equal(seen.hits, 0, host)
          assert.notEqual(seen.result.status, 200, `${host}: ${seen.result.text}`)
          assert.ok(
            seen.reached.every((each) => each === `127.0.0.1:${pagesPort}`),
            `${host}: ${seen.reached}`,
          )
        }
      })
      test(`${way}: does not lead to the server itself`, async () => {
        const { port } = new URL(server.url)
        for (const host of ['127.0.0.1', 'localhost', '[::ffff:7f00:1]', 'here.test', 'far.test']) {
          const index = await mirror(owner, base('far.test', `${host}:${port}`, way))
          const seen = await watch(() => follow(index, way))
          assert.notEqual(seen.result.status, 200, `${host}: ${seen.result.text}`)
          assert.ok(!seen.reached.some((each) => each.endsWith(`:${port}`)), `${host}: ${seen.reached}`)
        }
      })
    }
  })

  if (!mayBeNear) continue
  describe(`a mirror of ${owner} on this machine`, () => {
    for (const way of Object.keys(WAYS) as Way[]) {
      test(`${way}: leads to this machine, and no further in`, async () => {
        for (const host of ['127.0.0.1', 'localhost', 'here.test']) {
          const index = await mirror(owner, base('127.0.0.1', `${host}:${insidePort}`, way))
          assert.ok((await watch(() => follow(index, way))).hits > 0, host)
        }
        const targets = [...PRIVATE, ...NEVER].map((host) => `${host}:${insidePort}`)
        for (const target of [...targets, new URL(server.url).host]) {
          const index = await mirror(owner, base('127.0.0.1', target, way))
          const seen = await watch(() => follow(index, way))
          assert.equal(seen.hits, 0, target)
          assert.ok(
            seen.reached.every((each) => each === `127.0.0.1:${pagesPort}`),
            `${target}: ${seen.reached}`,
          )
        }
      })
    }
  })
}

describe('a push elsewhere', () => {
  for (const owner of OWNERS) {
    const mayBeNear = owner !== ORDINARY
    test(`by ${owner} goes to ${mayBeNear ? 'this machine, but not to the server itself' : 'nothing near'}`, async () => {
      for (const host of LOOPBACK) {
        const seen = await watch(() => push(owner, `http://${host}:${insidePort}/`))
        assert.equal(seen.hits > 0, mayBeNear, host)
        if (!mayBeNear) assert.match(seen.result.text, /Cannot ask/)
        const itself = await watch(() => push(owner, `http://${host}:${new URL(server.url).port}/root/dev/`))
        assert.deepEqual([itself.result.status, itself.reached], [502, []], host)
      }
      for (const host of [...NEVER, ...(mayBeNear ? [] : PRIVATE)]) {
        const seen = await watch(() => push(owner, `http://${host}:${insidePort}/`))
        assert.deepEqual([seen.result.status, seen.reached], [502, []], host)
        assert.match(seen.result.text, /Cannot ask/)
      }
    })
  }
  test('is for whom the operator lists alone, and mirrors are', async () => {
    await using strict = await startInProcess({ flags: { no_root_pypi: true } })
    const ask = async (method: 'PUT' | 'POST' | 'PATCH', url: string, who: string, payload: object) =>
      (await strict.app.inject({ method, url, headers: { authorization: basic(who) }, payload })).statusCode
    assert.equal(await ask('PUT', '/dave', 'root:', { password: 'secret' }), 201)
    assert.equal(await ask('PUT', '/dave/dev', 'dave:secret', {}), 200)
    const form = uploadForm()
    const headers = { authorization: basic('dave:secret'), 'content-type': form.contentType }
    const added = await strict.app.inject({ method: 'POST', url: '/dave/dev/', headers, payload: form.body })
    assert.equal(added.statusCode, 200, added.body)
    const mirror = { type: 'mirror', mirror_url: 'http://far.test/simple/' }
    assert.equal(await ask('PUT', '/dave/up', 'dave:secret', mirror), 403)
    assert.equal(await ask('PUT', '/dave/up', 'root:', mirror), 200)
    assert.equal(await ask('PATCH', '/dave/up', 'dave:secret', ['title=mine']), 200)
    assert.equal(await ask('PATCH', '/dave/up', 'dave:secret', ['mirror_url=http://127.0.0.1/']), 403)
    const order = { name: 'acme', version: '1.0', posturl: 'http://far.test/', username: '', password: '' }
    assert.equal(await ask('POST', '/dave/dev', 'dave:secret', order), 403)
  })
})

test('an issuer of OIDC tokens is asked near only for indexes of users who are named', async () => {
  for (const owner of OWNERS) {
    for (const [host, isHttp] of [
      ['127.0.0.1', true],
      ['localhost', true],
      ['[::1]', true],
      ['127.8.9.10', true],
      ['169.254.169.254', false],
      ['metadata.test', false],
      ...(owner === ORDINARY
        ? ([
            ['10.0.0.1', false],
            ['here.test', false],
            ['inside.test', false],
          ] as const)
        : []),
    ] as const) {
      const issuer = `${isHttp ? 'http' : 'https'}://${host}:${insidePort}/${owner}`
      const added = await server.app.inject({
        method: 'POST',
        url: `/${owner}/dev/+publishers`,
        headers: credentials(owner),
        payload: { kind: 'oidc', issuer, claims: { sub: 'x' }, projects: ['acme'] },
      })
      assert.equal(added.statusCode, 201, added.body)
      const seen = await watch(() => mint(issuer))
      const isAsked = owner !== ORDINARY && isHttp
      assert.equal(seen.hits > 0, isAsked, `${owner} ${host}: ${seen.result.text}`)
      if (!isAsked) assert.match(seen.result.text, /Cannot ask/)
      if (!isAsked) assert.deepEqual(seen.reached, [])
    }
    const itself = `http://127.0.0.1:${new URL(server.url).port}/${owner}`
    await server.app.inject({
      method: 'POST',
      url: `/${owner}/dev/+publishers`,
      headers: credentials(owner),
      payload: { kind: 'oidc', issuer: itself, claims: { sub: 'x' }, projects: ['acme'] },
    })
    assert.deepEqual((await watch(() => mint(itself))).reached, [])
  }
})

function servePage(url: URL, reply: ServerResponse): unknown {
  const [, kind = '', target = '', way = ''] = url.pathname.split('/').map(decodeURIComponent)
  if (kind === 'to') return reply.writeHead(302, { location: `http://${target}/${FILE.filename}` }).end()
  const found = WAYS[way as Way]
  if (found === undefined) return reply.writeHead(404).end()
  if ('page' in found) return reply.writeHead(302, { location: `http://${target}/simple/acme/` }).end()
  const there = `http://${target}/${FILE.filename}`
  const { link } = found
  const file = {
    filename: FILE.filename,
    url: link === 'redirect' ? `/to/${encodeURIComponent(target)}/` : there,
    hashes: link === 'unhashed' ? {} : { sha256: FILE.sha256 },
    ...(link === 'metadata' && { 'core-metadata': { sha256: '0'.repeat(64) } }),
    ...(link === 'provenance' && { provenance: `${there}.provenance` }),
  }
  reply.setHeader('content-type', 'application/vnd.pypi.simple.v1+json')
  return reply.end(JSON.stringify({ meta: { 'api-version': '1.3' }, name: 'acme', files: [file], versions: ['1.0'] }))
}

/** The address of a mirror whose page leads to `target` in that way. */
function base(host: string, target: string, way: Way): string {
  return `http://${host}:${pagesPort}/w/${encodeURIComponent(target)}/${encodeURIComponent(way)}/`
}

function uploadForm(): ReturnType<typeof multipart> {
  const fields = fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' })
  return multipart([...fields, { name: 'content', filename: FILE.filename, content: FILE.bytes }])
}

/** Asks for the page, and for what it leads to. */
async function follow(index: string, way: Way): Promise<{ status: number; text: string }> {
  const path = `/${index}/+simple/acme/`
  const page = await get(path)
  const found = WAYS[way]
  if ('page' in found || page.status !== 200) return page
  const { url } = (JSON.parse(page.text) as { files: { url: string }[] }).files[0]!
  const file = new URL(url, `http://x${path}`).pathname
  if (found.link === 'metadata') return await get(`${file}.metadata`)
  if (found.link === 'provenance') return await get(`${file}.provenance`)
  return await get(file)
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const accept = url.includes('+simple') ? 'application/vnd.pypi.simple.v1+json' : '*/*'
  const { statusCode, body } = await server.app
    .inject({ url, headers: { accept } })
    .catch((error: Error) => ({ statusCode: 0, body: error.message }))
  return { status: statusCode, text: body }
}

async function mirror(owner: Owner, mirror_url: string, more: object = {}): Promise<string> {
  const index = `${owner}/m${made++}`
  await sends(owner, 'PUT', `/${index}`, { type: 'mirror', mirror_url, mirror_no_project_list: true, ...more })
  return index
}

async function push(owner: Owner, posturl: string): Promise<{ status: number; text: string }> {
  const payload = { name: 'acme', version: '1.0', posturl, username: 'root', password: '' }
  const { statusCode, body } = await server.app.inject({
    method: 'POST',
    url: `/${owner}/dev`,
    headers: credentials(owner),
    payload,
  })
  return { status: statusCode, text: body }
}

async function mint(iss: string): Promise<{ status: number; text: string }> {
  const token = await new SignJWT({ iss, aud: 'airlock', sub: 'x', jti: String(made++) })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('5m')
    .sign(new Uint8Array(32))
  const { statusCode, body } = await server.app.inject({
    method: 'POST',
    url: '/_/oidc/mint-token',
    payload: { token },
  })
  return { status: statusCode, text: body }
}

async function sends(who: string, method: 'PUT' | 'POST', url: string, payload: object, status = 200): Promise<void> {
  const { statusCode, body } = await server.app.inject({ method, url, headers: credentials(who), payload })
  assert.equal(statusCode, status, body)
}

function credentials(who: string): { authorization: string } {
  return { authorization: basic(who === 'root' ? 'root:' : `${who}:secret`) }
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/** What the services inside saw meanwhile, and whom this process connected to. */
async function watch<Result>(act: () => Promise<Result>): Promise<{ hits: number; reached: string[]; result: Result }> {
  hits = 0
  reached = []
  const result = await act()
  return { hits, reached: [...reached], result }
}

function onSocket(message: unknown): void {
  const { socket } = message as { socket: Socket }
  socket.once('connect', () => reached.push(`${socket.remoteAddress}:${socket.remotePort}`))
}

/** On every address of the machine, of both families where there are both. */
async function listening(listener: Server): Promise<Server> {
  const listen = (host: string) =>
    new Promise<void>((resolve, reject) => listener.once('error', reject).listen(0, host, () => resolve()))
  await listen('::').catch(() => listen('0.0.0.0'))
  return listener
}
