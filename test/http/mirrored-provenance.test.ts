import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { throwawaySigstore } from '../sigstore/throwaway.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { startWorld, type World } from '../world/world.ts'

const sigstore = throwawaySigstore()
const [first, second] = ['1.0', '2.0'].map((version) => wheel({ name: 'acme', version })) as [Wheel, Wheel]
type Wheel = ReturnType<typeof wheel>

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
const PUBLISHER = { kind: 'GitHub', repository: 'acme/widget', workflow: 'release.yml' }
const HOUR_MS = 3600 * 1000

function provenanceOf(file: Wheel, publisher: object = PUBLISHER, attestations = [sigstore.attest(file)]) {
  return { version: 1, attestation_bundles: [{ publisher, attestations }] }
}

interface Ground extends AsyncDisposable {
  readonly world: World
  readonly upstream: FakeUpstream
  /** Where the first file lies there. */
  readonly path: string
}

/** An upstream where two files of acme have provenance, a world that trusts who made it, and alice/dev on top of the mirror. */
async function ground(
  provenance: unknown = provenanceOf(first),
  addMore: (upstream: FakeUpstream) => void = () => {},
): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const path = join(folder.path, 'trusted_root.json')
  await writeFile(path, sigstore.trustedRoot)
  const upstream = stack.use(await startFakeUpstream())
  const added = upstream.add('acme', { filename: first.filename, bytes: first.bytes, provenance })
  upstream.add('acme', { filename: second.filename, bytes: second.bytes, provenance: provenanceOf(second) })
  // Before the mirror sees the list of names: what is not on that is not asked for.
  addMore(upstream)
  const world = stack.use(await startWorld({ upstream, settings: { sigstore_trusted_root: path } }))
  const opened = stack.move()
  return { world, upstream, path: added.path, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** By filename, what the page says of provenance. */
async function listed(world: World, index = 'root/pypi'): Promise<Record<string, string | undefined>> {
  const page = await world.stranger.asks(`/${index}/+simple/acme/`, { accept: JSON_PAGE })
  const { files } = page.json<{ files: { filename: string; provenance?: string }[] }>()
  return Object.fromEntries(files.map(({ filename, provenance }) => [filename, provenance]))
}

const address = async (world: World, file: Wheel) => new URL((await listed(world))[file.filename]!).pathname
const integrity = (file: Wheel, version: string, index = 'root/pypi') =>
  `/${index}/integrity/acme/${version}/${file.filename}/provenance`

test("a mirror serves upstream's provenance at an address of its own, and asks for it once", async () => {
  const provenance = provenanceOf(first)
  await using on = await ground(provenance)
  const { world, upstream } = on
  const said = await listed(world)
  assert.match(
    said[first.filename] ?? '',
    /^http:\/\/localhost:80\/root\/pypi\/\+f\/\w{3}\/\w{13}\/acme-1\.0.*\.provenance$/,
  )
  assert.deepEqual(await listed(world, 'alice/dev'), said)
  assert.equal(upstream.count('*.provenance'), 0)
  for (const path of [
    await address(world, first),
    integrity(first, '1.0'),
    integrity(first, '1.0', 'alice/dev'),
    `/root/pypi${on.path}.provenance`,
  ]) {
    const answer = await world.stranger.asks(path)
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.json(), provenance)
  }
  assert.equal(upstream.requests.filter(({ path }) => path.endsWith('.provenance')).length, 1)
  // The file itself was not fetched for it.
  assert.deepEqual(await world.blobs(), [])
})

test('a mirror asks for provenance again when it is old, since it may gain bundles', async () => {
  await using on = await ground()
  const { world, upstream } = on
  const path = await address(world, first)
  const asked = () => upstream.requests.filter((each) => each.path.endsWith('.provenance')).map((each) => each.status)
  await world.stranger.asks(path)
  world.passes(HOUR_MS)
  assert.equal((await world.stranger.asks(path)).status, 200)
  assert.deepEqual(asked(), [200, 304])
  const more = provenanceOf(first, PUBLISHER, [sigstore.attest(first), sigstore.attest(first)])
  upstream.add('acme', { filename: first.filename, bytes: first.bytes, provenance: more })
  world.passes(HOUR_MS)
  assert.deepEqual((await world.stranger.asks(path)).json(), more)
  assert.deepEqual(asked(), [200, 304, 200])
})

test('without upstream a mirror lists and serves the provenance that is here, and no other', async () => {
  const provenance = provenanceOf(first)
  await using on = await ground(provenance)
  const { world, upstream } = on
  const [kept, other] = [await address(world, first), await address(world, second)]
  await world.stranger.asks(kept)
  for (const path of [kept, other]) {
    assert.equal((await world.stranger.asks(path.replace('.provenance', ''))).status, 200)
  }
  await upstream.pause()
  world.passes(HOUR_MS)
  const failed = await world.stranger.asks(other)
  assert.equal(failed.status, 502, failed.text)
  const answer = await world.stranger.asks(kept)
  assert.deepEqual(answer.json(), provenance)
  const said = await listed(world)
  assert.notEqual(said[first.filename], undefined)
  assert.ok(second.filename in said)
  assert.equal(said[second.filename], undefined)
})

