/** One rule before the layers, here "no file younger than a week", holds wherever a file could be learnt of. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Gate } from '../../src/indexes/gate.ts'
import { type BuiltFile, wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld } from '../world/world.ts'

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
/** In the summary of what is hidden, and nowhere else. */
const WORD = 'zebrawort'

let nowMs = Date.now()
const weekOld: Gate = {
  hides: (_index, _project, { uploadTime }) => {
    const untilMs = Date.parse(uploadTime ?? '') + WEEK_MS
    return untilMs <= nowMs ? undefined : { reason: 'it is younger than a week', untilMs }
  },
}

const upstream = await startFakeUpstream()
const mirrored = [
  wheel({ name: 'beta', version: '1.0' }),
  wheel({ name: 'beta', version: '2.0', summary: `Sells ${WORD}` }),
]
upstream.add('beta', { ...mirrored[0]!, uploadTime: '2020-01-01T00:00:00Z' })
upstream.add('beta', { ...mirrored[1]!, uploadTime: new Date(nowMs + 9 * DAY_MS).toISOString() })
// Who logged in stays so while the clock goes on.
const world = await startWorld({ upstream, gate: weekOld, limits: { tokenSeconds: WEEK_MS } })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice, root } = world
const passes = (ms: number) => {
  world.passes(ms)
  nowMs += ms
}
await alice.asks('/alice/other', { method: 'PUT', json: {} })
const OLD = wheel({ name: 'acme', version: '1.0', summary: 'Sells anvils' })
const YOUNG = wheel({ name: 'acme', version: '2.0', summary: `Sells ${WORD}` })
const documentationOf = (file: BuiltFile, text: string): BuiltFile => ({
  ...file,
  filename: file.filename.replace('-py3-none-any.whl', '.doc.zip'),
  bytes: zip([{ name: 'index.html', content: text }]),
})
const placeOf = ({ sha256 }: BuiltFile) => `${sha256.slice(0, 3)}/${sha256.slice(3, 16)}`
const pathOf = ({ sha256 }: BuiltFile) => `${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4)}`

for (const [file, version] of [
  [OLD, '1.0'],
  [YOUNG, '2.0'],
] as const) {
  if (file === YOUNG) passes(9 * DAY_MS)
  assert.equal((await alice.uploads(file, 'alice/dev')).status, 200)
  const text = file === YOUNG ? WORD : 'Anvils'
  await alice.uploads(documentationOf(file, text), 'alice/dev', { ':action': 'doc_upload', name: 'acme', version })
  const result = { testenvs: { py: { test: [{ output: text }] } } }
  assert.equal((await alice.asks(`/alice/dev/+f/${placeOf(file)}/${file.filename}`, { json: result })).status, 200)
}
/** Of the old release, and young itself: its test result is hidden with it. */
const LATE = wheel({ name: 'acme', version: '1.0', tag: 'py2-none-any', summary: 'Sells anvils' })
assert.equal((await alice.uploads(LATE, 'alice/dev')).status, 200)
const late = { testenvs: { py: { test: [{ output: WORD }] } } }
const sent = await alice.asks(`/alice/dev/+f/${placeOf(LATE)}/${LATE.filename}`, { json: late })
const lateResult = sent.json<{ result: string }>().result.split('#')[0]!
await world.jobsDone()

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'

/** What shows the project, in every way there is: with 1.0, and without a trace of 2.0. */
const SHOWING: readonly (readonly [path: string, accept: string])[] = [
  ['/alice/dev/+simple/acme/', 'text/html'],
  ['/alice/dev/+simple/acme/', JSON_PAGE],
  ['/alice/dev/simple/acme/', JSON_PAGE],
  ['/alice/dev/acme', 'application/json'],
  ['/alice/dev/acme?ignore_bases', 'application/json'],
  ['/alice/dev/acme/latest', 'application/json'],
  ['/alice/dev/acme', 'text/html'],
  ['/alice/dev/acme/latest', 'text/html'],
  ['/alice/dev/pypi/acme/json', 'application/json'],
  ['/alice/dev', 'text/html'],
  ['/+search?query=acme', 'text/html'],
  ['/+search?query=acme', 'application/json'],
  ['/alice/dev/acme/latest/+doc/index.html', 'text/html'],
  ['/alice/dev/acme/latest/+d/index.html', 'text/html'],
  ['/alice/dev/+simple/beta/', JSON_PAGE],
  ['/root/pypi/+simple/beta/', JSON_PAGE],
  ['/root/pypi/+simple/beta/', 'text/html'],
  ['/root/pypi/beta', 'application/json'],
  ['/root/pypi/beta', 'text/html'],
  ['/alice/dev/pypi/beta/json', 'application/json'],
]

for (const [path, accept] of SHOWING) {
  test(`${path} as ${accept} shows 1.0 and no trace of 2.0`, async () => {
    for (const time of ['first', 'again', 'ready']) {
      const answer = await alice.asks(path, { accept })
      assert.equal(answer.status, 200, answer.text)
      assert.doesNotMatch(answer.text, /2\.0(?![.\d])|zebrawort|py2-none/, time)
      assert.match(answer.text, /1\.0|[Aa]nvils/)
    }
  })
}

