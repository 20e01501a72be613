import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { asking } from '../../test/upstream/asking.ts'
import { makeAuthority } from '../../test/upstream/certificates.ts'
import { listen } from '../../test/world/listener.ts'
import { type TempFolder, tempFolder } from '../../test/world/temp-folder.ts'
import type { Problem } from '../model/errors.ts'
import { projectName } from '../pep/name.ts'

const ACME = projectName('acme')
const PAGE = '<html><body><a href="acme-1.0.tar.gz">acme</a></body></html>'
const authority = makeAuthority()
const stranger = makeAuthority('Somebody else')

interface Running extends AsyncDisposable {
  readonly port: number
}

async function running(server: Server | ReturnType<typeof createHttpsServer>): Promise<Running> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function tlsServer(answer: RequestListener, more: ServerOptions = {}): Promise<Running> {
  const own = authority.issue('server')
  return running(createHttpsServer({ cert: own.certificate, key: own.key, ...more }, answer))
}

const page: RequestListener = (_request, response) => response.setHeader('content-type', 'text/html').end(PAGE)

async function pem(folder: TempFolder, name: string, text: string): Promise<string> {
  const path = join(folder.path, name)
  await writeFile(path, text)
  return path
}

const isFailure = (error: Problem) => error.code === 'upstream-failed'

test('Upstream believes an authority of its own, and no other', async () => {
  await using folder = await tempFolder()
  await using server = await tlsServer(page)
  const url = `https://127.0.0.1:${server.port}/`
  const [ours, theirs] = await Promise.all([
    pem(folder, 'ours.pem', authority.certificate),
    pem(folder, 'theirs.pem', stranger.certificate),
  ])
  for (const good of [{ authorities: ours }, { access: { authorities: ours } }]) {
    await using upstream = asking(url, good)
    assert.equal((await upstream.page(ACME, {})).kind, 'page')
  }
  for (const bad of [{}, { authorities: theirs }]) {
    await using upstream = asking(url, bad)
    await assert.rejects(upstream.page(ACME, {}), isFailure)
  }
  assert.throws(() => asking(url, { authorities: join(folder.path, 'missing.pem') }), /missing\.pem/)
})

test('Upstream shows its certificate to its upstream', async () => {
  await using folder = await tempFolder()
  const shown: string[] = []
  const askedFor = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate }
  await using server = await tlsServer((request, response) => {
    shown.push((request.socket as TLSSocket).getPeerCertificate().subject.CN as string)
    page(request, response as never)
  }, askedFor)
  const url = `https://127.0.0.1:${server.port}/`
  const own = authority.issue('airlock client')
  const authorities = await pem(folder, 'ca.pem', authority.certificate)
  const both = await pem(folder, 'both.pem', own.certificate + own.key)
  const certificate = await pem(folder, 'certificate.pem', own.certificate)
  const key = await pem(folder, 'key.pem', own.key)
  for (const access of [{ certificate: both }, { certificate, key }]) {
    await using upstream = asking(url, { authorities, access })
    assert.equal((await upstream.page(ACME, {})).kind, 'page')
  }
  assert.deepEqual(shown, ['airlock client', 'airlock client'])
  await using bare = asking(url, { authorities })
  await assert.rejects(bare.page(ACME, {}), isFailure)
})

/** A proxy that takes CONNECT and plain requests, and writes down what it was told. */
async function proxy(heard: string[]): Promise<Running> {
  const tell = (request: IncomingMessage) =>
    heard.push(
      `${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'} ${request.headers.authorization ?? '-'}`,
    )
  const server = createHttpServer((request, response) => {
    tell(request)
    page(request, response)
  })
  server.on('connect', (request, socket, head) => {
    tell(request)
    const [host = '', port] = request.url!.split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  return await running(server)
}

async function withEnvironment(values: Readonly<Record<string, string>>, run: () => Promise<void>): Promise<void> {
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy']
  const before = names.map((name) => [name, process.env[name]] as const)
  for (const name of names) delete process.env[name]
  Object.assign(process.env, values)
  try {
    await run()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

test('Upstream goes through HTTPS_PROXY with its own certificates, and shows the proxy no credentials of upstream', async () => {
  await using folder = await tempFolder()
  const authorization: (string | undefined)[] = []
  const askedFor = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate }
  await using server = await tlsServer((request, response) => {
    authorization.push(request.headers.authorization)
    page(request, response as never)
  }, askedFor)
  const own = authority.issue('client')
  const authorities = await pem(folder, 'ca.pem', authority.certificate)
  const certificate = await pem(folder, 'own.pem', own.certificate + own.key)
  const heard: string[] = []
  await using between = await proxy(heard)
  const place = `127.0.0.1:${server.port}`
  await withEnvironment({ HTTPS_PROXY: `http://who:are@127.0.0.1:${between.port}` }, async () => {
    await using upstream = asking(`https://me:hush@${place}/`, { authorities, access: { certificate } })
    assert.equal((await upstream.page(ACME, {})).kind, 'page')
  })
  assert.deepEqual(heard, [`CONNECT ${place} Basic ${Buffer.from('who:are').toString('base64')} -`])
  assert.deepEqual(authorization, [`Basic ${Buffer.from('me:hush').toString('base64')}`])
})

test('Upstream goes through HTTP_PROXY, and past it where NO_PROXY says so', async () => {
  let direct = 0
  await using server = await listen((request, response) => {
    direct++
    page(request, response as never)
  })
  const heard: string[] = []
  await using between = await proxy(heard)
  const HTTP_PROXY = `http://127.0.0.1:${between.port}`
  await withEnvironment({ HTTP_PROXY }, async () => {
    await using upstream = asking(server.url)
    assert.equal((await upstream.page(ACME, {})).kind, 'page')
  })
  assert.equal(heard.length, 1)
  const asked = direct
  await withEnvironment({ HTTP_PROXY, NO_PROXY: '127.0.0.1' }, async () => {
    await using upstream = asking(server.url)
    assert.equal((await upstream.page(ACME, {})).kind, 'page')
  })
  assert.deepEqual([heard.length, direct - asked], [1, 1])
})

test('Upstream says that a proxy is gone, without its password', async () => {
  await withEnvironment({ HTTP_PROXY: 'http://who:hush@127.0.0.1:1' }, async () => {
    await using upstream = asking('http://index.example/')
    await assert.rejects(upstream.page(ACME, {}), (error: Problem) => {
      assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /hush/)
      return error.code === 'upstream-failed'
    })
  })
})

test('Upstream does not follow a page from https to http, and does follow a file', async () => {
  await using folder = await tempFolder()
  await using plain = await listen((request, response) => page(request, response as never))
  await using server = await tlsServer((request, response) => {
    response.writeHead(302, { location: `${plain.url}${request.url}` }).end()
  })
  const authorities = await pem(folder, 'ca.pem', authority.certificate)
  await using upstream = asking(`https://127.0.0.1:${server.port}/`, { authorities })
  await assert.rejects(upstream.page(ACME, {}), /redirected from https/)
  const body = await upstream.file(`https://127.0.0.1:${server.port}/acme-1.0.tar.gz`)
  assert.equal((await Array.fromAsync(body.bytes)).length, 1)
})
