import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { asking } from '../../test/upstream/asking.ts'
import { type Listener, listen } from '../../test/world/listener.ts'
import { tempFolder } from '../../test/world/temp-folder.ts'
import type { MirrorAccess } from '../config/upstream-settings.ts'
import { collect } from '../lib/streams.ts'
import type { Problem } from '../model/errors.ts'
import { projectName } from '../pep/name.ts'
import { UpstreamCredentials } from './credentials.ts'

const ACME = projectName('acme')
const WHEEL = 'acme-1.0-py3-none-any.whl'
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`

async function header(mirror: string, asked: string, more: { access?: MirrorAccess; netrc?: string } = {}) {
  return await new UpstreamCredentials({ mirrorUrl: new URL(mirror), ...more }).headerFor(new URL(asked))
}

for (const [what, mirror, asked, access, expected] of [
  ['nothing where there is nothing', 'http://a.example/s/', 'http://a.example/s/x/', undefined, undefined],
  [
    'user and password of mirror_url',
    'http://me:p%40ss@a.example/s/',
    'http://a.example/s/x/',
    undefined,
    basic('me:p@ss'),
  ],
  ['a token as the user', 'http://token@a.example/s/', 'http://a.example/s/x/', undefined, basic('token:')],
  ['a password without user', 'http://:token@a.example/s/', 'http://a.example/s/x/', undefined, basic(':token')],
  ['a bare percent sign', 'http://me:50%@a.example/s/', 'http://a.example/s/x/', undefined, basic('me:50%')],
  ['nothing to another host', 'http://me:pw@a.example/s/', 'http://b.example/s/x/', { token: 't' }, undefined],
  ['nothing to another port', 'http://me:pw@a.example/s/', 'http://a.example:8080/s/x/', { token: 't' }, undefined],
  ['nothing to another scheme', 'https://me:pw@a.example/s/', 'http://a.example/s/x/', { token: 't' }, undefined],
  [
    'to the same port, however written',
    'http://me:pw@a.example/s/',
    'http://A.example:80/f',
    undefined,
    basic('me:pw'),
  ],
  ['a token of the environment first', 'http://me:pw@a.example/', 'http://a.example/f', { token: 't' }, 'Bearer t'],
  [
    'a password of the environment for the user of mirror_url',
    'http://me@a.example/',
    'http://a.example/f',
    { password: 'new' },
    basic('me:new'),
  ],
  [
    'user and password of the environment',
    'http://a.example/',
    'http://a.example/f',
    { username: 'aws', password: 'x' },
    basic('aws:x'),
  ],
  [
    'what a link itself names',
    'http://me:pw@a.example/',
    'http://you:yours@b.example/f',
    undefined,
    basic('you:yours'),
  ],
] as const) {
  test(`UpstreamCredentials sends ${what}`, async () => {
    assert.equal(await header(mirror, asked, access === undefined ? {} : { access }), expected)
  })
}

test('UpstreamCredentials reads files anew, and says which one it cannot read', async () => {
  await using folder = await tempFolder()
  const tokenFile = join(folder.path, 'token')
  const access = { tokenFile }
  const ask = () => header('http://a.example/', 'http://a.example/f', { access })
  await assert.rejects(ask, (error: Problem) => error.code === 'upstream-failed' && error.message.includes(tokenFile))
  await writeFile(tokenFile, 'first\n')
  assert.equal(await ask(), 'Bearer first')
  await writeFile(tokenFile, 'second')
  assert.equal(await ask(), 'Bearer second')
  const passwordFile = tokenFile
  assert.equal(
    await header('http://a.example/', 'http://a.example/f', { access: { username: 'aws', passwordFile } }),
    basic('aws:second'),
  )
})

test('UpstreamCredentials takes netrc for its hosts: over TLS, or to the mirror as its URL has it', async () => {
  await using folder = await tempFolder()
  const netrc = join(folder.path, 'netrc')
  assert.equal(await header('https://a.example/', 'https://a.example/f', { netrc }), undefined)
  await writeFile(
    netrc,
    'machine a.example login me password pw\nmachine b.example login b password bb\ndefault login x password y\n',
  )
  for (const [mirror, asked, expected] of [
    ['https://a.example/', 'https://a.example/f', basic('me:pw')],
    ['http://a.example/', 'http://a.example/f', basic('me:pw')],
    ['https://a.example/', 'https://b.example/f', basic('b:bb')],
    ['https://a.example/', 'http://b.example/f', undefined],
    ['http://a.example/', 'https://b.example/f', undefined],
    ['https://a.example/', 'http://a.example/f', undefined],
    ['https://c.example/', 'https://c.example/f', undefined],
    ['https://own:one@a.example/', 'https://a.example/f', basic('own:one')],
  ] as const) {
    assert.equal(await header(mirror, asked, { netrc }), expected, `${mirror} ${asked}`)
  }
})

interface Heard extends AsyncDisposable {
  readonly url: string
  /** Path to the `Authorization` it came with. */
  readonly heard: Map<string, string | undefined>
}

async function hearing(answer: (path: string) => { location?: string; body?: string }): Promise<Heard> {
  const heard = new Map<string, string | undefined>()
  const server: Listener = await listen((request, response) => {
    heard.set(request.url!, request.headers.authorization)
    const { location, body } = answer(request.url!)
    if (location !== undefined) response.writeHead(302, { location }).end()
    else response.setHeader('content-type', 'text/html').end(body ?? 'content')
  })
  return { url: server.url, heard, [Symbol.asyncDispose]: () => server.close() }
}

test('Upstream keeps credentials to its own host, through redirects and for files elsewhere', async () => {
  let own = ''
  await using other = await hearing((path) =>
    path === '/back' ? { location: `${own}/files/${WHEEL}` } : path === '/page/acme/' ? { body: page } : {},
  )
  const page = `<html><body><a href="${other.url}/${WHEEL}">x</a></body></html>`
  await using server = await hearing((path) => {
    if (path === '/simple/acme/') return { location: '/Simple/acme/' }
    if (path === '/Simple/acme/') return { body: page }
    if (path === '/simple/far/') return { location: `${other.url}/page/acme/` }
    if (path === '/away') return { location: `${other.url}/signed/${WHEEL}` }
    return {}
  })
  own = server.url
  for (const access of [undefined, { token: 'secret-token' }, { username: 'u', password: 'secret-pw' }]) {
    const expected =
      access === undefined ? basic('me:pw') : 'token' in access ? 'Bearer secret-token' : basic('u:secret-pw')
    await using upstream = asking(
      server.url.replace('//', '//me:pw@').concat('/simple/'),
      access === undefined ? {} : { access },
    )
    const answer = await upstream.page(ACME, {})
    assert.equal(answer.kind, 'page')
    await upstream.page(projectName('far'), {})
    for (const url of [
      `${other.url}/${WHEEL}`,
      `${server.url}/files/direct`,
      `${server.url}/away`,
      `${other.url}/back`,
    ]) {
      await collect((await upstream.file(url)).bytes, 1000)
    }
    for (const [path, authorization] of other.heard) assert.equal(authorization, undefined, path)
    for (const [path, authorization] of server.heard) assert.equal(authorization, expected, path)
    assert.deepEqual([...other.heard.keys()].sort(), [`/${WHEEL}`, '/back', '/page/acme/', `/signed/${WHEEL}`])
    assert.ok(server.heard.has(`/files/${WHEEL}`))
    assert.doesNotMatch(upstream.url, /pw|me/)
  }
})

test('Upstream never tells credentials in what goes wrong', async () => {
  for (const url of ['http://me:hush@127.0.0.1:1/simple/', 'http://me:hush@no-such-host.invalid/simple/']) {
    await using upstream = asking(url, { netrc: '/dev/null', access: { token: 'hush' } })
    const told = await upstream.page(ACME, {}).then(
      () => assert.fail('answered'),
      (error: Problem) =>
        JSON.stringify([error.message, error.hint, String(error.cause), (error.cause as Error).stack]),
    )
    assert.doesNotMatch(told, /hush|me:/)
    assert.doesNotMatch(JSON.stringify([upstream.url, upstream.reachability.failure]), /hush/)
  }
})

test('Upstream does not send a token that is no header, and does not tell it', async () => {
  await using server = await hearing(() => ({}))
  await using upstream = asking(server.url, { access: { token: 'two\nlines' } })
  await assert.rejects(
    upstream.page(ACME, {}),
    (error: Problem) => !/two|lines/.test(`${error.message} ${String(error.cause)}`),
  )
  assert.equal(server.heard.size, 0)
})
