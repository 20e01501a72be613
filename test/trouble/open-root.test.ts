import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, type ServerProcess, startServer } from '../programs/server-process.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import { type InProcessServer, startInProcess } from './in-process-server.ts'
import { canMakeMachines, otherMachine } from './other-machine.ts'

const STRANGER = '203.0.113.9'
const REMEDY =
  /empty password is accepted only from the server itself\. Set one there with: airlock passwd root --serverdir/
const BASIC = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }
const INDEX = { type: 'stage', bases: [] }

interface Answer {
  readonly status: number
  readonly text: string
}

/** This machine's own addresses; those that are valid on one cable only need its name and are left out. */
const OWN = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ address }) => !address.startsWith('fe80:'))

/** As clients ask. Node's `fetch` sends what browsers do, and is refused. */
const ASK = `(method, url, headers, body) => new Promise((resolve, reject) => {
  const request = require('node:http').request(url, { method, headers: { 'content-type': 'application/json', ...headers } })
  request.on('error', reject)
  request.on('response', async (response) => {
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    resolve({ status: response.statusCode, text })
  })
  request.end(JSON.stringify(body))
})`
const ask: (method: string, url: string, headers: Readonly<Record<string, string>>, body: object) => Promise<Answer> =
  new Function('require', `return ${ASK}`)(createRequire(import.meta.url))

async function login(url: string, password = ''): Promise<Answer> {
  return await ask('POST', `${url}/+login`, {}, { user: 'root', password })
}

/** As a program for another machine, which prints its answer as JSON. */
function loginScript(url: string, password = ''): string {
  return askScript('POST', `${url}/+login`, {}, { user: 'root', password })
}

function putScript(url: string): string {
  return askScript('PUT', `${url}/root/smuggled`, BASIC, INDEX)
}

function askScript(method: string, url: string, headers: object, body: object): string {
  const args = [method, url, headers, body].map((each) => JSON.stringify(each)).join(', ')
  return `const require = process.getBuiltinModule('node:module').createRequire('file:///')
  console.log(JSON.stringify(await (${ASK})(${args})))`
}

function isTaken({ status, text }: Answer): void {
  assert.equal(status, 200, text)
  assert.equal((JSON.parse(text) as { type: string }).type, 'proxyauth')
}

function isRefused({ status, text }: Answer): void {
  assert.equal(status, 401, text)
  assert.match((JSON.parse(text) as { message: string }).message, REMEDY)
}

