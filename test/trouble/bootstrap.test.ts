/** The empty password of root: whose request it counts for, over which way, in which form. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { nginxSite } from '../../src/cli/templates/nginx-template.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startBrowser } from '../programs/browser.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { hasNginx, startNginx } from '../programs/nginx.ts'
import { freePort } from '../world/free-port.ts'
import { type InProcessServer, startInProcess } from './in-process-server.ts'

const PAIR = Buffer.from('root:').toString('base64')
const PROGRAM = { 'user-agent': 'devpi-client/7.2.0 (py3.13; linux)', accept: 'application/json' }

/** The ways to say the empty password; each gives whether it counted. */
const WAYS = {
  login: { method: 'POST', path: '/+login', headers: { 'content-type': 'application/json' }, body: true },
  basic: { method: 'GET', path: '/+api', headers: { authorization: `Basic ${PAIR}` }, body: false },
  'x-devpi-auth': { method: 'GET', path: '/+api', headers: { 'x-devpi-auth': PAIR }, body: false },
} as const
type Way = keyof typeof WAYS
const LOGIN_BODY = JSON.stringify({ user: 'root', password: '' })

let server: InProcessServer
let port: number
before(async () => {
  server = await startInProcess({
    flags: { no_root_pypi: true, outside_url: 'https://index.example/pypi', allowed_hosts: ['*.corp.example'] },
  })
  port = Number(new URL(server.url).port)
})
after(() => server[Symbol.asyncDispose]())

/** The request as text; `head` has what differs from a program's plain one. */
function requestText(
  way: Way,
  head: { version?: string; headers?: Readonly<Record<string, string | undefined>> },
): string {
  const { method, path, headers, body } = WAYS[way]
  const said: Record<string, string | undefined> = {
    host: `127.0.0.1:${port}`,
    ...PROGRAM,
    ...headers,
    ...(body && { 'content-length': String(LOGIN_BODY.length) }),
    ...head.headers,
  }
  const lines = Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return `${[`${method} ${path} HTTP/${head.version ?? '1.1'}`, ...lines].join('\r\n')}\r\n\r\n${body ? LOGIN_BODY : ''}`
}

/** Sends it and gives what came back up to the end of the answer's JSON. */
async function exchange(text: string, to: { port: number; host?: string }): Promise<string> {
  const socket = connect({ host: '127.0.0.1', ...to })
  socket.write(text)
  let got = ''
  try {
    for await (const chunk of socket.setEncoding('utf8')) {
      got += chunk
      const [head = '', body = ''] = got.split('\r\n\r\n')
      if (body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)) break
    }
  } finally {
    socket.destroy()
  }
  return got
}

function isTaken(way: Way, answer: string): boolean {
  const status = Number(answer.split(' ')[1])
  if (way === 'login') {
    assert.ok(status === 200 || status === 401 || status === 403, answer)
    return status === 200
  }
  assert.equal(status, 200, answer)
  return answer.includes('"ok",\n      "root"')
}

async function counts(way: Way, head: Parameters<typeof requestText>[1] = {}, to = { port }): Promise<boolean> {
  return isTaken(way, await exchange(requestText(way, head), to))
}

/** As proxies, content networks and load balancers of many vendors tell whom they speak for; the last are nobody's. */
const FORWARDING = [
  'Forwarded',
  'Via',
  'X-Forwarded',
  'X-Forwarded-By',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Proto',
  'X-Forwarded-Scheme',
  'X-Forwarded-Server',
  'X-Forwarded-Ssl',
  'X-Forwarded-User',
  'Forwarded-For',
  'X-Real-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'Client-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'CF-Ray',
  'CDN-Loop',
  'Fastly-Client-IP',
  'Fastly-FF',
  'Fly-Client-IP',
  'X-Azure-ClientIP',
  'X-Appengine-User-Ip',
  'X-Amzn-Trace-Id',
  'X-Amz-Cf-Id',
  'X-ARR-LOG-ID',
  'X-Envoy-External-Address',
  'X-Envoy-Expected-Rq-Timeout-Ms',
  'X-Original-For',
  'X-Original-Host',
  'X-Original-URL',
  'X-Original-Uri',
  'X-Original-Forwarded-For',
  'X-Outside-Url',
  'X-ProxyUser-Ip',
  'X-Rewrite-URL',
  'X-Request-ID',
  'X-Scheme',
  'X-Varnish',
  'Front-End-Https',
  'Proxy-Connection',
  'Proxy-Authorization',
  'Max-Forwards',
  'Traceparent',
  'X-B3-TraceId',
  'X-Remote-User',
  'SSL-Client-Cert',
  'X-Sendfile-Type',
  'Surrogate-Capability',
  'Of-A-Vendor-To-Come',
] as const

