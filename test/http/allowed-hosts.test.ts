/** `allowed_hosts`: which hosts a request may name. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { networkInterfaces } from 'node:os'
import { after, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { startInProcess } from '../trouble/in-process-server.ts'
import { startWorld } from '../world/world.ts'

const PROXY = '10.0.0.1'
const settings = {
  allowed_hosts: 'Index.Example.org, *.below.example, 192.0.2.1, [2001:db8::1]',
  outside_url: 'https://outside.example/pypi',
  listen: ['listens.example:3141'],
  trusted_proxy: PROXY,
}
const world = await startWorld({ settings })
const open = await startWorld()
after(async () => {
  await world[Symbol.asyncDispose]()
  await open[Symbol.asyncDispose]()
})

const own = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ address }) => !address.startsWith('fe80:'))
  .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address))

const ANSWERED = [
  'index.example.org',
  'INDEX.example.org:8080',
  'index.example.org.',
  'a.below.example',
  'a.b.below.example:80',
  '192.0.2.1:3141',
  '[2001:db8::1]:3141',
  '[2001:DB8:0::0:1]',
  'outside.example',
  'listens.example:3141',
  'localhost',
  '127.0.0.1:3141',
  '127.9.9.9',
  '[::1]:3141',
  '[::ffff:127.0.0.1]',
  ...own,
]
const NOT_ANSWERED = [
  'evil.example',
  'index.example.org.evil.example',
  'xindex.example.org',
  'below.example',
  'xbelow.example',
  '.below.example',
  'localhost.evil.example',
  '198.18.77.77',
  '[2001:db8::2]',
  'index.example.org@evil.example',
  'evil.example, index.example.org',
  'index.example.org/',
  'index.example.org:123456',
  '[::1',
]

for (const host of ANSWERED) {
  test(`${host} is answered`, async () => {
    assert.equal((await world.stranger.asks('/+api', { headers: { host } })).status, 200)
  })
}

for (const host of NOT_ANSWERED) {
  test(`${host} is not, whatever is asked for, and where nothing is set it is`, async () => {
    for (const path of ['/+api', '/', '/+status', '/alice/dev/+simple/', '/nobody/nowhere', '/a/b/c/d/e/f/g']) {
      const answer = await world.stranger.asks(path, { headers: { host }, accept: 'application/json' })
      assert.deepEqual([path, answer.status], [path, 421], answer.text)
      assert.match(answer.text, /allowed_hosts/)
    }
    const made = await world.root.asks('/root/evil', { method: 'PUT', json: {}, headers: { host } })
    assert.equal(made.status, 421)
    assert.equal((await open.stranger.asks('/+api', { headers: { host } })).status, 200)
  })
}

test('of a request through the trusted proxy the host counts that it was asked for', async () => {
  const asks = async (host: string, from: string) => {
    const headers = { host: '127.0.0.1:3141', 'x-forwarded-host': host }
    return (await world.stranger.asks('/+api', { from, headers })).status
  }
  assert.equal(await asks('index.example.org', PROXY), 200)
  assert.equal(await asks('evil.example', PROXY), 421)
  assert.equal(await asks('evil.example', '10.0.0.2'), 200)
})

test('no answer that stands ready is given to another host', async () => {
  await using server = await startInProcess({ flags: { no_root_pypi: true, allowed_hosts: ['index.example'] } })
  const { app } = server
  const headers = { 'x-devpi-auth': Buffer.from('root:').toString('base64') }
  const { statusCode: made } = await app.inject({ method: 'PUT', url: '/root/dev', headers, payload: {} })
  const { filename, bytes } = wheel({ name: 'acme', version: '1.0' })
  const fields = fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' })
  const form = multipart([...fields, { name: 'content', filename, content: bytes }])
  const type = { 'content-type': form.contentType }
  const sent = { method: 'POST', url: '/root/dev/', headers: { ...headers, ...type }, payload: form.body } as const
  assert.deepEqual([made, (await app.inject(sent)).statusCode], [200, 200])
  // Connections stay open: with `Connection: close` no answer is taken from the shelf.
  const agent = new Agent({ keepAlive: true })
  const statusFor = async (host: string): Promise<number | undefined> => {
    const request = httpRequest(new URL('/root/dev/+simple/acme/', server.url), { agent, headers: { host } })
    const [response] = (await once(request.end(), 'response')) as [IncomingMessage]
    await response.resume().toArray()
    return response.statusCode
  }
  try {
    for (const host of ['localhost', 'localhost', 'evil.example', 'localhost', 'evil.example']) {
      assert.equal(await statusFor(host), host === 'localhost' ? 200 : 421, host)
    }
  } finally {
    agent.destroy()
  }
})
