import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
await alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev')

/** As they stand in a request line: a client library would tidy them up. */
const NAMES = [
  '..',
  '%2e%2e',
  '..%2f..%2f..%2fetc%2fpasswd',
  '%2f',
  '%5c..%5c',
  '%00',
  'acme%00',
  '%F0%9F%90%8D',
  '%ff%fe',
  '%zz',
  '%',
  '+',
  '+x',
  '%2Bsimple',
  '%0d%0aX-Injected:%20yes',
  '<script>alert(1)</script>',
  "'%20OR%201=1--",
  '__proto__',
  'constructor',
  'a'.repeat(999),
  'a'.repeat(10_000),
  '%F0%9F%90%8D'.repeat(1000),
]

const PLACES: readonly ((name: string) => string)[] = [
  (name) => `/${name}/dev/+simple/`,
  (name) => `/alice/${name}/+simple/`,
  (name) => `/alice/dev/+simple/${name}/`,
  (name) => `/alice/dev/${name}`,
  (name) => `/alice/dev/${name}/1.0`,
  (name) => `/alice/dev/acme/${name}`,
  (name) => `/alice/dev/+f/${name}/bbb/acme-1.0.tar.gz`,
  (name) => `/alice/dev/+f/aaa/bbbbbbbbbbbbb/${name}`,
  (name) => `/alice/dev/+e/${name}/acme-1.0.tar.gz`,
  (name) => `/alice/${name}/+api`,
  (name) => `/alice/dev/acme/${name}/+doc/`,
  (name) => `/alice/dev/acme/1.0/+doc/${name}`,
  (name) => `/alice/dev/acme/1.0/+d/${name}`,
  (name) => `/alice/dev/acme/1.0/+toxresults/${name}`,
  (name) => `/alice/dev/acme/1.0/+toxresults/acme-1.0-py3-none-any.whl/${name}`,
  (name) => `/+groups/${name}`,
  (name) => `/+changelog/${name}`,
]

const status = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])

async function send(method: string, path: string, more = ''): Promise<string> {
  return await world.raw(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`)
}

for (const name of NAMES) {
  const shown = name.length > 40 ? `${name.slice(0, 20)}… (${name.length})` : name
  test(`reading under the name "${shown}" is an answer without an error of ours`, async () => {
    for (const place of PLACES) {
      for (const accept of ['application/json', 'text/html', '*/*']) {
        const answer = await send('GET', place(name), `Accept: ${accept}\r\n`)
        const code = status(answer)
        // A name may by chance be another route's: then it is redirected or found. It is never our failure.
        assert.ok(code >= 200 && code < 500, `${place(shown)} ${accept}: ${answer.slice(0, 300)}`)
        const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
        assert.doesNotMatch(head, /\r\nx-injected:/i)
        if (/content-type: text\/html/i.test(head)) assert.doesNotMatch(body, /<script>alert/)
        assert.doesNotMatch(answer, /root:x:0|node_modules|SQLITE/)
      }
    }
  })

  test(`writing under the name "${shown}" is refused and writes nothing`, async () => {
    const before = (await stranger.asks('/+api')).headers['x-devpi-serial']
    const isUserName = ['%F0%9F%90%8D', '__proto__', 'constructor'].includes(name)
    const auth = `X-Devpi-Auth: ${alice.credentials['x-devpi-auth']}\r\n`
    const body = (json: string) =>
      `${auth}Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`
    const raw = (method: string, path: string, json: string) =>
      world.raw(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${body(json)}`)
    const answers = [
      ...(isUserName
        ? []
        : [
            await raw('PUT', `/${name}`, '{"password":""}'),
            await raw('PUT', `/alice/${name}`, '{}'),
            await raw('POST', `/alice/dev/${name}/refresh`, '{}'),
          ]),
      await raw('PATCH', `/${name}`, '{"title":"x"}'),
      await raw('PATCH', `/alice/${name}`, '{"title":"x"}'),
      await raw('DELETE', `/${name}`, '{}'),
      await raw('DELETE', `/alice/${name}`, '{}'),
      await raw('POST', `/alice/${name}`, '{}'),
      await raw('POST', '/alice/dev', `{"name":"acme","version":"1.0","targetindex":"alice/${name.slice(0, 900)}"}`),
      await raw('PUT', `/+groups/${name}`, '{"members":[]}'),
      await raw('DELETE', `/alice/dev/${name}`, '{}'),
      await raw('DELETE', `/alice/dev/acme/${name}`, '{}'),
      await raw('DELETE', `/alice/dev/+f/aaa/bbbbbbbbbbbbb/${name}`, '{}'),
      await raw('POST', `/alice/dev/+f/aaa/bbbbbbbbbbbbb/${name}`, '{}'),
    ]
    for (const answer of answers) {
      assert.ok(status(answer) >= 400 && status(answer) < 500, answer.slice(0, 300))
    }
    assert.equal((await stranger.asks('/+api')).headers['x-devpi-serial'], before)
  })
}

