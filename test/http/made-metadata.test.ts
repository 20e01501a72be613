/** Metadata files over HTTP where upstream has none, and of sdists: announced alike in JSON and HTML, and what caches may do with them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { digestOf } from '../../src/lib/digest.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld, type World } from '../world/world.ts'

const JSON_V1 = 'application/vnd.pypi.simple.v1+json'
const IMMUTABLE = 'max-age=365000000, immutable, public'

let upstream: FakeUpstream
let world: World

before(async () => {
  upstream = await startFakeUpstream({ coreMetadata: false, projectList: false })
  world = await startWorld({ upstream })
})

after(async () => {
  await world?.[Symbol.asyncDispose]()
  await upstream?.close()
})

/** What the page says of the file's metadata, in both representations, and the file's path here. */
async function announced(index: string, project: string, filename: string) {
  const at = `/${index}/+simple/${project}/`
  const page = (await world.stranger.asks(at, { accept: JSON_V1 })).json<{
    files: { filename: string; url: string; 'core-metadata'?: true | { sha256: string } }[]
  }>()
  const file = page.files.find((each) => each.filename === filename)!
  const html = (await world.stranger.asks(at, { accept: 'text/html' })).text
  const link = html.split('<a ').find((each) => each.includes(`>${filename}<`))!
  const [one, other] = ['core', 'dist-info'].map(
    (kind) => new RegExp(`data-${kind}-metadata="([^"]*)"`).exec(link)?.[1],
  )
  assert.equal(one, other)
  const json = file['core-metadata']
  assert.equal(one, json === undefined ? undefined : json === true ? 'true' : `sha256=${json.sha256}`)
  return { said: one, path: new URL(file.url, `http://localhost${at}`).pathname }
}

for (const [index, project] of [
  ['root/pypi', 'lib'],
  ['alice/dev', 'other-lib'],
] as const) {
  test(`metadata made for ${index} may change until the wheel is here, and never after`, async () => {
    const built = wheel({ name: project, version: '1.0+local.1', summary: 'Things' })
    upstream.add(project, built)
    const { said, path } = await announced(index, project, built.filename)
    assert.equal(said, 'true')
    const made = await world.stranger.asks(`${path}.metadata`)
    assert.equal(made.status, 200)
    assert.match(made.text, /^Summary: Things$/m)
    const sha256 = digestOf(made.bytes)
    assert.equal(made.headers.etag, `"${sha256}"`)
    assert.equal(made.headers['cache-control'], 'max-age=600')
    assert.equal((await announced(index, project, built.filename)).said, `sha256=${sha256}`)
    const part = await world.stranger.asks(`${path}.metadata`, { headers: { range: 'bytes=0-7' } })
    assert.deepEqual([part.status, part.text], [206, 'Metadata'])
    const same = await world.stranger.asks(`${path}.metadata`, { headers: { 'if-none-match': `"${sha256}"` } })
    assert.equal(same.status, 304)
    assert.equal((await world.stranger.asks(path)).status, 200)
    await world.jobsDone()
    const final = await world.stranger.asks(`${path}.metadata`)
    assert.equal(final.text, made.text)
    assert.equal(final.headers['cache-control'], IMMUTABLE)
    assert.equal((await announced(index, project, built.filename)).said, `sha256=${sha256}`)
  })
}

test('a wheel without metadata is told as such, once, and announced no longer', async () => {
  const built = wheel({ name: 'bare', version: '1.0', metadata: null })
  upstream.add('bare', built)
  const { said, path } = await announced('alice/dev', 'bare', built.filename)
  assert.equal(said, 'true')
  const refused = await world.stranger.asks(`${path}.metadata`, { accept: 'application/problem+json' })
  assert.equal(refused.status, 404)
  assert.match(
    refused.json<{ detail: string }>().detail,
    /^Cannot deliver "bare-1\.0-.*\.metadata": the wheel has none/,
  )
  assert.match(refused.json<{ detail: string }>().detail, /it contains no METADATA/)
  assert.equal((await announced('alice/dev', 'bare', built.filename)).said, undefined)
  assert.equal((await world.stranger.asks(path)).status, 200)
})

test('an upstream that fails is no reason to say that there is no metadata', async () => {
  const built = wheel({ name: 'later', version: '1.0' })
  const { path: there } = upstream.add('later', built)
  const { path } = await announced('root/pypi', 'later', built.filename)
  upstream.misbehave(there, { kind: 'status', status: 500 }, { times: 1 })
  assert.equal((await world.stranger.asks(`${path}.metadata`)).status, 502)
  assert.equal((await announced('root/pypi', 'later', built.filename)).said, 'true')
  assert.equal((await world.stranger.asks(`${path}.metadata`)).status, 200)
})

test('metadata of an uploaded sdist are served where they are final (PEP 643), and not otherwise', async () => {
  const final = sdist({ name: 'source', version: '1.0', requiresDist: ['lib'] })
  const open = sdist({ name: 'source', version: '2.0', dynamic: ['Requires-Dist'] })
  for (const file of [final, open]) assert.equal((await world.alice.uploads(file, 'alice/dev')).status, 200)
  const served = await announced('alice/dev', 'source', final.filename)
  const answer = await world.stranger.asks(`${served.path}.metadata`)
  assert.match(answer.text, /^Requires-Dist: lib$/m)
  assert.equal(served.said, `sha256=${digestOf(answer.bytes)}`)
  assert.equal(answer.headers['cache-control'], IMMUTABLE)
  const unsaid = await announced('alice/dev', 'source', open.filename)
  assert.equal(unsaid.said, undefined)
  assert.equal((await world.stranger.asks(`${unsaid.path}.metadata`)).status, 404)
})