const OF_BROWSERS = [
  ['Origin', 'null'],
  ['Origin', 'http://127.0.0.1'],
  ['Referer', 'http://127.0.0.1/'],
  ['Cookie', 'a=b'],
  ['Sec-Fetch-Site', 'none'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Dest', 'empty'],
  ['Sec-CH-UA', '"x"'],
  ['Accept-Language', 'de'],
  ['Upgrade-Insecure-Requests', '1'],
  ['DNT', '1'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
] as const

for (const way of Object.keys(WAYS) as Way[]) {
  describe(`the empty password by ${way}`, () => {
    test('counts for a program', async () => assert.ok(await counts(way)))
    test('counts for what curl, wget and libraries send besides', async () => {
      const headers = {
        'user-agent': 'curl/8',
        te: 'trailers',
        pragma: 'no-cache',
        'accept-encoding': 'gzip',
        accept: '*/*',
      }
      assert.ok(await counts(way, { headers }))
      assert.ok(await counts(way, { headers: { 'user-agent': undefined, accept: undefined } }))
    })
    for (const name of FORWARDING) {
      test(`does not count with ${name}`, async () => {
        assert.equal(await counts(way, { headers: { [name]: '127.0.0.1' } }), false)
        assert.equal(await counts(way, { headers: { [name]: '' } }), false)
      })
    }
    for (const [name, value] of OF_BROWSERS) {
      test(`does not count with ${name}: ${value}`, async () => {
        assert.equal(await counts(way, { headers: { [name.toLowerCase()]: value } }), false)
      })
    }
    test('does not count over HTTP/1.0, with or without Host', async () => {
      assert.equal(await counts(way, { version: '1.0' }), false)
      assert.equal(await counts(way, { version: '1.0', headers: { connection: 'keep-alive' } }), false)
      assert.equal(await counts(way, { version: '1.0', headers: { host: undefined } }), false)
    })
    for (const said of ['airlock/1.0 (Python package index; Node.js 24.1.0; linux)', 'airlock/1.0', 'Airlock/2']) {
      test(`does not count for the server itself, which calls itself ${said}`, async () => {
        assert.equal(await counts(way, { headers: { 'user-agent': said } }), false)
      })
    }

    for (const name of [
      '127.0.0.1',
      '127.1.2.3',
      'localhost',
      'LocalHost',
      'localhost.',
      '[::1]',
      'index.example',
      'a.corp.example',
      ...ownNames(),
    ]) {
      test(`counts for who asks ${name}`, async () => {
        assert.ok(await counts(way, { headers: { host: `${name}:${port}` } }))
      })
    }
    for (const name of ['127.0.0.1', 'localhost', 'index.example']) {
      test(`does not count for who asks ${name} at another port: something passes it on`, async () => {
        assert.equal(await counts(way, { headers: { host: name } }), false)
        assert.equal(await counts(way, { headers: { host: `${name}:443` } }), false)
      })
    }
  })
}

/** This machine's, as they stand in an address. */
function ownNames(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all
    .filter(({ address, internal }) => !internal && !address.startsWith('fe80:'))
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address))
}