test('nothing was left on disk by any of it', async () => {
  assert.deepEqual((await readdir(world.folder)).filter((name) => !/^(catalog\.db|lock)/.test(name)).sort(), [
    'airlock.json',
    'blobs',
    'drafts',
    'mirrors',
    'secret',
  ])
  for (const folder of ['drafts', 'mirrors']) assert.deepEqual(await readdir(join(world.folder, folder)), [])
})

for (const [what, request] of [
  ['no HTTP', 'hello\r\n\r\n'],
  ['a method of nobody', 'BREW /+api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ['a head without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`],
  ['two lengths', 'POST /+login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
] as const) {
  test(`a request with ${what} is refused`, async () => {
    const answer = await world.raw(request)
    assert.ok(status(answer) >= 400 && status(answer) < 500, answer.slice(0, 200))
  })
}

test('a JSON body past the limit is 413, and a deep one is no failure of ours', async () => {
  const large = await stranger.asks('/+login', {
    body: `"${'x'.repeat(5_000_000)}"`,
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(large.status, 413)
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  const answer = await alice.asks('/alice/dev', {
    method: 'PATCH',
    body: deep,
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(answer.status, 400)
})

for (const [what, body, status] of [
  ['a list in lists', `${'['.repeat(500)}${']'.repeat(500)}`, 400],
  ['a key twice', '{"title": "a", "title": "b"}', 200],
  ['__proto__', '{"title": "a", "__proto__": {"email": "x"}}', 200],
  ['half a character', '{"title": "\\ud800"}', 200],
  ['NaN', '{"title": NaN}', 400],
] as const) {
  test(`JSON with ${what} is ${status}`, async () => {
    const answer = await alice.asks('/alice', {
      method: 'PATCH',
      body,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(answer.status, status, answer.text)
  })
}

test('credentials of any shape are nobody and never a failure', async () => {
  const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64')
  for (const value of [
    '',
    'x',
    base64(''),
    base64('no colon'),
    base64(':'),
    base64('alice:'),
    base64('\xff\xfe:\xff'),
    base64('alice:al1.x.y'),
    base64(`alice:al1.${base64('[]')}.`),
    base64(`alice:${'x'.repeat(5000)}`),
  ]) {
    for (const headers of [{ 'x-devpi-auth': value }, { authorization: `Basic ${value}` }] as Record<
      string,
      string
    >[]) {
      const answer = await stranger.asks('/+api', { headers })
      assert.equal(answer.status, 200, value)
      assert.deepEqual(answer.json<{ result: { authstatus: string[] } }>().result.authstatus[0], 'noauth')
    }
  }
  for (const authorization of ['Basic', 'Bearer x', 'Basic  ', 'Digest a=b']) {
    assert.equal((await stranger.asks('/+api', { headers: { authorization } })).status, 200)
  }
})
