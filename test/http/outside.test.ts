import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startWorld, type World } from '../world/world.ts'

const JSON_V1 = 'application/vnd.pypi.simple.v1+json'

async function loginUrl(world: World, path: string, headers: Record<string, string>): Promise<string> {
  const answer = await world.stranger.asks(path, { headers })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<{ result: { login: string } }>().result.login
}

/** Follows the first link of a project's page as a client behind the proxy would. */
async function firstFile(world: World, path: string, headers: Record<string, string>): Promise<URL> {
  const page = await world.stranger.asks(path, { headers, accept: JSON_V1 })
  assert.equal(page.status, 200, page.text)
  return new URL(page.json<{ files: { url: string }[] }>().files[0]!.url, `http://outside.example${path}`)
}

test('without a proxy the Host header is the address', async () => {
  await using world = await startWorld()
  assert.equal(await loginUrl(world, '/+api', { host: 'index.example:3141' }), 'http://index.example:3141/+login')
  assert.equal(await loginUrl(world, '/+api', { host: '[::1]:3141' }), 'http://[::1]:3141/+login')
})

test('the header X-Outside-Url wins over everything, with and without path', async () => {
  await using world = await startWorld({ settings: { outside_url: 'https://configured.example' } })
  await world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')
  const cases = [
    ['https://outside.example', '/+api', 'https://outside.example/+login'],
    ['https://outside.example/', '/+api', 'https://outside.example/+login'],
    ['https://outside.example/pypi', '/+api', 'https://outside.example/pypi/+login'],
    ['https://outside.example/pypi/', '/pypi/+api', 'https://outside.example/pypi/+login'],
    ['https://outside.example/a/b', '/a/b/+api', 'https://outside.example/a/b/+login'],
  ] as const
  for (const [said, path, expected] of cases) {
    assert.equal(await loginUrl(world, path, { 'x-outside-url': said, host: 'inner' }), expected)
  }
})

test('the setting outside_url is the address when no header says more', async () => {
  await using world = await startWorld({ settings: { outside_url: 'https://configured.example/index' } })
  assert.equal(await loginUrl(world, '/+api', { host: 'inner' }), 'https://configured.example/index/+login')
  assert.equal(await loginUrl(world, '/index/+api', { host: 'inner' }), 'https://configured.example/index/+login')
})

test('an address that is none is not believed', async () => {
  await using world = await startWorld()
  for (const said of ['javascript:alert(1)', 'nonsense', '//evil.example', 'ftp://x/']) {
    const found = await loginUrl(world, '/+api', { 'x-outside-url': said, host: 'inner' })
    assert.equal(found, 'http://inner/+login', said)
  }
})

test('links of pages lead to the file behind any prefix, passed on or cut off', async () => {
  await using world = await startWorld()
  const file = wheel({ name: 'acme', version: '1.0' })
  await world.alice.uploads(file, 'alice/dev')
  const headers = { 'x-outside-url': 'http://outside.example/deep/er' }
  const passedOn = await firstFile(world, '/deep/er/alice/dev/+simple/acme/', headers)
  assert.ok(passedOn.pathname.startsWith('/deep/er/alice/dev/+f/'), passedOn.href)
  const cutOff = await firstFile(world, '/alice/dev/+simple/acme/', headers)
  assert.ok(cutOff.pathname.startsWith('/alice/dev/+f/'), cutOff.href)
  for (const url of [passedOn, cutOff]) {
    const answer = await world.stranger.asks(url.pathname, { headers })
    assert.ok(answer.bytes.equals(file.bytes), url.href)
  }
  const absolute = await firstFile(world, '/alice/dev/+simple/acme/', { ...headers, 'x-devpi-absolute-urls': '1' })
  assert.ok(absolute.href.startsWith('http://outside.example/deep/er/alice/dev/+f/'), absolute.href)
})

test('the setting absolute_urls makes links absolute', async () => {
  await using world = await startWorld({ settings: { absolute_urls: true } })
  await world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')
  const page = await world.stranger.asks('/alice/dev/+simple/acme/', {
    accept: JSON_V1,
    headers: { host: 'index.example' },
  })
  assert.match(page.json<{ files: { url: string }[] }>().files[0]!.url, /^http:\/\/index\.example\/alice\/dev\/\+f\//)
})

test('redirects behind a prefix stay behind it', async () => {
  await using world = await startWorld()
  const headers = { 'x-outside-url': 'http://outside.example/deep' }
  for (const [path, expected] of [
    ['/deep/alice/dev/+simple', '/deep/alice/dev/+simple/'],
    ['/deep/alice/dev/+simple/Acme', '/deep/alice/dev/+simple/acme/'],
    ['/deep/alice/dev/Acme', '/deep/alice/dev/acme'],
  ] as const) {
    const answer = await world.stranger.asks(path, { headers })
    assert.equal(answer.status, 302)
    assert.equal(new URL(answer.headers.location!, `http://outside.example${path}`).pathname, expected)
  }
})

test('hrefs of the JSON API are absolute and carry the prefix', async () => {
  await using world = await startWorld()
  await world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')
  const headers = { 'x-outside-url': 'https://outside.example/deep' }
  const answer = await world.stranger.asks('/alice/dev/acme', { headers, accept: 'application/json' })
  const link = answer.json<{ result: Record<string, { '+links': { href: string }[] }> }>().result['1.0']!['+links'][0]!
  assert.match(link.href, /^https:\/\/outside\.example\/deep\/alice\/dev\/\+f\//)
})
