import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Parser } from 'htmlparser2'
import type { FileLine, Frame, IndexView, ProjectView, ReleaseView } from '../browse/views.ts'
import { fileKind } from './packages/file-table.ts'
import { homePage, userPage } from './packages/home-page.ts'
import { indexPage } from './packages/index-page.ts'
import { installableRelease, projectPage } from './packages/project-page.ts'
import { releasePage } from './packages/release-page.ts'
import { searchPage } from './packages/search-page.ts'
import { problemPage } from './problem-page.ts'

const frameAt = (root: string): Frame => ({ root, serverUrl: 'http://packages.example:3141', version: '1.2.3' })

/** Text that breaks out of every place that does not escape. */
const EVIL = `"'><script>alert(1)</script><b onclick=alert(1)>&amp;`
const EVIL_LINK = 'javascript:alert(1)'

const stage: IndexView = {
  name: 'root/prod',
  type: 'stage',
  volatile: false,
  bases: ['root/pypi'],
  aclUpload: ['root'],
  mirrorWhitelist: [],
  projects: [{ name: 'acme', version: '1.0', summary: 'Makes things' }],
}
const mirror: IndexView = {
  ...stage,
  name: 'root/pypi',
  type: 'mirror',
  bases: [],
  aclUpload: [],
  projects: [],
  upstream: 'https://up.example/simple/',
}
const file: FileLine = {
  filename: 'acme-1.0-py3-none-any.whl',
  path: 'root/prod/+f/012/3456789abcdef/acme-1.0-py3-none-any.whl',
  sizeBytes: 126_849,
  uploadTime: '2025-08-15T10:20:30Z',
  sha256: 'ab'.repeat(32),
  held: true,
}
const release: ReleaseView = { index: 'root/prod', name: 'acme', version: '1.0', facts: [], files: [file] }
const project: ProjectView = {
  index: 'root/prod',
  name: 'acme',
  releases: [
    { version: '2.0rc1', index: 'root/pypi', files: 1, yanked: false },
    { version: '1.1', index: 'root/prod', files: 2, yanked: true },
    { version: '1.0', index: 'root/prod', files: 1, uploadTime: '2025-08-15T10:20:30Z', yanked: false },
  ],
}

const evilPages: Readonly<Record<string, string>> = {
  home: homePage(
    { users: [{ name: EVIL, title: EVIL, indexes: [{ name: `${EVIL}/${EVIL}`, type: 'stage', title: EVIL }] }] },
    frameAt(''),
  ),
  empty: homePage({ users: [] }, { ...frameAt(''), version: EVIL }),
  user: userPage(
    { name: EVIL, title: EVIL, description: EVIL, indexes: [{ name: EVIL, type: 'mirror', description: EVIL }] },
    frameAt(''),
  ),
  stage: indexPage(
    {
      ...stage,
      ...{
        name: `a/${EVIL}`,
        title: EVIL,
        description: EVIL,
        bases: [EVIL],
        aclUpload: [EVIL],
        mirrorWhitelist: [EVIL],
      },
      ...{ projects: [{ name: EVIL, version: EVIL, summary: EVIL }], next: EVIL, after: EVIL },
    },
    frameAt('../'),
  ),
  mirror: indexPage({ ...mirror, upstream: EVIL_LINK, projects: [{ name: EVIL_LINK }] }, frameAt('../')),
  project: projectPage(
    {
      ...{
        index: `a/${EVIL}`,
        name: EVIL,
        summary: EVIL,
        status: { status: EVIL, reason: EVIL },
        upstreamPage: EVIL_LINK,
      },
      ...{
        shadowedMirrors: [EVIL, EVIL_LINK],
        releases: [{ version: EVIL, index: EVIL, files: 1, uploadTime: EVIL, yanked: false }],
      },
    },
    frameAt('../../'),
  ),
  release: releasePage(
    {
      ...{ index: `a/${EVIL}`, name: EVIL, version: EVIL, newer: EVIL, summary: EVIL, requiresPython: EVIL },
      facts: [
        {
          label: EVIL,
          values: [EVIL, EVIL_LINK, `${EVIL}, ${EVIL_LINK}`, `https://x.example/${EVIL}`, ...Array(20).fill(EVIL)],
        },
      ],
      files: [
        {
          filename: EVIL,
          path: EVIL_LINK,
          uploadTime: EVIL,
          sha256: EVIL,
          requiresPython: EVIL,
          yanked: EVIL,
          held: false,
        },
      ],
      description: { text: EVIL, contentType: 'text/markdown' },
    },
    frameAt('../../../'),
  ),
  search: searchPage(
    { query: EVIL, hits: [{ name: EVIL, version: EVIL, summary: EVIL, index: EVIL }], more: true },
    frameAt(''),
  ),
  nothing: searchPage({ query: EVIL, hits: [], more: false }, frameAt('')),
  problem: problemPage({ status: 404, title: EVIL, message: EVIL, hint: EVIL }, frameAt('../')),
}