describe('a name that is not ours', () => {
  let open: InProcessServer
  let openPort: number
  before(async () => {
    open = await startInProcess({ flags: { no_root_pypi: true } })
    openPort = Number(new URL(open.url).port)
  })
  after(() => open[Symbol.asyncDispose]())

  for (const name of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.localhost.example',
    '10.99.99.99',
    '[2001:db8::1]',
    '0x7f.1',
    '2130706433',
    'localhost:1@evil.example',
    '',
  ]) {
    for (const way of Object.keys(WAYS) as Way[]) {
      test(`${JSON.stringify(name)} is where DNS may have led a browser: no empty password by ${way}`, async () => {
        const head = { headers: { host: name === '' ? '' : `${name}:${openPort}` } }
        const answer = await exchange(requestText(way, head), { port: openPort })
        assert.ok(answer.startsWith('HTTP/1.1 400') || !isTaken(way, answer), answer)
      })
    }
  }

  test('two hosts are none', async () => {
    const two = requestText('basic', {}).replace('\r\n', `\r\nhost: 127.0.0.1:${openPort}\r\n`)
    const answer = await exchange(two, { port: openPort })
    assert.ok(answer.startsWith('HTTP/1.1 400') || !isTaken('basic', answer), answer)
  })

  test('the refusal says what was in the way', async () => {
    const said = async (headers: Record<string, string>) => {
      const answer = await exchange(requestText('login', { headers: { host: `127.0.0.1:${openPort}`, ...headers } }), {
        port: openPort,
      })
      return (JSON.parse(answer.split('\r\n\r\n')[1]!) as { hint: string }).hint
    }
    assert.equal(await said({ via: 'x' }), 'this request has the header "via", as from a browser or a proxy')
    assert.match(await said({ host: 'evil.example' }), /names the host "evil\.example", which is no address/)
  })
})

describe('what passes requests on', () => {
  /** As nginx does with `proxy_pass http://127.0.0.1:PORT` and nothing else: HTTP/1.0, the address as Host, the client's headers. */
  test('a plain nginx speaks for strangers', async () => {
    await using proxy = await relay((socket) => {
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk
        if (!text.includes('\r\n\r\n')) return
        const passed = text
          .replace(' HTTP/1.1\r\n', ' HTTP/1.0\r\n')
          .replace(/host: [^\r]*/i, `Host: 127.0.0.1:${port}\r\nConnection: close`)
        text = ''
        const upstream = connect(port, '127.0.0.1')
        upstream.on('error', () => socket.destroy())
        upstream.write(passed)
        upstream.pipe(socket)
      })
    })
    for (const way of Object.keys(WAYS) as Way[]) assert.equal(await counts(way, {}, proxy), false, way)
  })

  test('nginx as generated speaks for strangers, by any one of the headers that it sets', async () => {
    const passed = [...site(`http://127.0.0.1:${port}`).matchAll(/proxy_set_header (\S+) (\S+);/g)]
      .map(([, name = '', value]) => [name, value === '""' ? '' : '127.0.0.1'] as const)
      .filter(([name, value]) => value !== '' && name.toLowerCase() !== 'host')
    assert.ok(passed.length > 4)
    for (const way of Object.keys(WAYS) as Way[]) {
      assert.equal(await counts(way, { headers: Object.fromEntries(passed) }), false)
      for (const [name, value] of passed) assert.equal(await counts(way, { headers: { [name]: value } }), false, name)
    }
  })

  test('a real nginx as generated, where there is one, speaks for strangers', async () => {
    if (!(await hasNginx())) return
    const outer = await freePort()
    await using _nginx = await startNginx(site(`http://127.0.0.1:${outer}`), outer)
    for (const way of Object.keys(WAYS) as Way[]) {
      for (const host of [`127.0.0.1:${outer}`, `127.0.0.1:${port}`]) {
        assert.equal(await counts(way, { headers: { host } }, { port: outer }), false, way)
      }
    }
  })

  test('a proxy that is trusted speaks for strangers, whatever it sends', async () => {
    for (const trusted_proxy of ['localhost', '127.0.0.0/8', '*']) {
      await using behind = await startInProcess({ flags: { no_root_pypi: true, trusted_proxy } })
      const inner = Number(new URL(behind.url).port)
      for (const way of Object.keys(WAYS) as Way[]) {
        const text = requestText(way, { headers: { host: `127.0.0.1:${inner}` } })
        assert.equal(isTaken(way, await exchange(text, { port: inner })), false, way)
      }
    }
  })

  test('a proxy over TCP speaks for strangers who ask by its own port', async () => {
    await using proxy = await relay((socket) => {
      const upstream = connect(port, '127.0.0.1')
      upstream.on('error', () => socket.destroy())
      socket.pipe(upstream).pipe(socket)
    })
    const headers = { host: `127.0.0.1:${proxy.port}` }
    for (const way of Object.keys(WAYS) as Way[]) assert.equal(await counts(way, { headers }, proxy), false, way)
  })

  test('a proxy in HTTP/1.1 that adds nothing and changes the port is seen by the port', async () => {
    const proxy = createServer((asked, reply) => {
      const passed = httpRequest({
        port,
        host: '127.0.0.1',
        method: asked.method,
        path: asked.url,
        headers: asked.headers,
      })
      passed.on('response', (answer) => {
        reply.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(reply)
      })
      asked.pipe(passed)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    try {
      const at = (proxy.address() as AddressInfo).port
      const headers = { host: `localhost:${at}` }
      for (const way of Object.keys(WAYS) as Way[])
        assert.equal(await counts(way, { headers }, { port: at }), false, way)
    } finally {
      proxy.closeAllConnections()
      await new Promise((resolve) => proxy.close(resolve))
    }
  })
})