describe('on every address of the machine', () => {
  let folder: TempFolder
  let server: ServerProcess
  const serve = () =>
    startServer({
      program: 'bin/airlock',
      args: ['serve', '--serverdir', join(folder.path, 'server'), '--no-root-pypi', '--host', '0.0.0.0'],
    })
  const on = (address: string) => `http://${address}:${server.port}`

  before(async () => {
    folder = await tempFolder()
    server = await serve()
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await folder.remove()
  })

  test('the server says that root has no password', async () => {
    // Said after the line that tools wait for.
    for (let attempt = 0; attempt < 100 && !server.output().includes('EMPTY'); attempt++) await delay(50)
    assert.match(server.output(), /WARNING: root has an EMPTY PASSWORD/)
    assert.match(server.output(), /airlock passwd root --serverdir/)
  })
  for (const { address } of OWN.filter(({ family }) => family === 'IPv4')) {
    test(`root logs in with the empty password by way of ${address}`, async () => isTaken(await login(on(address))))
  }
  test('a wrong password is told as wrong, without a word on the empty one', async () => {
    const { status, text } = await login(on('127.0.0.1'), 'guess')
    assert.equal(status, 401)
    assert.doesNotMatch(text, /empty/)
  })

  if (canMakeMachines()) {
    test('another machine is refused, with the sentence that says how to set a password', async () => {
      await using other = await otherMachine()
      isTaken(await login(on(other.thisMachine)))
      isRefused(JSON.parse((await other.run(loginScript(on(other.thisMachine)))).stdout) as Answer)
      const put = JSON.parse((await other.run(putScript(on(other.thisMachine)))).stdout) as Answer
      assert.match(String(put.status), /^40[13]$/, put.text)
      assert.equal((await fetch(`${on('127.0.0.1')}/root/smuggled`)).status, 404)
    })
  }

  test('with a password set while the server is stopped, that one works from anywhere and the old one nowhere', async () => {
    const port = String(server.port)
    await server[Symbol.asyncDispose]()
    const set = await runProgram(
      join(CHECKOUT, 'bin/airlock'),
      ['passwd', 'root', '--serverdir', join(folder.path, 'server')],
      { cwd: folder.path, env: cleanEnv(folder.path), input: 'correct horse\n' },
    )
    assert.equal(set.code, 0, set.output)
    assert.doesNotMatch(set.output, /correct horse/)
    server = await startServer({
      program: 'bin/airlock',
      args: ['serve', '--serverdir', join(folder.path, 'server'), '--host', '0.0.0.0', '--port', port],
    })
    assert.doesNotMatch(server.output(), /EMPTY PASSWORD/)
    isTaken(await login(on('127.0.0.1'), 'correct horse'))
    const old = await login(on('127.0.0.1'))
    assert.equal(old.status, 401)
    assert.doesNotMatch(old.text, /accepted only/)
    if (!canMakeMachines()) return
    await using other = await otherMachine()
    isTaken(JSON.parse((await other.run(loginScript(on(other.thisMachine), 'correct horse'))).stdout) as Answer)
  })
})

for (const [what, args, isLoud] of [
  ['listens on this machine alone', ['--host', '127.0.0.1'], false],
  ['listens on a socket, as for a proxy', ['--host', '127.0.0.1', '--unix-socket', 'socket'], true],
  ['trusts a proxy', ['--host', '127.0.0.1', '--trusted-proxy', '127.0.0.1'], true],
  ['has an address outside', ['--host', '127.0.0.1', '--outside-url', 'https://index.example'], true],
] as const) {
  test(`a server that ${what} is ${isLoud ? 'loud' : 'silent'} about the empty password`, async () => {
    await using folder = await tempFolder()
    const places = args.map((each) => (each === 'socket' ? join(folder.path, each) : each))
    const server = await startServer({
      program: 'bin/airlock',
      args: ['serve', '--serverdir', join(folder.path, 'server'), '--no-root-pypi', '--port', '0', ...places],
    })
    // What it has to say of its start is said when it has ended.
    await server[Symbol.asyncDispose]()
    assert.equal(server.output().includes('EMPTY PASSWORD'), isLoud, server.output())
  })
}

if (OWN.some(({ address }) => address === '::1')) {
  describe('on both families of addresses', () => {
    for (const { address, family } of OWN) {
      const host = family === 'IPv6' ? `[${address}]` : address
      test(`root logs in with the empty password by way of ${host}`, async () => {
        await using folder = await tempFolder()
        await using server = await startServer({
          program: 'bin/airlock',
          args: ['serve', '--serverdir', join(folder.path, 'server'), '--no-root-pypi', '--host', '::'],
        })
        isTaken(await login(`http://${host}:${server.port}`))
      })
    }
  })
}

