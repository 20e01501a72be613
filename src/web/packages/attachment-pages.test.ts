import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Parser } from 'htmlparser2'
import type { DocumentationView, TestResultView, TestsView } from '../../browse/attachment-views.ts'
import type { Frame, ReleaseView } from '../../browse/views.ts'
import { documentationPage } from './documentation-page.ts'
import { indexPage } from './index-page.ts'
import { projectPage } from './project-page.ts'
import { releasePage } from './release-page.ts'
import { testResultPage, testsPage } from './tests-page.ts'

const frameAt = (root: string): Frame => ({ root, serverUrl: 'http://packages.example:3141', version: '1.2.3' })

/** Text that breaks out of every place that does not escape. */
const EVIL = `"'><script>alert(1)</script><b onclick=alert(1)>&amp;`

const documentation: DocumentationView = {
  index: 'root/prod',
  name: 'acme',
  asked: '1.0',
  version: '1.0',
  path: 'index.html',
  query: '',
  hasLatest: false,
  hasStable: false,
  zipPath: 'root/prod/+f/012/3456789abcdef/acme-1.0.doc.zip',
}
const tests: TestsView = {
  index: 'root/prod',
  name: 'acme',
  version: '1.0',
  filename: 'acme-1.0.tar.gz',
  lines: [
    {
      ...{ result: 'acme-1.0.tar.gz.toxresult-1', host: 'builder', platform: 'linux', environment: 'py312' },
      ...{ python: '3.12.1', setup: 'passed', test: 'failed', state: 'failed' },
    },
    { result: 'acme-1.0.tar.gz.toxresult-0', state: 'unknown', why: 'unreadable' },
  ],
}
const { lines: _lines, ...file } = tests
const result: TestResultView = {
  ...file,
  result: 'acme-1.0.tar.gz.toxresult-1',
  path: 'root/prod/+f/012/3456789abcdef/acme-1.0.tar.gz.toxresult-1',
  environments: [
    {
      ...{ host: 'builder', platform: 'linux', name: 'py312', python: '3.12.1', setup: [] },
      test: [{ command: 'pytest', output: 'broken', isFailed: true }],
    },
  ],
}
const release: ReleaseView = { index: 'root/prod', name: 'acme', version: '1.0', facts: [], files: [] }
const evilFile = { index: `a/${EVIL}`, name: EVIL, version: EVIL, filename: EVIL }
const evilLine = { host: EVIL, platform: EVIL, environment: EVIL, python: EVIL, result: EVIL }

const evilPages: Readonly<Record<string, string>> = {
  documentation: documentationPage(
    { ...documentation, ...evilFile, asked: EVIL, missing: EVIL, path: EVIL, query: EVIL, zipPath: EVIL },
    frameAt('../'),
  ),
  tests: testsPage(
    { ...evilFile, lines: [{ ...evilLine, setup: 'none', test: 'none', state: 'unknown' }] },
    frameAt('../'),
  ),
  result: testResultPage(
    {
      ...{ ...evilFile, result: EVIL, path: EVIL },
      environments: [
        {
          ...{ host: EVIL, platform: EVIL, name: EVIL, python: EVIL },
          setup: [{ command: EVIL, output: EVIL, isFailed: true }],
          test: [{ command: EVIL, output: EVIL, isFailed: false }],
        },
      ],
    },
    frameAt('../'),
  ),
  release: releasePage(
    {
      ...release,
      ...{ index: `a/${EVIL}`, name: EVIL, version: EVIL },
      documentation: { index: EVIL, path: EVIL, isReadable: true },
      tests: [
        { index: EVIL, filename: EVIL, lines: [{ ...evilLine, state: 'failed', setup: 'failed', test: 'failed' }] },
      ],
      history: [
        { filename: EVIL, events: [{ what: 'pushed', who: EVIL, when: EVIL, from: EVIL, to: EVIL, count: 2 }] },
      ],
    },
    frameAt('../'),
  ),
}

