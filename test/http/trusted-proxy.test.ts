import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startWorld } from '../world/world.ts'

type Settings = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string>>

interface Case {
  readonly what: string
  readonly settings?: Settings
  /** Where the request comes from; 10.0.0.1 when absent. */
  readonly from?: string
  readonly headers: Headers
  /** The address that the server takes for its own. */
  readonly is: string
}

const PROXY: Settings = { trusted_proxy: '10.0.0.1' }
const ALL = {
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'outside.example',
  'x-forwarded-port': '8443',
  'x-forwarded-prefix': '/deep/er/',
}

const CASES: readonly Case[] = [
  { what: 'nobody is trusted', settings: {}, headers: ALL, is: 'http://inner:3141' },
  { what: 'somebody else sends them', from: '10.0.0.2', headers: ALL, is: 'http://inner:3141' },
  { what: 'the proxy sends all of them', headers: ALL, is: 'https://outside.example:8443/deep/er' },
  {
    what: 'the proxy is in IPv6 clothes',
    from: '::ffff:10.0.0.1',
    headers: ALL,
    is: 'https://outside.example:8443/deep/er',
  },
  { what: 'the proxy sends none', headers: {}, is: 'http://inner:3141' },
  { what: 'only the scheme', headers: { 'x-forwarded-proto': 'HTTPS' }, is: 'https://inner:3141' },
  { what: 'only the host', headers: { 'x-forwarded-host': 'outside.example:81' }, is: 'http://outside.example:81' },
  {
    what: 'a host with its port, and another port',
    headers: { ...ALL, 'x-forwarded-host': 'o.example:9' },
    is: 'https://o.example:9/deep/er',
  },
  { what: 'the usual port', headers: { ...ALL, 'x-forwarded-port': '443' }, is: 'https://outside.example/deep/er' },
  {
    what: 'the usual port of the other scheme',
    headers: { ...ALL, 'x-forwarded-port': '80' },
    is: 'https://outside.example:80/deep/er',
  },
  {
    what: 'an IPv6 host',
    headers: { 'x-forwarded-host': '[::1]', 'x-forwarded-port': '8443' },
    is: 'http://[::1]:8443',
  },
  {
    what: 'the header X-Outside-Url as well',
    headers: { ...ALL, 'x-outside-url': 'http://said.example' },
    is: 'http://said.example',
  },
  {
    what: 'a configured outside URL as well',
    settings: { ...PROXY, outside_url: 'http://configured.example' },
    headers: ALL,
    is: 'http://configured.example',
  },
  {
    what: 'values from the client before those of the proxy',
    headers: { 'x-forwarded-host': 'evil.example, outside.example' },
    is: 'http://outside.example',
  },
  {
    what: 'two proxies in a row',
    settings: { ...PROXY, trusted_proxy_count: '2' },
    headers: {
      'x-forwarded-host': 'evil.example, outside.example, middle.example',
      'x-forwarded-proto': 'https, http',
    },
    is: 'https://outside.example',
  },
  {
    what: 'headers that are not among the believed ones',
    settings: { ...PROXY, trusted_proxy_headers: 'x-forwarded-proto' },
    headers: ALL,
    is: 'https://inner:3141',
  },
  {
    what: 'a network',
    settings: { trusted_proxy: '10.0.0.0/8' },
    from: '10.200.3.4',
    headers: ALL,
    is: 'https://outside.example:8443/deep/er',
  },
  {
    what: 'an address outside of the network',
    settings: { trusted_proxy: '10.0.0.0/8' },
    from: '11.0.0.1',
    headers: ALL,
    is: 'http://inner:3141',
  },
  {
    what: 'an IPv6 network',
    settings: { trusted_proxy: 'fd00::/8' },
    from: 'fd12::3',
    headers: ALL,
    is: 'https://outside.example:8443/deep/er',
  },
  {
    what: 'localhost',
    settings: { trusted_proxy: 'localhost' },
    from: '127.0.0.1',
    headers: ALL,
    is: 'https://outside.example:8443/deep/er',
  },
  {
    what: 'localhost in IPv6',
    settings: { trusted_proxy: 'localhost' },
    from: '::1',
    headers: ALL,
    is: 'https://outside.example:8443/deep/er',
  },
  {
    what: 'localhost, and a stranger',
    settings: { trusted_proxy: 'localhost' },
    headers: ALL,
    is: 'http://inner:3141',
  },
  {
    what: 'anybody',
    settings: { trusted_proxy: '*' },
    from: '192.0.2.9',
    headers: ALL,
    is: 'https://outside.example:8443/deep/er',
  },
  { what: 'a scheme that is none', headers: { 'x-forwarded-proto': 'javascript' }, is: 'http://inner:3141' },
  { what: 'a host that is none', headers: { 'x-forwarded-host': 'a"><script>' }, is: 'http://inner:3141' },
  { what: 'a prefix that is none', headers: { 'x-forwarded-prefix': '//evil.example' }, is: 'http://inner:3141' },
  {
    what: 'a port that is none',
    headers: { 'x-forwarded-host': 'o.example', 'x-forwarded-port': '0' },
    is: 'http://o.example',
  },
  {
    what: 'Forwarded, which is not among the usual ones',
    headers: { forwarded: 'host=o.example' },
    is: 'http://inner:3141',
  },
  {
    what: 'Forwarded',
    settings: { ...PROXY, trusted_proxy_headers: 'forwarded' },
    headers: {
      forwarded: 'for=evil;host=evil.example, for="[2001:db8::1]:4711";Host="o.example:8443";proto=https',
      'x-forwarded-host': 'x',
    },
    is: 'https://o.example:8443',
  },
  {
    what: 'Forwarded by two proxies',
    settings: { ...PROXY, trusted_proxy_headers: 'forwarded', trusted_proxy_count: '2' },
    headers: { forwarded: 'host=evil.example, host=o.example, proto=https;host=middle.example;for="a,b;c"' },
    is: 'https://o.example',
  },
]