describe('whoever is not on the machine, or may not be', () => {
  let server: InProcessServer
  before(async () => {
    server = await startInProcess({ flags: { no_root_pypi: true } })
    assert.equal((await inject('PUT', '/root/kept', '127.0.0.1', BASIC, INDEX)).status, 200)
  })
  after(() => server[Symbol.asyncDispose]())

  async function inject(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    remoteAddress: string,
    headers: Record<string, string>,
    payload: object,
  ): Promise<Answer> {
    const { statusCode, body } = await server.app.inject({ method, url, remoteAddress, headers, payload })
    return { status: statusCode, text: body }
  }
  const logIn = (from: string, headers: Record<string, string> = {}, password = '') =>
    inject('POST', '/+login', from, headers, { user: 'root', password })

  for (const from of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    test(`${from} is this machine`, async () => isTaken(await logIn(from)))
  }
  for (const from of [
    STRANGER,
    `::ffff:${STRANGER}`,
    '2001:db8::9',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '0.0.0.0',
    '128.0.0.1',
  ]) {
    test(`${from} is another`, async () => isRefused(await logIn(from)))
  }

  for (const [what, headers] of [
    ['X-Forwarded-For of a stranger', { 'x-forwarded-for': STRANGER }],
    ['X-Forwarded-For of a stranger who claims to be local', { 'x-forwarded-for': `127.0.0.1, ${STRANGER}` }],
    ['X-Forwarded-For that ends locally', { 'x-forwarded-for': `${STRANGER}, 127.0.0.1` }],
    ['X-Real-IP of a stranger', { 'x-real-ip': STRANGER }],
    ['X-Real-IP of a stranger and a local X-Forwarded-For', { 'x-real-ip': STRANGER, 'x-forwarded-for': '127.0.0.1' }],
    ['X-Forwarded-Host alone', { 'x-forwarded-host': 'index.example' }],
    ['X-Forwarded-Proto alone', { 'x-forwarded-proto': 'https' }],
    ['X-Outside-Url alone', { 'x-outside-url': 'https://index.example' }],
    ['Forwarded', { forwarded: `for=${STRANGER}` }],
    ['Via', { via: '1.1 proxy.example' }],
    ['an empty X-Forwarded-For', { 'x-forwarded-for': '' }],
  ] as const satisfies readonly (readonly [string, Record<string, string>])[]) {
    test(`a proxy on this machine that sends ${what} speaks for a stranger`, async () => {
      isRefused(await logIn('127.0.0.1', headers))
    })
  }

  for (const [method, url, payload] of [
    ['PUT', '/root/smuggled', INDEX],
    ['PATCH', '/root', { title: 'smuggled' }],
    ['DELETE', '/root/kept', {}],
    ['PATCH', '/root', { password: 'x' }],
  ] as const) {
    for (const headers of [BASIC, { 'x-devpi-auth': Buffer.from('root:').toString('base64') }]) {
      test(`${method} ${url} ${JSON.stringify(payload)} by ${Object.keys(headers)[0]} with the empty password is nobody's`, async () => {
        const { status, text } = await inject(method, url, STRANGER, headers, payload)
        assert.match(String(status), /^40[13]$/, text)
        const proxied = await inject(method, url, '127.0.0.1', { ...headers, 'x-forwarded-for': STRANGER }, payload)
        assert.match(String(proxied.status), /^40[13]$/, proxied.text)
      })
    }
  }

  test('+api tells a stranger that the empty password is nobody', async () => {
    const { body } = await server.app.inject({ url: '/+api', remoteAddress: STRANGER, headers: BASIC })
    assert.equal((JSON.parse(body) as { result: { authstatus: string[] } }).result.authstatus[0], 'noauth')
    const local = await server.app.inject({ url: '/+api', remoteAddress: '127.0.0.1', headers: BASIC })
    assert.equal((JSON.parse(local.body) as { result: { authstatus: string[] } }).result.authstatus[0], 'ok')
  })

  test('an index made on the machine itself is made', async () => {
    assert.equal((await inject('PUT', '/root/own', '127.0.0.1', BASIC, INDEX)).status, 200)
  })

  test('a password set on the machine itself works from anywhere', async () => {
    assert.equal((await inject('PATCH', '/root', '127.0.0.1', BASIC, { password: 'set now' })).status, 200)
    isTaken(await logIn(STRANGER, {}, 'set now'))
    assert.equal((await logIn('127.0.0.1')).status, 401)
  })
})