for (const [name, text] of Object.entries(evilPages)) {
  test(`the ${name} page escapes every text in every place and links relatively from its root`, () => {
    const ids: string[] = []
    for (const { tag, attributes } of elementsOf(text)) {
      assert.ok(!['script', 'style', 'object', 'embed', 'base', 'img', 'b'].includes(tag), `<${tag}>`)
      assert.ok(tag !== 'iframe' || name === 'documentation', `<${tag}>`)
      for (const attribute of Object.keys(attributes)) assert.doesNotMatch(attribute, /^on|^style$|[<>"']/i)
      if (attributes.id !== undefined) ids.push(attributes.id)
      const address = attributes.href ?? attributes.src ?? attributes.action
      if (address === undefined || address.startsWith('#') || attributes.rel === 'icon') continue
      assert.ok(address.startsWith('../'), address)
      assert.doesNotMatch(address.slice(3), /^\/|^\.\.\/|^[a-z]+:/i)
    }
    assert.equal(new Set(ids).size, ids.length, ids.join(' '))
  })
}

test('documentationPage() closes its frame to the server, and links what is newer only where it is', () => {
  const plain = documentationPage(documentation, frameAt('../'))
  const { attributes } = elementsOf(plain).find(({ tag }) => tag === 'iframe')!
  assert.equal(attributes.src, '../root/prod/acme/1.0/+doc/index.html')
  assert.ok(attributes.sandbox?.split(' ').includes('allow-scripts'))
  assert.ok(!attributes.sandbox?.includes('same-origin') && !attributes.sandbox?.includes('top-navigation'))
  assert.doesNotMatch(plain, /Latest documentation|Stable documentation|is older than/)
  const old = documentationPage(
    { ...documentation, asked: 'latest', missing: '2.0', hasLatest: true, hasStable: true, query: 'q=a&b' },
    frameAt('../'),
  )
  assert.match(old, /src="\.\.\/root\/prod\/acme\/latest\/\+doc\/index\.html\?q=a&amp;b"/)
  assert.match(old, /is older than the latest version, <a href="\.\.\/root\/prod\/acme\/2\.0">2\.0</)
  assert.match(old, /Latest documentation.*Stable documentation/s)
})

test('testsPage() tells each phase, and what cannot be read', () => {
  const text = testsPage(tests, frameAt('../'))
  const page = '../root/prod/acme/1.0/+toxresults/acme-1.0.tar.gz/acme-1.0.tar.gz.toxresult-1#builder-linux-py312'
  assert.ok(text.includes(`<a href="${page}-setup">done</a>`))
  assert.ok(text.includes(`<a href="${page}-test">failed</a>`))
  assert.match(text, /toxresult-0<\/a> .*This result cannot be read/)
})

test('testResultPage() shows what commands printed, of much only the end', () => {
  const text = testResultPage(result, frameAt('../'))
  assert.match(text, /No setup was performed/)
  assert.match(text, /<code>pytest<\/code> <span class="badge warn">failed<\/span>/)
  assert.match(text, /<pre tabindex="0">broken<\/pre>/)
  const [environment] = result.environments!
  const test = [{ command: 'x', output: `begin${'.'.repeat(300_000)}end`, isFailed: false }]
  const long = testResultPage({ ...result, environments: [{ ...environment!, test }] }, frameAt('../'))
  assert.match(long, /Only the end of the output is shown/)
  assert.ok(long.includes('...end</pre>') && !long.includes('begin'))
  const { environments: _, ...unreadable } = result
  assert.match(testResultPage(unreadable, frameAt('../')), /cannot be read/)
})

test('releasePage() tells of documentation, tests and history only where there are some', () => {
  assert.doesNotMatch(releasePage(release, frameAt('')), /Documentation|Test results|History/)
  const zip = { index: 'root/base', path: documentation.zipPath }
  const packed = releasePage({ ...release, documentation: { ...zip, isReadable: false } }, frameAt(''))
  assert.match(packed, new RegExp(`<a href="${zip.path.replace('+', '\\+')}">Documentation as zip</a>`))
  assert.doesNotMatch(packed, /\+d\//)
  const full = releasePage({ ...release, documentation: { ...zip, isReadable: true } }, frameAt(''))
  assert.match(full, /<a href="root\/base\/acme\/1\.0\/\+d\/index\.html">Documentation<\/a>/)
  const events = [
    { what: 'uploaded', who: 'alice', to: 'root/dev', when: '2026-01-02T03:04:05Z' },
    { what: 'pushed', from: 'root/dev', to: 'root/prod' },
    { what: 'replaced', count: 2 },
  ] as const
  const told = releasePage({ ...release, history: [{ filename: 'x.whl', events }] }, frameAt(''))
  assert.match(told, /<li>Uploaded to <a href="root\/dev">root\/dev<\/a> by alice <time [^>]*>2026-01-02</)
  assert.match(told, /<li>Pushed from <a [^>]*>root\/dev<\/a> to <a [^>]*>root\/prod<\/a><\/li>/)
  assert.match(told, /<li>Replaced 2 times<\/li>/)
})

test('indexPage() and projectPage() link documentation and the state of tests', () => {
  const list = indexPage(
    {
      ...{ name: 'root/prod', type: 'stage', volatile: true, bases: [], aclUpload: [], mirrorWhitelist: [] },
      projects: [{ name: 'acme', version: '1.0', isDocumented: true, tests: 'failed' }, { name: 'other' }],
    },
    frameAt('../'),
  )
  assert.equal(list.match(/\.\.\/root\/prod\/acme\/1\.0\/\+d\/index\.html">documentation</g)?.length, 1)
  assert.equal(list.match(/acme\/1\.0#tests">tests<\/a> <span class="badge warn">failed</g)?.length, 1)
  const line = { index: 'root/base', files: 1, yanked: false }
  const project = projectPage(
    {
      ...{ index: 'root/prod', name: 'acme' },
      releases: [
        { ...line, version: '1.1' },
        { ...line, version: '1.0', documentation: { index: 'root/base', path: 'x/y.zip' }, tests: 'passed' },
      ],
    },
    frameAt('../'),
  )
  assert.equal(
    project.match(/root\/base\/acme\/1\.0\/\+d\/index\.html">acme-1\.0<\/a> \(<a href="\.\.\/x\/y\.zip">/g)?.length,
    1,
  )
  assert.equal(project.match(/#tests">tests<\/a> <span class="badge stage">passed</g)?.length, 1)
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