/** From where a proxy may be, the empty password is nobody's. */
const ROOT = 'password of root'

const bySettings = Map.groupBy(CASES, ({ settings = PROXY }) => JSON.stringify({ ...settings, root_passwd: ROOT }))

for (const [settings, cases] of bySettings) {
  test(`the outside address, told ${settings}`, async (t) => {
    await using world = await startWorld({ settings: JSON.parse(settings) })
    for (const { what, from = '10.0.0.1', headers, is } of cases) {
      await t.test(`with ${what}`, async () => {
        const answer = await world.stranger.asks('/+api', { from, headers: { host: 'inner:3141', ...headers } })
        assert.equal(answer.json<{ result: { login: string } }>().result.login, `${is}/+login`)
      })
    }
  })
}

test('a prefix from the trusted proxy is cut off where it was passed on, and stands in absolute links', async () => {
  await using world = await startWorld({ settings: { ...PROXY, absolute_urls: true } })
  const file = wheel({ name: 'acme', version: '1.0' })
  await world.alice.uploads(file, 'alice/dev')
  const asks = (path: string, from: string) =>
    world.stranger.asks(path, { from, headers: ALL, accept: 'application/vnd.pypi.simple.v1+json' })
  for (const path of ['/deep/er/alice/dev/+simple/acme/', '/alice/dev/+simple/acme/']) {
    const page = await asks(path, '10.0.0.1')
    assert.equal(page.status, 200, path)
    const { url } = page.json<{ files: { url: string }[] }>().files[0]!
    assert.match(url, /^https:\/\/outside\.example:8443\/deep\/er\/alice\/dev\/\+f\//)
    const found = await world.stranger.asks(new URL(url).pathname, { from: '10.0.0.1', headers: ALL })
    assert.ok(found.bytes.equals(file.bytes))
  }
  assert.equal((await asks('/deep/er/alice/dev/+simple/acme/', '10.0.0.2')).status, 404)
})

test('the address of who asks is taken from the trusted proxy only', async () => {
  await using world = await startWorld({ settings: { ...PROXY, trusted_proxy_count: '2' } })
  const address = async (from: string, said: string) => {
    const answer = await world.stranger.asks('/+status', { from, headers: { 'x-forwarded-for': said } })
    return answer.json<{ result: { 'request-address': string } }>().result['request-address']
  }
  assert.equal(await address('10.0.0.1', '198.51.100.1, 192.0.2.7, 10.0.0.9'), '192.0.2.7')
  assert.equal(await address('10.0.0.1', '192.0.2.7:4711'), '192.0.2.7')
  assert.equal(await address('10.0.0.1', '[2001:db8::1]:4711'), '2001:db8::1')
  assert.equal(await address('10.0.0.1', 'somebody'), '10.0.0.1')
  assert.equal(await address('10.0.0.2', '192.0.2.7'), '10.0.0.2')
})

test('what came through a proxy is not from this machine, and from the address of a trusted one nothing is', async () => {
  await using away = await startWorld({ settings: { trusted_proxy: '10.0.0.1' } })
  await using here = await startWorld({ settings: { trusted_proxy: 'localhost', root_passwd: ROOT } })
  await using anywhere = await startWorld({ settings: { trusted_proxy: '*', root_passwd: ROOT } })
  for (const world of [here, anywhere]) {
    const answer = await world.root.asks('/root', { method: 'PATCH', json: { password: '' } })
    assert.equal(answer.status, 200, answer.text)
  }
  for (const [world, status] of [
    [away, 200],
    [here, 401],
    [anywhere, 401],
  ] as const) {
    const login = async (headers: Headers) =>
      (await world.stranger.asks('/+login', { from: '127.0.0.1', headers, json: { user: 'root', password: '' } }))
        .status
    assert.equal(await login({}), status)
    for (const header of ['for', 'host', 'port', 'prefix', 'proto', 'server', 'by']) {
      assert.equal(await login({ [`x-forwarded-${header}`]: '127.0.0.1' }), 401, header)
    }
    assert.equal(await login({ forwarded: 'for=127.0.0.1' }), 401)
  }
})
