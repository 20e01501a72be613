import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { Connection, type RequestBody, Unreachable } from './connection.ts'

interface Place extends AsyncDisposable {
  readonly url: string
  readonly seen: IncomingMessage[]
}

async function serve(listener: RequestListener): Promise<Place> {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function bodyOf(text: string, announcedBytes = Buffer.byteLength(text)): RequestBody {
  return {
    type: 'text/plain',
    sizeBytes: announcedBytes,
    async *open() {
      yield Buffer.from(text)
    },
  }
}

const SECRETS = { login: ['root', 'token'], basicAuth: ['front', 'pw'] } as const

test('send() gives status, reason phrase, headers and body', async () => {
  await using place = await serve((_, response) =>
    response.writeHead(409, 'it is there already').end('{"message":"x"}'),
  )
  const connection = new Connection({})
  const reply = await connection.send({ method: 'GET', url: new URL(place.url), ...SECRETS })
  connection.close()
  assert.equal(reply.status, 409)
  assert.equal(reply.reason, 'it is there already')
  assert.deepEqual(reply.json, { message: 'x' })
  assert.equal(place.seen[0]?.headers['x-devpi-auth'], Buffer.from('root:token').toString('base64'))
  assert.equal(place.seen[0]?.headers.authorization, `Basic ${Buffer.from('front:pw').toString('base64')}`)
})

test('send() follows redirects with secrets to the same place, without them to another', async () => {
  await using other = await serve((_, response) => response.end('other'))
  await using place = await serve((request, response) => {
    const target = request.url === '/away' ? `${other.url}/x` : request.url === '/near' ? '/here' : undefined
    if (target) response.writeHead(302, { Location: target }).end()
    else response.end('same')
  })
  const connection = new Connection({})
  const near = await connection.send({ method: 'GET', url: new URL('/near', place.url), ...SECRETS })
  assert.equal(near.text, 'same')
  assert.equal(near.url.href, `${place.url}/here`)
  assert.ok(place.seen[1]?.headers['x-devpi-auth'])
  const away = await connection.send({ method: 'GET', url: new URL('/away', place.url), ...SECRETS })
  connection.close()
  assert.equal(away.text, 'other')
  assert.equal(other.seen[0]?.headers['x-devpi-auth'], undefined)
  assert.equal(other.seen[0]?.headers.authorization, undefined)
})

test('send() repeats method and body for 307 and 308, and asks with GET after 302 and 303', async () => {
  await using place = await serve(async (request, response) => {
    const text = (await buffer(request)).toString()
    const status = Number(request.url?.slice(1))
    if (status) response.writeHead(status, { Location: '/' }).end()
    else response.end(`${request.method} ${text}`)
  })
  const connection = new Connection({})
  for (const [status, expected] of [
    [307, 'PUT body'],
    [308, 'PUT body'],
    [301, 'PUT body'],
    [302, 'GET '],
    [303, 'GET '],
  ] as const) {
    const reply = await connection.send({ method: 'PUT', url: new URL(`/${status}`, place.url), body: bodyOf('body') })
    assert.equal(reply.text, expected, String(status))
  }
  connection.close()
})

test('send() does not follow redirects in circles', async () => {
  await using place = await serve((_, response) => response.writeHead(302, { Location: '/' }).end())
  const connection = new Connection({})
  const reply = await connection.send({ method: 'GET', url: new URL(place.url) })
  connection.close()
  assert.equal(reply.status, 302)
  assert.ok(place.seen.length < 20)
})

test('send() gives the refusal that comes before the whole body is sent', async () => {
  await using place = await serve((_, response) => response.writeHead(413, 'too much', { Connection: 'close' }).end())
  const connection = new Connection({})
  const megabyte = Buffer.alloc(1024 * 1024)
  const body: RequestBody = {
    type: 'application/octet-stream',
    sizeBytes: 64 * megabyte.length,
    async *open() {
      for (let i = 0; i < 64; i++) yield megabyte
    },
  }
  const reply = await connection.send({ method: 'POST', url: new URL(place.url), body })
  connection.close()
  assert.deepEqual([reply.status, reply.reason], [413, 'too much'])
})

test('send() throws Unreachable for a server that is not there or breaks off', async () => {
  await using place = await serve((request) => request.socket.destroy())
  const connection = new Connection({})
  for (const url of ['http://127.0.0.1:1/x', place.url]) {
    await assert.rejects(connection.send({ method: 'GET', url: new URL(url) }), (error) => {
      assert.ok(error instanceof Unreachable)
      assert.match(error.message, /^could not connect to 'http:/)
      return true
    })
  }
  connection.close()
})

test('send() fails when a body is shorter than it was announced', async () => {
  await using place = await serve(async (request, response) => {
    await buffer(request).catch(() => undefined)
    response.end()
  })
  const connection = new Connection({})
  const ask = { method: 'POST', url: new URL(place.url), body: bodyOf('short', 100) } as const
  await assert.rejects(connection.send(ask), /5 bytes were read where 100 were announced/)
  connection.close()
})

test('send() goes through the proxy that the environment names', async () => {
  await using proxy = await serve((request, response) => response.end(`proxied ${request.url}`))
  const connection = new Connection({ HTTP_PROXY: proxy.url, NO_PROXY: 'direct.invalid' })
  const reply = await connection.send({ method: 'GET', url: new URL('http://index.invalid/+api') })
  connection.close()
  assert.equal(reply.text, 'proxied http://index.invalid/+api')
})
