import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nginxSite } from '../../src/cli/templates/nginx-template.ts'
import { loadConfig } from '../../src/config/load.ts'
import { collect } from '../../src/lib/streams.ts'
import { wheel } from '../builders/wheels.ts'
import { hasNginx, startNginx } from '../programs/nginx.ts'
import { freePort } from '../world/free-port.ts'
import { startWorld } from '../world/world.ts'

const SETTINGS = { trusted_proxy: '127.0.0.1', x_accel_redirect: '/+blobs/', root_passwd: 'password of root' }
const ASKS = { 'x-sendfile-type': 'X-Accel-Redirect' }
const world = await startWorld({ settings: SETTINGS })
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
const built = (version: string) =>
  wheel({ name: 'acme', version, summary: 'Things', files: { 'acme/data': version.repeat(200_000) } })
const file = built('1.0')
const lost = built('2.0')
for (const each of [file, lost]) assert.equal((await alice.uploads(each, 'alice/dev')).status, 200)
const pathOf = ({ sha256, filename }: typeof file) =>
  `/alice/dev/+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${filename}`
const path = pathOf(file)
const place = `/+blobs/${file.sha256.slice(0, 2)}/${file.sha256}`
const etag = `"${file.sha256}"`

test('a file is left to the proxy that asks for it so, with all that is to be said of it', async () => {
  const answer = await stranger.asks(path, { from: '127.0.0.1', headers: ASKS })
  assert.equal(answer.status, 200)
  assert.equal(answer.bytes.length, 0)
  assert.equal(answer.headers['x-accel-redirect'], place)
  assert.equal(answer.headers['content-type'], 'application/zip')
  assert.equal(answer.headers['cache-control'], 'max-age=365000000, immutable, public')
  assert.equal(answer.headers.etag, etag)
  // nginx says that itself, and would say it twice.
  assert.equal(answer.headers['accept-ranges'], undefined)
  assert.ok(Date.parse(answer.headers['last-modified']!) > 0)
  const range = await stranger.asks(path, { from: '127.0.0.1', headers: { ...ASKS, range: 'bytes=5-9' } })
  assert.deepEqual([range.status, range.headers['x-accel-redirect']], [200, place])
})

for (const [what, options] of [
  ['by the proxy without saying so', { from: '127.0.0.1', headers: {} }],
  ['by the proxy for another kind of sending', { from: '127.0.0.1', headers: { 'x-sendfile-type': 'X-Sendfile' } }],
  ['by who is not the proxy', { from: '10.0.0.9', headers: ASKS }],
  ['with a condition that nginx would weigh', { from: '127.0.0.1', headers: { ...ASKS, 'if-match': etag } }],
] as const) {
  test(`a file that is asked for ${what} is sent whole`, async () => {
    const answer = await stranger.asks(path, options)
    assert.equal(answer.status, 200)
    assert.ok(answer.bytes.equals(file.bytes))
    assert.equal(answer.headers['x-accel-redirect'], undefined)
  })
}

test('what needs no file is not left to the proxy', async () => {
  for (const [status, method, headers] of [
    [304, 'GET', { 'if-none-match': etag }],
    [416, 'GET', { range: 'bytes=99999999-' }],
    [200, 'HEAD', {}],
  ] as const) {
    const answer = await stranger.asks(path, { method, from: '127.0.0.1', headers: { ...ASKS, ...headers } })
    assert.equal(answer.status, status)
    assert.equal(answer.headers['x-accel-redirect'], undefined, String(status))
  }
})

test('without the setting nothing is left to the proxy', async () => {
  await using other = await startWorld({ settings: { trusted_proxy: '127.0.0.1', root_passwd: 'password of root' } })
  assert.equal((await other.alice.uploads(file, 'alice/dev')).status, 200)
  const answer = await other.stranger.asks(path, { from: '127.0.0.1', headers: ASKS })
  assert.ok(answer.bytes.equals(file.bytes))
})

const blobPath = ({ sha256 }: typeof file) => join(world.folder, 'blobs', 'sha256', sha256.slice(0, 2), sha256)

test('a file that is lost is an error, and not an empty answer', async () => {
  await rm(blobPath(lost))
  const answer = await stranger.asks(pathOf(lost), { from: '127.0.0.1', headers: ASKS })
  assert.equal(answer.status, 500)
  assert.equal(answer.headers['x-accel-redirect'], undefined)
})

if (await hasNginx()) {
  test('nginx with the file of gen-config sends what is left to it, as the server would', async () => {
    const listener = world.server.createListener()
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const inner = (listener.address() as AddressInfo).port
    const outer = await freePort()
    const flags = {
      serverdir: world.folder,
      host: '127.0.0.1',
      port: String(inner),
      outside_url: `http://127.0.0.1:${outer}`,
    }
    const config = loadConfig({ flags: { ...flags, ...SETTINGS }, env: {}, cwd: world.folder })
    try {
      await using _nginx = await startNginx(nginxSite(config, { isCaching: false, hostname: 'localhost' }), outer)
      await isAsDirect(inner, outer)
    } finally {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    }
  })
} else {
  test('there is no nginx here: what it is told is tested above, what it does with that is not', () => {})
}

async function isAsDirect(inner: number, outer: number): Promise<void> {
  const { headers } = await get(inner, {})
  const modified = headers['last-modified']!
  const kept = [
    'content-type',
    'cache-control',
    'etag',
    'last-modified',
    'x-content-type-options',
    'cache-status',
    'x-devpi-uuid',
    'x-devpi-serial',
    'x-devpi-api-version',
  ]
  for (const [status, asked, start, end] of [
    [200, {}, 0, file.bytes.length],
    [206, { range: 'bytes=5-9' }, 5, 10],
    [206, { range: 'bytes=-7' }, file.bytes.length - 7, file.bytes.length],
    [206, { range: 'bytes=100-', 'if-range': etag }, 100, file.bytes.length],
    [206, { range: 'bytes=100-', 'if-range': modified }, 100, file.bytes.length],
    [200, { range: 'bytes=100-', 'if-range': '"other"' }, 0, file.bytes.length],
    [200, { 'if-none-match': '"other"', 'if-modified-since': new Date().toUTCString() }, 0, file.bytes.length],
    [304, { 'if-none-match': etag }, 0, 0],
    [304, { 'if-modified-since': modified }, 0, 0],
    [416, { range: 'bytes=99999999-' }, 0, 0],
    // Who says so from outside is not believed, and gets the file.
    [200, { 'x-sendfile-type': 'X-Accel-Redirect' }, 0, file.bytes.length],
  ] as const) {
    const direct = await get(inner, 'x-sendfile-type' in asked ? {} : asked)
    const answer = await get(outer, asked)
    const what = JSON.stringify(asked)
    assert.equal(answer.status, status, what)
    assert.equal(direct.status, status, what)
    assert.ok(answer.bytes.equals(file.bytes.subarray(start, end)), what)
    for (const name of status < 300 ? [...kept, 'content-length', 'content-range'] : []) {
      assert.equal(answer.headers[name], direct.headers[name], `${name} for ${what}`)
    }
  }
  // In a part nginx does not repeat it.
  assert.equal((await get(outer, {})).headers['accept-ranges'], 'bytes')
  assert.equal((await get(outer, {}, place)).status, 404)
}

async function get(port: number, headers: Readonly<Record<string, string>>, asked = path) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: asked, headers, agent: false }, resolve).once('error', reject).end()
  })
  const bytes = await collect(answer, 10_000_000)
  return { status: answer.statusCode, headers: answer.headers as Record<string, string | undefined>, bytes }
}
