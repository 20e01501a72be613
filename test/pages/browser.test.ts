import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { type WheelOptions, wheel } from '../builders/wheels.ts'
import { startBrowser, type TestBrowser, type TestPage } from '../programs/browser.ts'
import { type InProcessServer, startInProcess } from '../trouble/in-process-server.ts'
import { sendUpload } from '../trouble/upload-request.ts'
import { programFetch } from '../world/program-fetch.ts'
import { HOSTILE_READMES } from './hostile-readmes.ts'
import { startPathProxy } from './path-proxy.ts'

const LOGIN = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
const README = `# Acme

A toolbox for **roadrunners**.

| tool | use |
|---|---|
| anvil | falls |

\`\`\`python
import acme  # ${'a long line of code '.repeat(20)}
\`\`\`

[Home](https://acme.example/) ${'averylongwordwithoutaplacetobreak'.repeat(10)}
`

let server: InProcessServer
let browser: TestBrowser

before(async () => {
  server = await startInProcess({ flags: { no_root_pypi: true } })
  browser = await startBrowser()
  const made = await programFetch(`${server.url}/root/dev`, {
    method: 'PUT',
    headers: { ...LOGIN, 'content-type': 'application/json' },
    // What a strict index refuses for its form comes from mirrors and imports all the same.
    body: JSON.stringify({ type: 'stage', bases: [], upload_checks: 'lenient' }),
  })
  assert.equal(made.status, 200)
  const acme = { name: 'acme-toolbox', summary: 'Anvils, rockets and other tools', requiresPython: '>=3.9' }
  for (const version of ['1.0', '1.1']) {
    await upload({ ...acme, version, description: README, descriptionContentType: 'text/markdown' })
  }
  for (const { name, contentType, text } of HOSTILE_READMES) {
    await upload({ name, version: '1.0', metadata: hostileMetadata(name, contentType, text) })
  }
})
after(async () => {
  await browser?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

test('somebody opens the first page, types a word and finds the uploaded project', async () => {
  await using tab = await browser.newPage(server.url)
  const { page } = tab
  await page.goto('/')
  await findsAcme(page, '')
  assert.deepEqual(tab.complaints, [])
})

for (const [what, word, found] of [
  ['a word of the summary', 'rockets', true],
  ['a word of the description', 'roadrunners', true],
  ['the beginning of the name', 'acme-tool', true],
  ['words of both', 'anvils roadrunners', true],
  ['a word that is nowhere', 'zeppelin', false],
  ['markup', '"><script>window.taken=1</script>', false],
  ['operators of the search engine', 'NEAR(" OR * -', false],
] as const) {
  test(`the search answers ${what}`, async () => {
    await using tab = await browser.newPage(server.url)
    const { page } = tab
    await page.goto('/')
    await page.getByRole('searchbox').fill(word)
    await page.keyboard.press('Enter')
    await page.waitForURL(/\+search/)
    assert.equal(await page.getByRole('searchbox').inputValue(), word)
    assert.equal((await page.getByRole('main').getByRole('link', { name: 'acme-toolbox' }).count()) > 0, found)
    assert.equal(await page.evaluate('window.taken'), undefined)
    assert.deepEqual(tab.complaints, [])
  })
}

describe('a hostile README does nothing', () => {
  for (const { name, contentType } of HOSTILE_READMES) {
    test(`as ${contentType || 'no type at all'}`, async () => {
      await using tab = await browser.newPage(server.url)
      const { page } = tab
      const dialogs: string[] = []
      page.on('dialog', async (dialog) => {
        dialogs.push(dialog.message())
        await dialog.dismiss()
      })
      // What a page without README has, to compare with.
      await page.goto('/root/dev/acme-toolbox/1.1')
      const usual = await globals(page)
      for (const path of [`/root/dev/${name}/1.0`, `/root/dev/${name}`, '/root/dev', '/+search?query=hostile']) {
        await page.goto(path)
        // Time for what loads, refreshes, focuses or starts by itself.
        await page.waitForTimeout(300)
        assert.equal(page.url(), `${server.url}${path}`)
        assert.equal(await page.evaluate('window.taken'), undefined)
        assert.deepEqual(await globals(page), usual)
        assert.equal(page.frames().length, 1)
        assert.deepEqual(await unwelcome(page), [], path)
      }
      await page.goto(`/root/dev/${name}/1.0`)
      const readme = await page.locator('.readme').innerHTML()
      assert.match(readme, /plain link/, 'the harmless part of it is shown')
      // What is left of the bait can be clicked.
      for (const bait of await page.getByText(/(javascript|entity|hex|tab|data|vb) link$/).all()) {
        await bait.click({ timeout: 2000, noWaitAfter: true })
      }
      assert.equal(await page.evaluate('window.taken'), undefined)
      assert.equal(page.url(), `${server.url}/root/dev/${name}/1.0`)
      // The page's own search still is the page's own.
      await page.getByRole('searchbox').fill('rockets')
      await page.keyboard.press('Enter')
      await page.waitForURL(/\+search\?query=rockets/)
      assert.deepEqual(dialogs, [])
      assert.deepEqual(tab.complaints, [])
    })
  }
})

const PAGES = [
  '/',
  '/root',
  '/root/dev',
  '/root/dev/acme-toolbox',
  '/root/dev/acme-toolbox/1.0',
  '/root/dev/acme-toolbox/1.1',
  '/root/dev/hostile-markdown/1.0',
  '/root/dev/hostile-rst/1.0',
  '/+search?query=rockets',
  '/+search?query=nothing-like-it',
  '/+search',
  '/root/dev/no-such-project',
  '/nobody',
]
const MISSING = new Set(PAGES.slice(-2))

for (const [how, options] of [
  ['on a desk', {}],
  ['on a phone', PHONE],
  ['in the dark', { colorScheme: 'dark' }],
] as const) {
  describe(`every page ${how} is accessible and fits its width`, () => {
    for (const path of PAGES) {
      test(path, async () => {
        await using tab = await browser.newPage(server.url, options)
        const answer = await tab.page.goto(path)
        assert.equal(answer?.status(), MISSING.has(path) ? 404 : 200)
        assert.deepEqual(await violations(tab.page), [])
        const overhang = await tab.page.evaluate('document.scrollingElement.scrollWidth - window.innerWidth')
        assert.ok((overhang as number) <= 0, `${overhang} pixels stand out on the right`)
        // The browser itself notes the status of a page that is missing.
        const rest = tab.complaints.filter(({ text }) => !(MISSING.has(path) && /status of 404/.test(text)))
        assert.deepEqual(rest, [])
      })
    }
  })
}

for (const passed of ['whole', 'stripped'] as const) {
  test(`behind a proxy under a path prefix, with paths passed ${passed}, every link stays below it`, async () => {
    await using proxy = await startPathProxy(server.url, '/python/index', passed)
    await using tab = await browser.newPage(proxy.url)
    const { page } = tab
    await page.goto(`${proxy.url}/`)
    await findsAcme(page, '/python/index')
    for (const path of PAGES.filter((each) => !MISSING.has(each))) {
      const answer = await page.goto(proxy.url + path)
      assert.equal(answer?.status(), 200, path)
      const targets = (await page.evaluate(
        `[...document.querySelectorAll('a[href], link[href], form[action]')]
          .filter((each) => !each.closest('.readme') && !each.rel?.includes('nofollow'))
          .map((each) => each.href ?? each.action)`,
      )) as string[]
      // Those from metadata, marked for search engines, lead where its author says.
      assert.ok(targets.length > 0)
      for (const target of targets) {
        if (target.startsWith('data:')) continue
        assert.ok(target.startsWith(`${proxy.url}/`) || target === proxy.url, `${path} links to ${target}`)
      }
      // The style sheet arrived, or everything would be in the browser's own.
      assert.notEqual(await page.evaluate('document.styleSheets.length'), 0, path)
    }
    // A file can be downloaded from where the page says.
    await page.goto(`${proxy.url}/root/dev/acme-toolbox/1.0`)
    const file = await page
      .getByRole('link', { name: 'acme_toolbox-1.0-py3-none-any.whl' })
      .first()
      .getAttribute('href')
    const got = await fetch(new URL(file ?? '', page.url()))
    assert.equal(got.status, 200)
    await got.arrayBuffer()
    assert.match(await textOf(page), new RegExp(`${proxy.url}/root/dev/\\+simple/`))
    assert.deepEqual(tab.complaints, [])
  })
}

/** From the first page to a release by the search, as a person goes. */
async function findsAcme(page: Page, prefix: string): Promise<void> {
  await page.getByRole('searchbox').fill('rockets')
  await page.keyboard.press('Enter')
  const hit = page.getByRole('main').getByRole('link', { name: 'acme-toolbox' }).first()
  await hit.waitFor()
  assert.match(await textOf(page), /Anvils, rockets and other tools/)
  await hit.click()
  await page.waitForURL((url) => url.pathname.startsWith(`${prefix}/root/dev/acme-toolbox`))
  assert.match((await page.getByRole('heading', { level: 1 }).textContent()) ?? '', /acme-toolbox/)
  const release = page.getByRole('main').getByRole('link', { name: /1\.1/ }).first()
  await release.click()
  await page.waitForURL((url) => url.pathname === `${prefix}/root/dev/acme-toolbox/1.1`)
  const shown = await textOf(page)
  assert.match(shown, /A toolbox for roadrunners/)
  assert.match(shown, /acme_toolbox-1\.1-py3-none-any\.whl/)
  assert.match(shown, /pip install/)
}

async function textOf(page: Page): Promise<string> {
  return (await page.getByRole('main').textContent()) ?? ''
}

async function upload(options: WheelOptions): Promise<void> {
  const { filename, bytes, sha256 } = wheel(options)
  const { name, version } = options
  const form = { url: `${server.url}/root/dev/`, headers: LOGIN, name, version, filename, sha256 }
  const { status, text } = await sendUpload({ ...form, sizeBytes: bytes.length, content: [bytes] })
  assert.equal(status, 200, `${filename}: ${text}`)
}

/** Every other field is hostile, too. */
function hostileMetadata(name: string, contentType: string, text: string): string {
  const script = '"><script>window.taken=1</script><img src=x onerror=window.taken=2>'
  return [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    'Version: 1.0',
    `Summary: hostile ${script}`,
    `Author: ${script}`,
    `Author-email: ${script}`,
    `License: ${script}`,
    `Keywords: hostile,${script}`,
    'Home-page: javascript:window.taken=3',
    'Download-URL: data:text/html,<script>window.taken=4</script>',
    "Project-URL: Docs, javascript:window.taken='url'",
    `Project-URL: ${script}, https://good.example/`,
    `Platform: ${script}`,
    ...(contentType === '' ? [] : [`Description-Content-Type: ${contentType}`]),
    '',
    text,
  ].join('\n')
}

async function globals(page: Page): Promise<string[]> {
  return (await page.evaluate('Object.getOwnPropertyNames(window).sort()')) as string[]
}

/** Elements and attributes that no page of ours has, wherever they came from; and links that could run something. */
async function unwelcome(page: Page): Promise<string[]> {
  return (await page.evaluate(`
    const found = [...document.querySelectorAll(
      'script, iframe, object, embed, base, meta[http-equiv], video, audio, img, style, template, math, marquee, main svg, main form, main input',
    )].map((each) => each.outerHTML.slice(0, 200))
    for (const each of document.querySelectorAll('*')) {
      for (const { name, value } of each.attributes) {
        if (/^on|^style$|^srcdoc$/i.test(name)) found.push(name + '=' + value)
      }
      if (each.localName !== 'a' || !each.hasAttribute('href')) continue
      if (!['http:', 'https:', 'mailto:'].includes(each.protocol)) found.push(each.outerHTML)
    }
    found
  `)) as string[]
}

async function violations(page: TestPage['page']): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = (await page.evaluate('axe.run()')) as {
    violations: { id: string; help: string; nodes: { html: string }[] }[]
  }
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html.slice(0, 300)}`)
}