const VERDICTS: readonly (readonly [what: string, made: (file: Wheel) => unknown, shown: RegExp])[] = [
  [
    'that holds',
    (file) => provenanceOf(file),
    />Attested<\/a> by <a href="https:\/\/github\.com\/acme\/widget"[^>]*>GitHub acme\/widget \(release\.yml\)<\/a>/,
  ],
  [
    'of another file',
    () => provenanceOf(first),
    /not verified<\/span>.*it is about &quot;acme-1\.0-py3-none-any\.whl&quot;/,
  ],
  [
    'by another publisher than it names',
    (file) => provenanceOf(file, { ...PUBLISHER, repository: 'acme/gadget' }),
    /it names GitHub acme\/gadget \(release\.yml\) as the publisher, and GitHub acme\/widget \(release\.yml\) signed/,
  ],
  [
    'of an unknown root',
    (file) => provenanceOf(file, PUBLISHER, [throwawaySigstore().attest(file)]),
    /not verified.*its certificate does not come from an authority that is trusted/,
  ],
  ['without attestations', () => ({ version: 1, attestation_bundles: [] }), /not verified.*it holds no attestation/],
  ['of another version', () => ({ version: 2 }), /not verified.*it is no provenance object of version 1/],
  ['that names markup', (file) => provenanceOf(file, { kind: '<b>' }), /&lt;b&gt;/],
]

test('provenance is passed on as it is, and people are told what it is worth', async () => {
  const told = VERDICTS.map(([what, made, shown], number) => {
    const file = wheel({ name: `told-${number}`, version: '1.0' })
    const path = `/root/pypi/integrity/told-${number}/1.0/${file.filename}/provenance`
    return { what, shown, file, provenance: made(file), path, people: `/root/pypi/told-${number}/1.0` }
  })
  await using on = await ground(provenanceOf(first), (upstream) => {
    for (const [number, { file, provenance }] of told.entries())
      upstream.add(`told-${number}`, { filename: file.filename, bytes: file.bytes, provenance })
  })
  const { world } = on
  for (const { what, shown, provenance, path, people } of told) {
    const before = await world.stranger.asks(people, { accept: 'text/html' })
    assert.match(before.text, /Provenance<\/a> upstream, not looked at yet/, what)
    const answer = await world.stranger.asks(path)
    assert.deepEqual([answer.status, answer.json()], [200, provenance], what)
    assert.match((await world.stranger.asks(people, { accept: 'text/html' })).text, shown, what)
  }
})

test('what upstream announces and does not have is no such file, and what is too much is a failure of upstream', async () => {
  await using on = await ground({ version: 1, attestation_bundles: [], padding: 'x'.repeat(3 * 1024 * 1024) })
  const { world, upstream } = on
  const large = await world.stranger.asks(await address(world, first))
  assert.equal(large.status, 502, large.text.slice(0, 200))
  const path = await address(world, second)
  upstream.misbehave('/packages/*', { kind: 'login-page' }, { times: 1 })
  const portal = await world.stranger.asks(path)
  assert.equal(portal.status, 502)
  assert.match(portal.text, /upstream sent no JSON/)
  upstream.misbehave('/packages/*', { kind: 'status', status: 404 })
  assert.equal((await world.stranger.asks(path)).status, 404)
})

test("a push takes a mirrored file's provenance along, and an upload adds to it", async () => {
  const provenance = provenanceOf(first)
  await using on = await ground(provenance)
  const { world } = on
  const pushed = await world.root.asks('/root/pypi', {
    json: { name: 'acme', version: '1.0', targetindex: 'alice/dev' },
  })
  assert.equal(pushed.status, 401, 'alice alone may upload there')
  const own = await world.alice.asks('/root/pypi', {
    json: { name: 'acme', version: '1.0', targetindex: 'alice/dev' },
  })
  assert.equal(own.status, 200, own.text)
  const path = integrity(first, '1.0', 'alice/dev')
  assert.deepEqual((await world.stranger.asks(path)).json(), provenance)
  const more = sigstore.attest(first)
  await world.alice.uploads(first, 'alice/dev', { attestations: JSON.stringify([more]) })
  const { attestation_bundles: bundles } = (await world.stranger.asks(path)).json<typeof provenance>()
  assert.deepEqual(bundles, [
    { publisher: PUBLISHER, attestations: [...provenance.attestation_bundles[0]!.attestations, more] },
  ])
})