test('pages escape every text in every place', () => {
  for (const [name, text] of Object.entries(evilPages)) {
    for (const { tag, attributes } of elementsOf(text)) {
      assert.ok(!['script', 'style', 'iframe', 'object', 'embed', 'base', 'img'].includes(tag), `${name}: <${tag}>`)
      for (const [attribute, value] of Object.entries(attributes)) {
        assert.ok(!/^on|^style$|[<>"']/i.test(attribute), `${name}: <${tag} ${attribute}>`)
        assert.ok(
          !/^\s*(?:javascript|vbscript):/i.test(value) || attribute !== 'href',
          `${name}: ${attribute}="${value}"`,
        )
      }
    }
  }
})

test('pages link relatively from their root, or to what is outside without telling from where', () => {
  const roots: Readonly<Record<string, string>> = {
    stage: '../',
    mirror: '../',
    project: '../../',
    release: '../../../',
    problem: '../',
  }
  for (const [name, text] of Object.entries(evilPages)) {
    const root = roots[name] ?? ''
    for (const { tag, attributes } of elementsOf(text)) {
      const address = attributes.href ?? attributes.action
      if (address === undefined || address.startsWith('#') || attributes.rel === 'icon') continue
      if (tag === 'a' && /^https?:/.test(address)) {
        assert.match(attributes.rel ?? '', /\bnoreferrer\b/, `${name}: ${address}`)
        continue
      }
      assert.ok(address.startsWith(root), `${name}: ${address}`)
      assert.doesNotMatch(address.slice(root.length), /^\/|^\.\.\/|^[a-z]+:/i, `${name}: ${address}`)
    }
  }
})

test('pages load the one stylesheet and nothing else', () => {
  for (const [name, text] of Object.entries(evilPages)) {
    const loaded = elementsOf(text).flatMap(({ tag, attributes }) =>
      tag === 'link' ? [attributes.href ?? ''] : attributes.src === undefined ? [] : [attributes.src],
    )
    assert.equal(loaded.length, 2, name)
    assert.ok(loaded[0]?.startsWith('data:image/svg+xml,'), name)
    assert.match(loaded[1] ?? '', /^(?:\.\.\/)*\+static\/style\.css$/)
  }
})

test('pages are whole: language, title, one main, one first heading, ids once, a label for the search field', () => {
  for (const [name, text] of Object.entries(evilPages)) {
    const elements = elementsOf(text)
    const count = (tag: string) => elements.filter((element) => element.tag === tag).length
    assert.ok(text.startsWith('<!doctype html>\n<html lang="en">'), name)
    assert.deepEqual(
      [count('title'), count('main'), count('h1'), count('footer'), count('label')],
      [1, 1, 1, 1, 1],
      name,
    )
    const ids = elements.flatMap(({ attributes }) => attributes.id ?? [])
    assert.equal(new Set(ids).size, ids.length, `${name}: ${ids}`)
    for (const { attributes } of elements) {
      if (attributes.href?.startsWith('#'))
        assert.ok(ids.includes(attributes.href.slice(1)), `${name}: ${attributes.href}`)
    }
  }
})

test('homePage() tells the first steps until there is a stage', () => {
  const users = (type: 'stage' | 'mirror') => [{ name: 'root', indexes: [{ name: 'root/x', type }] }]
  assert.match(homePage({ users: users('mirror') }, frameAt('')), /devpi use http:\/\/packages\.example:3141<\/code>/)
  assert.doesNotMatch(homePage({ users: users('stage') }, frameAt('')), /First steps/)
})

test('indexPage() shows how to install, and how to upload to a stage only', () => {
  const onStage = indexPage(stage, frameAt('../'))
  const onMirror = indexPage(mirror, frameAt('../'))
  const install =
    'pip install --index-url http://packages.example:3141/root/prod/+simple/ --trusted-host packages.example PROJECT'
  assert.ok(onStage.includes(`<pre><code>${install}</code></pre>`))
  assert.match(onStage, /twine upload --repository-url http:\/\/packages\.example:3141\/root\/prod\/ /)
  assert.doesNotMatch(onMirror, /twine upload/)
  assert.match(onMirror, /Nothing has been fetched/)
  assert.match(onStage, /href="\.\.\/root\/prod\/acme"/)
})

test('indexPage() leads to the next page and back to the first', () => {
  assert.match(indexPage({ ...stage, next: 'b c' }, frameAt('../')), /href="\.\.\/root\/prod\?after=b%20c"/)
  assert.match(indexPage({ ...stage, after: 'b' }, frameAt('../')), /<a href="\.\.\/root\/prod">First page<\/a>/)
  assert.doesNotMatch(indexPage(stage, frameAt('../')), /class="pager"/)
})

test('projectPage() offers the release that installers would take', () => {
  assert.match(projectPage(project, frameAt('../../')), /acme==1\.0<\/code>/)
  const [candidate, yanked, final] = project.releases
  assert.equal(installableRelease(project.releases), final)
  assert.equal(installableRelease([candidate!, yanked!]), candidate)
  assert.equal(installableRelease([yanked!]), undefined)
  assert.doesNotMatch(projectPage({ ...project, releases: [] }, frameAt('../../')), /pip install/)
})

test('projectPage() says status, shadowed mirrors and yanks', () => {
  const text = projectPage(
    { ...project, status: { status: 'archived', reason: 'Done.' }, shadowedMirrors: ['root/pypi'] },
    frameAt('../../'),
  )
  assert.match(text, /This project is archived\.<\/strong> No new releases are taken\..* Reason: Done\./)
  assert.match(text, /<a href="\.\.\/\.\.\/root\/pypi">root\/pypi<\/a> was not asked/)
  assert.match(text, /1\.1<\/a> <span class="badge warn">yanked/)
  assert.doesNotMatch(projectPage(project, frameAt('../../')), /class="notice/)
})

test('releasePage() lists files with size, time, digest, yank and whether they are here', () => {
  const text = releasePage(
    {
      ...release,
      files: [
        { ...file, yanked: 'Broken <build>' },
        { filename: 'acme-1.0.tar.gz', path: 'a/b/c', held: false },
      ],
    },
    frameAt('../../../'),
  )
  for (const part of [
    'href="../../../root/prod/+f/012/3456789abcdef/acme-1.0-py3-none-any.whl"',
    '>126.8 kB<',
    '<time datetime="2025-08-15T10:20:30.000Z"',
    `<code title="${'ab'.repeat(32)}">abababababab</code>`,
    'yanked</span> <span class="reason">Broken &lt;build&gt;</span>',
    'not here yet</span>',
    '>Source<',
  ]) {
    assert.ok(text.includes(part), part)
  }
  assert.doesNotMatch(text, /This release is yanked/)
  assert.match(
    releasePage({ ...release, files: [{ ...file, yanked: 'Broken' }] }, frameAt('')),
    /This release is yanked.*Reason: Broken/,
  )
})

test('releasePage() links addresses among the facts and folds long lists', () => {
  const facts = [
    { label: 'Links', values: ['Docs, https://x.example/docs', 'https://x.example/', 'plain, text'] },
    { label: 'Classifiers', values: Array.from({ length: 9 }, (_, at) => `c${at}`) },
  ]
  const text = releasePage(
    { ...release, facts, description: { text: '# Hi', contentType: 'text/markdown' } },
    frameAt(''),
  )
  assert.match(text, /<a href="https:\/\/x\.example\/docs" rel="[^"]+">Docs<\/a>/)
  assert.match(text, /<li>plain, text<\/li>/)
  assert.match(text, /<summary>9 entries<\/summary>/)
  assert.match(text, /<h2 id="readme-hi">Hi<\/h2>/)
})

test('fileKind() reads the archive from its name', () => {
  assert.deepEqual(fileKind('a-1.0-cp312-cp312-linux_x86_64.whl'), { type: 'Wheel', python: 'cp312' })
  assert.deepEqual(fileKind('a-1.0.tar.gz'), { type: 'Source' })
  assert.deepEqual(fileKind('a-1.0-py3.8.egg'), { type: 'Egg', python: 'py3.8' })
  assert.deepEqual(fileKind('a-1.0.win32.exe'), { type: 'Other' })
})

test('searchPage() tells empty queries, no hits, hits and more hits apart', () => {
  const hits = [{ name: 'acme', version: '1.0', summary: 'Makes things', index: 'root/prod' }]
  assert.match(searchPage({ query: ' ', hits: [], more: false }, frameAt('')), /Type a project’s name/)
  assert.match(
    searchPage({ query: 'x', hits: [], more: false }, frameAt('')),
    /Nothing here matches <strong>x<\/strong>/,
  )
  const found = searchPage({ query: 'acme', hits, more: false }, frameAt(''))
  assert.match(found, /1 project for <strong>acme/)
  assert.match(found, /<a href="root\/prod\/acme">acme<\/a> <span class="version">1\.0<\/span>/)
  assert.match(found, /name="query" value="acme"/)
  assert.match(searchPage({ query: 'acme', hits, more: true }, frameAt('')), /The first 1 project.*There are more/s)
})

test('style.css is small and loads nothing', () => {
  const css = readFileSync(new URL('style.css', import.meta.url), 'utf8')
  assert.ok(css.length < 12 * 1024)
  assert.doesNotMatch(css, /url\(|@import/)
})

interface Element {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
}

function elementsOf(text: string): Element[] {
  const elements: Element[] = []
  const parser = new Parser({ onopentag: (tag, attributes) => elements.push({ tag, attributes }) })
  parser.end(text)
  return elements
}