/** What is about 2.0 alone: refused, and the refusal tells nothing of what is inside. */
const HIDDEN: readonly string[] = [
  `/alice/dev/+f/${placeOf(YOUNG)}/${YOUNG.filename}`,
  `/alice/dev/+f/${placeOf(YOUNG)}/${YOUNG.filename}.metadata`,
  `/alice/dev/+f/${placeOf(YOUNG)}/${YOUNG.filename}.provenance`,
  `/alice/dev/packages/${pathOf(YOUNG)}/${YOUNG.filename}`,
  `/alice/dev/packages/${pathOf(YOUNG)}/${YOUNG.filename}.metadata`,
  '/alice/dev/acme/2.0',
  '/alice/dev/pypi/acme/2.0/json',
  '/alice/dev/acme/2.0/+doc/index.html',
  '/alice/dev/acme/2.0/+d/index.html',
  `/alice/dev/acme/2.0/+toxresults/${YOUNG.filename}`,
  `/alice/dev/integrity/acme/2.0/${YOUNG.filename}/provenance`,
  `/root/pypi/+f/${placeOf(mirrored[1]!)}/${mirrored[1]!.filename}`,
  `/root/pypi/+f/${placeOf(mirrored[1]!)}/${mirrored[1]!.filename}.metadata`,
  `/alice/dev/packages/${pathOf(mirrored[1]!)}/${mirrored[1]!.filename}`,
  '/root/pypi/beta/2.0',
  `/alice/dev/+f/${placeOf(LATE)}/${LATE.filename}`,
  `/${lateResult}`,
  `/alice/dev/acme/1.0/+toxresults/${LATE.filename}`,
]

for (const path of HIDDEN) {
  test(`${path.replace(/[0-9a-f]{13,}/g, '…')} is refused`, async () => {
    for (const accept of ['*/*', 'application/json', 'text/html']) {
      const answer = await alice.asks(path, { accept })
      assert.ok([403, 404, 406].includes(answer.status), `${answer.status} ${answer.text}`)
      assert.doesNotMatch(answer.text, /zebrawort/)
    }
  })
}

test('a search for words that only 2.0 has finds nothing', async () => {
  const answer = await alice.asks(`/+search?query=${WORD}`, { accept: 'application/json' })
  assert.deepEqual(answer.json<{ result: { hits: unknown[] } }>().result.hits, [])
})

test('no file of 2.0 was asked of upstream', () => {
  const asked = upstream.requests.map((request) => request.path)
  assert.deepEqual(
    asked.filter((path) => path.includes('2.0')),
    [],
  )
})

test('a push of 2.0 is refused, one of 1.0 copies 1.0', async () => {
  const push = (source: string, name: string, version: string, who = alice) =>
    who.asks(`/${source}`, { method: 'POST', json: { name, version, targetindex: 'alice/other' } })
  assert.equal((await push('alice/dev', 'acme', '2.0')).status, 400)
  assert.equal((await push('root/pypi', 'beta', '2.0', root)).status, 400)
  assert.equal((await push('alice/dev', 'acme', '1.0')).status, 200)
  const there = await alice.asks('/alice/other/acme', { accept: 'application/json' })
  assert.deepEqual(Object.keys(there.json<{ result: object }>().result), ['1.0'])
})

/** A status of the project (PEP 792) is no way round: the page of a quarantined project lists no files at all. */
for (const status of ['quarantined', 'archived', 'deprecated']) {
  test(`no trace of what is hidden shows while its project is ${status}`, async () => {
    const set = (to: string) => alice.asks('/alice/dev/+status/acme', { method: 'PUT', json: { status: to } })
    assert.equal((await set(status)).status, 200)
    upstream.setStatus('beta', status)
    await alice.asks('/root/pypi/+simple/beta/refresh', { method: 'POST' })
    try {
      for (const [path] of SHOWING) {
        for (const accept of ['*/*', 'application/json', 'text/html', JSON_PAGE]) {
          const { text } = await alice.asks(path, { accept })
          assert.doesNotMatch(text, /2\.0(?![.\d])|zebrawort|py2-none/, `${path} as ${accept}`)
        }
      }
      for (const path of HIDDEN) {
        for (const accept of ['*/*', 'application/json', 'text/html']) {
          const answer = await alice.asks(path, { accept })
          assert.ok([403, 404, 406].includes(answer.status), `${path} as ${accept}: ${answer.status}`)
          assert.doesNotMatch(answer.text, /zebrawort/, path)
        }
      }
      assert.match((await alice.asks('/alice/dev/acme/latest/+doc/index.html')).text, /Anvils/)
    } finally {
      await set('active')
      upstream.setStatus('beta', 'active')
      await alice.asks('/root/pypi/+simple/beta/refresh', { method: 'POST' })
    }
  })
}

test('once the week is over all of it shows, also on pages that stood ready', async () => {
  passes(8 * DAY_MS)
  assert.equal((await alice.asks(`/${lateResult}`)).status, 200)
  for (const path of ['/alice/dev/+simple/acme/', '/alice/dev/acme', '/+search?query=zebrawort']) {
    const answer = await alice.asks(path, { accept: 'application/json' })
    assert.match(answer.text, /acme-2\.0|"version": ?"2\.0"/, path)
  }
  assert.equal((await alice.asks(HIDDEN[0]!)).status, 200)
})

test('a gate that throws shows nothing', async () => {
  await using broken = await startWorld({
    gate: {
      hides: () => {
        throw new Error('no rules')
      },
    },
  })
  await broken.alice.uploads(OLD, 'alice/dev')
  for (const path of ['/alice/dev/+simple/acme/', `/alice/dev/+f/${placeOf(OLD)}/${OLD.filename}`, '/alice/dev/acme']) {
    assert.equal((await broken.alice.asks(path, { accept: 'application/json' })).status, 500, path)
  }
})
