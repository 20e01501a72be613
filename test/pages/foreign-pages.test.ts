/** A real browser over plain HTTP, whose user's credentials go with every request: pages of elsewhere and uploaded documentation change nothing. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { startBrowser, type TestBrowser } from '../programs/browser.ts'
import { type InProcessServer, startInProcess } from '../trouble/in-process-server.ts'
import { watchChangingRoutes } from '../world/changing-routes.ts'
import { programFetch } from '../world/program-fetch.ts'

const LOGIN = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }
/** With a password: the empty one no browser's request gets in by. */
const REMEMBERED = { authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}` }
const routes = watchChangingRoutes()

/** What a page does with an address: all that a browser sends for it without asking us first, and what it asks first. */
const ATTACK = `async (method, url) => {
  const form = (enctype) => {
    const frame = document.createElement('iframe')
    frame.name = 'into' + Math.random()
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: url, enctype, target: frame.name })
    for (const [name, value] of Object.entries({ ':action': 'submit', name: 'evil', version: '1.0', '{"a":"': '"}' })) {
      const input = document.createElement('input')
      Object.assign(input, { type: 'hidden', name, value })
      form.append(input)
    }
    document.body.append(frame, form)
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
    form.submit()
    return Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, 2000))]).then(() => frame.remove())
  }
  const ask = (init) => fetch(url, { credentials: 'include', ...init }).then((answer) => answer.status, () => 0)
  const found = []
  if (method === 'POST') {
    for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']) await form(type)
    const body = new FormData()
    for (const [name, value] of [[':action', 'submit'], ['name', 'evil'], ['version', '1.0']]) body.append(name, value)
    found.push(await ask({ method, mode: 'no-cors', body }))
    for (const body of ['{}', new Blob(['{}']), new URLSearchParams({ ':action': 'submit', name: 'evil', version: '1.0' })]) {
      found.push(await ask({ method, mode: 'no-cors', body }), await ask({ method, mode: 'no-cors', body, referrerPolicy: 'no-referrer' }))
    }
    navigator.sendBeacon(url, '{}')
  }
  found.push(await ask({ method }), await ask({ method, body: '{}', headers: { 'content-type': 'application/json' } }))
  return found
}`

/** No names of this machine: to those, browsers say more (`Sec-Fetch-Site`), as over TLS. */
const [OURS, THEIRS] = ['index.company.test', 'elsewhere.test']

let server: InProcessServer
/** As people's browsers know it. */
let home: string
let browser: TestBrowser
let elsewhere: { readonly url: string; readonly server: Server }
let changing: readonly { method: string; path: string }[]
let requests: { readonly line: string; readonly status: number }[] = []

before(async () => {
  server = await startInProcess({ flags: { no_root_pypi: true, upload_sessions: true } })
  changing = [...routes]
  browser = await startBrowser({ names: [OURS, THEIRS] })
  home = `http://${OURS}:${new URL(server.url).port}`
  const page = createServer((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Elsewhere</title><body>')
  })
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
  elsewhere = { url: `http://${THEIRS}:${(page.address() as AddressInfo).port}`, server: page }
  await sends('PUT', '/alice', JSON.stringify({ password: 'secret' }), 'application/json', LOGIN, 201)
  await sends('PUT', '/alice/dev', '{}', 'application/json')
  const file = wheel({ name: 'acme', version: '1.0' })
  await uploads({ ':action': 'file_upload', name: 'acme', version: '1.0' }, file.filename, file.bytes)
})
after(async () => {
  elsewhere.server.closeAllConnections()
  elsewhere.server.close()
  await browser[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

test('no page of elsewhere changes anything, at any address, with the credentials of its user', {
  timeout: 300_000,
}, async () => {
  await using opened = await browser.newPage(elsewhere.url, { extraHTTPHeaders: REMEMBERED }, [home])
  const { page } = opened
  watchRequests(page)
  await page.goto('/')
  const before = await server.stores.catalog.latestSerial()
  for (const { method, path } of changing) {
    if (method === 'TRACE' || method === 'QUERY') continue
    const found = await page.evaluate(`(${ATTACK})(${JSON.stringify(method)}, ${JSON.stringify(home + path)})`)
    assert.ok(Array.isArray(found) && found.every((status) => status === 0), `${method} ${path}: ${found}`)
    assert.equal(await server.stores.catalog.latestSerial(), before, `${method} ${path}`)
  }
  const sent = requests.filter(({ line }) => line.startsWith('POST '))
  assert.ok(sent.length > 50, `${sent.length} requests came from the page`)
  for (const { line, status } of sent) assert.equal(status, 403, line)
  const whom = await programFetch(`${server.url}/+api`, { headers: REMEMBERED })
  assert.match(await whom.text(), /"alice"/, 'what the browser remembers is good')
})

test('documentation that somebody uploaded changes nothing, in its frame or by itself', async () => {
  const script = `window.done = (async () => {
    const attack = ${ATTACK}
    return [...await attack('POST', '/alice/dev/'), ...await attack('PUT', '/alice/evil'), ...await attack('POST', '/alice/+tokens')]
  })()`
  const docs = zip([
    { name: 'index.html', content: `<!doctype html><title>Docs</title><body><script>${script}</script>` },
  ])
  await uploads({ ':action': 'doc_upload', name: 'acme', version: '1.0' }, 'acme.zip', docs)
  for (const path of ['/alice/dev/acme/1.0/+d/index.html', '/alice/dev/acme/1.0/+doc/index.html']) {
    await using opened = await browser.newPage(home, { extraHTTPHeaders: REMEMBERED })
    const { page } = opened
    watchRequests(page)
    const before = await server.stores.catalog.latestSerial()
    await page.goto(path)
    const frame = path.includes('+doc')
      ? page.mainFrame()
      : page.frames().find((each) => each.url().includes('/+doc/'))!
    const found = (await frame.evaluate('window.done')) as number[]
    assert.ok(found.length > 8 && found.every((status) => status === 0), `${found}`)
    assert.equal(await server.stores.catalog.latestSerial(), before, path)
    const sent = requests.filter(({ line }) => line.startsWith('POST '))
    assert.ok(sent.length > 5 && sent.every(({ status }) => status === 403), JSON.stringify(sent))
  }
})

test('a page of ours changes what its user may, by a form and by a script', async () => {
  await using opened = await browser.newPage(home, { extraHTTPHeaders: REMEMBERED })
  const { page } = opened
  await page.goto('/alice/dev')
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    page.evaluate(`(() => {
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', action: '/alice/dev/', enctype: 'multipart/form-data' })
      for (const [name, value] of Object.entries({ ':action': 'submit', name: 'ours', version: '1.0' })) {
        const input = document.createElement('input')
        Object.assign(input, { type: 'hidden', name, value })
        form.append(input)
      }
      document.body.append(form)
      form.submit()
    })()`),
  ])
  assert.equal(answer.status(), 200, await answer.text())
  assert.equal((await answer.request().allHeaders()).origin, home)
  assert.equal(
    (await programFetch(`${server.url}/alice/dev/ours`, { headers: { accept: 'application/json' } })).status,
    200,
  )
})

test('a browser is not asked for a password that it would then send for everybody', async () => {
  await sends('PATCH', '/alice/dev', '["acl_pkg_read=alice"]', 'application/json')
  await using opened = await browser.newPage(home)
  for (const path of ['/alice/dev', '/alice/dev/+simple/', '/alice/dev/acme/1.0']) {
    const answer = await opened.page.goto(path)
    assert.deepEqual([answer?.status(), answer?.headers()['www-authenticate']], [401, undefined], path)
  }
  const asked = await programFetch(`${server.url}/alice/dev/+simple/`, { headers: { 'user-agent': 'pip/26.0' } })
  assert.deepEqual([asked.status, asked.headers.get('www-authenticate')], [401, 'Basic realm="pypi"'])
})

/** What the page sent to the server and what it was answered, from now on. */
function watchRequests(page: Page): void {
  requests = []
  page.on('response', (response) => {
    if (response.url().startsWith(home)) {
      requests.push({ line: `${response.request().method()} ${response.url()}`, status: response.status() })
    }
  })
}

async function uploads(fields: Readonly<Record<string, string>>, filename: string, content: Buffer): Promise<void> {
  const form = multipart([...fieldParts(fields), { name: 'content', filename, content }])
  await sends('POST', '/alice/dev/', form.body, form.contentType)
}

async function sends(
  method: string,
  path: string,
  body: string | Buffer,
  type: string,
  who: Readonly<Record<string, string>> = REMEMBERED,
  status = 200,
): Promise<void> {
  const answer = await programFetch(server.url + path, { method, headers: { ...who, 'content-type': type }, body })
  assert.equal(answer.status, status, `${method} ${path}: ${await answer.text()}`)
}