if (process.platform === 'linux' && process.getuid?.() === 0) {
  test('a proxy under a service account that changes nothing speaks for strangers', async () => {
    const ask = `const request = require('node:http').request({ host: '127.0.0.1', port: ${port}, path: '/+api', headers: { host: '127.0.0.1:${port}', authorization: 'Basic ${PAIR}' } })
      request.on('response', async (response) => { for await (const chunk of response) process.stdout.write(chunk) })
      request.end()`
    for (const [uid, isTold] of [
      [33, 'noauth'],
      [1234, 'ok'],
    ] as const) {
      const child = spawn(process.execPath, ['-e', ask], { uid, env: cleanEnv('/nonexistent'), cwd: '/' })
      assert.match(await text(child.stdout), new RegExp(`"${isTold}"`), String(uid))
    }
  })
}

describe('a real browser whom DNS has led here', () => {
  test('does not get in with the empty password, and sees nothing where hosts are named', async () => {
    const ATTACK = 'rebound.evil.test'
    await using browser = await startBrowser({ names: [ATTACK] })
    await using open = await startInProcess({ flags: { no_root_pypi: true } })
    await using named = await startInProcess({ flags: { no_root_pypi: true, allowed_hosts: 'index.example' } })
    for (const [site, isSeen] of [
      [open, true],
      [named, false],
    ] as const) {
      const there = `http://${ATTACK}:${new URL(site.url).port}`
      await using opened = await browser.newPage(there)
      // The attacker's page came from the same name before it led here.
      await opened.page.route('**/attack', (route) => route.fulfill({ contentType: 'text/html', body: 'hello' }))
      await opened.page.goto('/attack')
      const answers = await opened.page.evaluate(async (pair) => {
        const ask = async (path: string, init: object) => {
          const answer = await fetch(path, init)
          return { status: answer.status, text: await answer.text() }
        }
        const json = { 'content-type': 'application/json' }
        const login = { method: 'POST', headers: json, body: JSON.stringify({ user: 'root', password: '' }) }
        return {
          login: await ask('/+login', login),
          basic: await ask('/+api', { headers: { authorization: `Basic ${pair}` } }),
          devpi: await ask('/+api', { headers: { 'x-devpi-auth': pair } }),
          made: await ask('/root/evil', { method: 'PUT', headers: { ...json, 'x-devpi-auth': pair }, body: '{}' }),
        }
      }, PAIR)
      assert.equal(answers.login.status, isSeen ? 401 : 421)
      assert.match(answers.made.status.toString(), isSeen ? /^40[13]$/ : /^421$/)
      for (const { status, text } of [answers.basic, answers.devpi]) {
        assert.equal(status, isSeen ? 200 : 421)
        assert.ok(isSeen ? text.includes('noauth') : !text.includes('authstatus'), text)
      }
    }
  })
})

/** The file of gen-config for a server that listens at `port` here. */
function site(outside_url: string): string {
  const flags = { serverdir: '/srv/airlock', host: '127.0.0.1', port: String(port), outside_url }
  const config = loadConfig({ flags, env: {}, cwd: '/srv' })
  return nginxSite(config, { isCaching: false, hostname: 'localhost' })
}

async function relay(serve: (socket: Socket) => void): Promise<{ readonly port: number } & AsyncDisposable> {
  const open = new Set<Socket>()
  const listener = createNetServer((socket) => {
    open.add(socket)
    // Who hangs up has got the answer.
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
