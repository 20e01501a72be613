import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import axe from 'axe-core'
import type { Frame, Page } from 'playwright-core'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { startBrowser, type TestBrowser } from '../programs/browser.ts'
import { type InProcessServer, startInProcess } from '../trouble/in-process-server.ts'
import { programFetch } from '../world/program-fetch.ts'

const LOGIN = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }
const FILE = wheel({ name: 'acme', version: '1.0' })
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }

/** What documentation may try; each leaves a word in `window.tried`. */
const PRYING = `
  window.tried = {}
  const tries = {
    cookie: () => document.cookie,
    storage: () => localStorage.length,
    parent: () => parent.document.title,
    top: () => top.location.pathname,
    opener: () => (window.opener ? 'opener' : undefined.x),
    leaving: () => { if (top !== self) top.location.href = '/taken'; return 'tried' },
  }
  for (const [what, attempt] of Object.entries(tries)) {
    try { tried[what] = 'got ' + attempt() } catch (error) { tried[what] = error.name }
  }
  tried.origin = self.origin
  Promise.all(['/+api', '/root/dev', location.href].map((url) => fetch(url, { credentials: 'include' }).then(
    (answer) => 'got ' + answer.status, (error) => error.name))).then((found) => { tried.fetches = found })
`

/** In the shape that Sphinx gives: static files in a folder, a search that is all script, links between pages. */
const DOCS = zip([
  {
    name: 'index.html',
    content: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Acme docs</title>
<link rel="stylesheet" href="_static/basic.css"><script src="_static/doctools.js"></script></head>
<body><h1>Welcome</h1><p id="built">not built</p><a href="guide/start.html">Getting started</a>
<form action="search.html" method="get"><input name="q" aria-label="Search"><button>Go</button></form></body></html>`,
  },
  {
    name: 'search.html',
    content: `<!doctype html><html lang="en"><head><title>Search</title><script src="searchindex.js"></script></head>
<body><h1>Search</h1><p id="found"></p><script src="_static/searchtools.js"></script></body></html>`,
  },
  { name: 'guide/start.html', content: '<!doctype html><title>Start</title><h1>Start here</h1><a href="../">Up</a>' },
  { name: 'hostile.html', content: `<!doctype html><title>Hostile</title><h1>Hostile</h1><script>${PRYING}</script>` },
  { name: '_static/basic.css', content: 'h1 { color: rgb(1, 2, 3) }' },
  {
    name: '_static/doctools.js',
    content: `addEventListener('DOMContentLoaded', () => { document.getElementById('built').textContent = 'built' })`,
  },
  { name: 'searchindex.js', content: `window.terms = { anvil: 'guide/start.html' }` },
  {
    name: '_static/searchtools.js',
    content: `const q = new URLSearchParams(location.search).get('q')
document.getElementById('found').textContent = q + ' is in ' + terms[q]`,
  },
])

let server: InProcessServer
let browser: TestBrowser

before(async () => {
  server = await startInProcess({ flags: { no_root_pypi: true } })
  browser = await startBrowser()
  await sends('PUT', '/root/dev', JSON.stringify({ type: 'stage', bases: [] }), 'application/json')
  await uploads({ ':action': 'file_upload', name: 'acme', version: '1.0' }, FILE.filename, FILE.bytes)
  await uploads({ ':action': 'doc_upload', name: 'acme', version: '1.0' }, 'acme.zip', DOCS)
  await uploads({ ':action': 'doc_upload', name: 'acme', version: '0.9' }, 'acme.zip', DOCS)
  const run = { command: ['pytest', '-x'], output: '<b>ran</b>\n'.repeat(100), retcode: 1 }
  const testenvs = { py312: { python: { version: '3.12.1' }, setup: [{ ...run, retcode: 0 }], test: [run] } }
  const address = `/root/dev/+f/${FILE.sha256.slice(0, 3)}/${FILE.sha256.slice(3, 16)}/${FILE.filename}`
  await sends('POST', address, JSON.stringify({ host: 'builder', platform: 'linux', testenvs }), 'application/json')
})
after(async () => {
  await browser?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

test('somebody reads documentation in its frame: scripts run, links lead on, the search finds', async () => {
  await using tab = await browser.newPage(server.url)
  const { page } = tab
  await page.goto('/root/dev/acme/1.0')
  await page.getByRole('link', { name: 'Documentation', exact: true }).click()
  await page.waitForURL(/\/\+d\/index\.html$/)
  const docs = await documentFrame(page)
  await docs.getByText('built', { exact: true }).waitFor()
  const color = await docs.evaluate(`getComputedStyle(document.querySelector('h1')).color`)
  assert.equal(color, 'rgb(1, 2, 3)', 'its own style is there')
  await docs.getByRole('link', { name: 'Getting started' }).click()
  await docs.getByText('Start here').waitFor()
  await docs.getByRole('link', { name: 'Up' }).click()
  await docs.getByRole('textbox').fill('anvil')
  await docs.getByRole('button', { name: 'Go' }).click()
  await docs.getByText('anvil is in guide/start.html').waitFor()
  assert.match(page.url(), /\/\+d\/index\.html$/, 'the page around it stays')
  assert.deepEqual(tab.complaints, [])
})

for (const place of ['+d', '+doc']) {
  test(`hostile documentation in ${place} runs, and reaches nothing of ours`, async () => {
    await using tab = await browser.newPage(server.url)
    const { page } = tab
    await page.context().addCookies([{ name: 'session', value: 'secret', url: server.url }])
    await page.goto('/')
    await page.evaluate(`localStorage.setItem('token', 'secret')`)
    const address = `/root/dev/acme/1.0/${place}/hostile.html`
    await page.goto(address)
    const docs = place === '+d' ? await documentFrame(page) : page.mainFrame()
    await docs.waitForFunction('window.tried && window.tried.fetches')
    const tried = (await docs.evaluate('window.tried')) as Record<string, unknown>
    assert.equal(tried.cookie, 'SecurityError')
    assert.equal(tried.storage, 'SecurityError')
    assert.equal(tried.origin, 'null')
    assert.deepEqual(tried.fetches, ['TypeError', 'TypeError', 'TypeError'])
    if (place === '+d') {
      assert.equal(tried.parent, 'SecurityError')
      assert.equal(tried.top, 'SecurityError')
      assert.equal(tried.leaving, 'SecurityError')
      assert.equal(page.url(), server.url + address)
      assert.equal(await page.evaluate('window.tried'), undefined)
    }
  })
}

const PAGES = [
  '/root/dev/acme/1.0/+d/index.html',
  '/root/dev/acme/0.9/+d/index.html',
  '/root/dev/acme/1.0',
  '/root/dev/acme',
  '/root/dev',
  `/root/dev/acme/1.0/+toxresults/${FILE.filename}`,
]

for (const [device, options] of [
  ['a wide window', {}],
  ['a phone', PHONE],
  ['a dark one', { colorScheme: 'dark' as const }],
] as const) {
  test(`the pages around documentation and tests are readable by everybody in ${device}`, async () => {
    await using tab = await browser.newPage(server.url, options)
    const { page } = tab
    // The test result itself is one click further.
    await page.goto(PAGES.at(-1)!)
    await page.getByRole('link', { name: 'py312' }).click()
    await page.waitForURL(/toxresult-/)
    assert.equal(await page.locator('pre b').count(), 0, 'what a test printed is text')
    for (const path of [...PAGES, page.url()]) {
      await page.goto(path)
      assert.deepEqual(await violations(page), [], path)
      const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      assert.equal(wider, 0, `${path} scrolls sideways`)
    }
    assert.deepEqual(tab.complaints, [])
  })
}

async function documentFrame(page: Page): Promise<Frame> {
  const element = await page.waitForSelector('iframe.documentation')
  const frame = await element.contentFrame()
  assert.ok(frame !== null)
  return frame
}

/** Of the page of ours: what is in the frame is its authors' own. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = (await page.evaluate('axe.run(document, { iframes: false })')) as {
    violations: { id: string; help: string; nodes: { html: string }[] }[]
  }
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html.slice(0, 300)}`)
}

async function uploads(fields: Readonly<Record<string, string>>, filename: string, content: Buffer): Promise<void> {
  const form = multipart([...fieldParts(fields), { name: 'content', filename, content }])
  await sends('POST', '/root/dev/', form.body, form.contentType)
}

async function sends(method: string, path: string, body: string | Buffer, type: string): Promise<void> {
  const headers = { ...LOGIN, 'content-type': type }
  const answer = await programFetch(server.url + path, { method, headers, body })
  assert.equal(answer.status, 200, `${method} ${path}: ${await answer.text()}`)
}
