/** A change comes from our own pages or from a program: every changing route, with whatever a browser says of the page that asks. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { watchChangingRoutes } from '../world/changing-routes.ts'
import { type Answer, type Person, startWorld } from '../world/world.ts'

const routes = watchChangingRoutes()
const world = await startWorld({ settings: { upload_sessions: true } })
const ROUTES = [...routes]
const PROXY = '10.0.0.1'
const outside = await startWorld({ settings: { outside_url: 'https://index.example/pypi' } })
const proxied = await startWorld({ settings: { trusted_proxy: PROXY } })
after(async () => {
  for (const each of [world, outside, proxied]) await each[Symbol.asyncDispose]()
})
await world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')

const HOST = 'localhost:3141'
const MANY = 40

type Headers = Readonly<Record<string, string>>

const FOREIGN: readonly (readonly [what: string, headers: Headers])[] = [
  ['another host', { origin: 'http://evil.example' }],
  ['another host in TLS', { origin: 'https://evil.example' }],
  ['another port of this host', { origin: 'http://localhost:8080' }],
  ['this host without its port', { origin: 'http://localhost' }],
  ['a host that begins as ours does', { origin: 'http://localhost:3141.evil.example' }],
  ['a host that ends as ours does', { origin: 'http://evil-localhost:3141' }],
  ['ours as its user', { origin: 'http://localhost:3141@evil.example' }],
  ['null', { origin: 'null' }],
  ['null, and a referer of ours', { origin: 'null', referer: `http://${HOST}/` }],
  ['another, and a referer of ours', { origin: 'http://evil.example', referer: `http://${HOST}/` }],
  ['nothing at all', { origin: '' }],
  ['two', { origin: `http://${HOST}, http://evil.example` }],
  ['a file', { origin: 'file://' }],
  ['an extension', { origin: `chrome-extension://${HOST}` }],
  ['what is no address', { origin: 'http://[::1' }],
  ['a referer of another host', { referer: 'http://evil.example/page' }],
  ['a referer of another host that names ours', { referer: `http://evil.example/?http://${HOST}/` }],
  ['an empty referer', { referer: '' }],
  ['a referer that is no address', { referer: 'about:client' }],
  ['another site by Sec-Fetch-Site alone', { 'sec-fetch-site': 'cross-site' }],
  ['another host of the site by Sec-Fetch-Site alone', { 'sec-fetch-site': 'same-site' }],
  ['ours, and another by Sec-Fetch-Site', { origin: `http://${HOST}`, 'sec-fetch-site': 'cross-site' }],
]

const OWN: readonly (readonly [what: string, headers: Headers])[] = [
  ['no page at all', {}],
  ['the host that was asked', { origin: `http://${HOST}` }],
  ['the host that was asked, before TLS', { origin: `https://${HOST}` }],
  ['the host that was asked in capitals', { origin: 'http://LOCALHOST:3141' }],
  ['a referer of ours', { referer: `http://${HOST}/alice/dev?x=http://evil.example` }],
  ['ours, as Sec-Fetch-Site says too', { origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
]

const BODIES: readonly (readonly [type: string, body: string])[] = [
  ['application/json', '{}'],
  ['text/plain', '{"type":"stage"}'],
  ['application/x-www-form-urlencoded', ':action=submit&name=evil&version=1'],
  [
    'multipart/form-data; boundary=x',
    '--x\r\ncontent-disposition: form-data; name=":action"\r\n\r\nsubmit\r\n--x--\r\n',
  ],
]

async function send(
  who: Person,
  { method, path }: { method: string; path: string },
  headers: Headers,
  [type, body]: readonly [string, string] = BODIES[0]!,
  from = '127.0.0.1',
): Promise<Answer> {
  const sent = { host: HOST, accept: 'application/problem+json', 'content-type': type, ...headers }
  return await who.asks(path, { method, body, headers: sent, from })
}

function isRefused(answer: Answer): boolean {
  return answer.status === 403 && answer.text.includes('"code":"origin-foreign"')
}

test('the routes are those of the app', () => {
  assert.ok(ROUTES.length >= MANY, `${ROUTES.length}`)
  for (const known of ['POST /+login', 'PUT /:user/:index', 'POST /:user/:index', 'POST /:user/:index/+yank']) {
    assert.ok(
      ROUTES.some(({ method, pattern }) => `${method} ${pattern}` === known),
      known,
    )
  }
})

for (const route of ROUTES) {
  describe(`${route.method} ${route.pattern}`, () => {
    test('is refused to pages of elsewhere, whoever their user is and whatever they send', async () => {
      const before = await world.server.stores.catalog.latestSerial()
      const { alice, root, stranger } = world
      for (const [what, headers] of FOREIGN) {
        for (const who of [alice, root, stranger]) {
          for (const body of BODIES) {
            const answer = await send(who, route, headers, body)
            assert.ok(isRefused(answer), `${what}, ${who.name}, ${body[0]}: ${answer.status} ${answer.text}`)
          }
        }
      }
      assert.equal(await world.server.stores.catalog.latestSerial(), before)
    })
    test('is not refused to programs and to pages of ours for that', async () => {
      for (const [what, headers] of OWN) {
        const answer = await send(world.stranger, route, headers)
        assert.ok(!isRefused(answer), `${what}: ${answer.status} ${answer.text}`)
      }
    })
  })
}

test('with HTTP Basic and as Bearer it is the same', async () => {
  const password = 'password of carol'
  const carol = await world.person('carol')
  const basic = { authorization: `Basic ${Buffer.from(`carol:${password}`).toString('base64')}` }
  const made = await carol.asks('/carol/+tokens', { json: {} })
  const { token } = made.json<{ result: { token: string } }>().result
  assert.match(token, /^airlock-/, made.text)
  const bearer = { authorization: `Bearer ${token}` }
  for (const credentials of [basic, bearer]) {
    const route = { method: 'PUT', path: '/carol/evil' }
    const answer = await send(world.stranger, route, { origin: 'null', ...credentials })
    assert.ok(isRefused(answer), answer.text)
  }
  const good = await send(world.stranger, { method: 'PUT', path: '/carol/good' }, basic)
  assert.equal(good.status, 200, good.text)
})

test('PUSH is one of them, and an address that nobody has', async () => {
  const { alice } = world
  for (const line of ['PUSH /alice/dev', 'PUSH /alice/dev/', 'POST /a/b/c/d/e/f/g', 'DELETE /']) {
    const head = [
      `${line} HTTP/1.1`,
      `host: ${HOST}`,
      'origin: http://evil.example',
      'connection: close',
      'content-type: application/json',
      `x-devpi-auth: ${alice.credentials['x-devpi-auth']}`,
      'content-length: 2',
    ]
    assert.match(await world.raw(`${head.join('\r\n')}\r\n\r\n{}`), /^HTTP\/1\.1 403 /, line)
  }
})

test('reading is not refused for where a link to it stands', async () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    const headers = { host: HOST, origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }
    const answer = await world.stranger.asks('/alice/dev/+simple/', { method, headers })
    assert.notEqual(answer.status, 403, method)
  }
})

const ROUTE = { method: 'POST', path: '/+login' }

for (const [origin, isOwn] of [
  ['https://index.example', true],
  ['https://index.example:443', true],
  ['http://index.example', false],
  ['https://index.example:8443', false],
  ['https://index.example.evil.example', false],
  [`http://${HOST}`, true],
  ['http://localhost', false],
] as const) {
  test(`with outside_url https://index.example/pypi, ${origin} is ${isOwn ? 'ours' : 'another’s'}`, async () => {
    for (const host of [HOST, 'index.example']) {
      if (host !== HOST && origin === `http://${HOST}`) continue
      const answer = await send(outside.stranger, ROUTE, { origin, host })
      assert.equal(!isRefused(answer), isOwn, answer.text)
    }
  })
}

test('what the trusted proxy was asked for is ours, and nobody else’s word for it counts', async () => {
  const headers = {
    origin: 'https://front.example',
    host: 'inner:3141',
    'x-forwarded-host': 'front.example',
    'x-forwarded-proto': 'https',
  }
  const asks = (from: string, more: Headers = {}) =>
    send(proxied.stranger, ROUTE, { ...headers, ...more }, undefined, from)
  assert.ok(!isRefused(await asks(PROXY)))
  assert.ok(isRefused(await asks(PROXY, { origin: 'http://front.example' })))
  assert.ok(isRefused(await asks('10.0.0.2')))
})
