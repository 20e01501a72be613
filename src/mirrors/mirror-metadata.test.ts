import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BuiltFile, metadataWithoutName, notAZip, wheel } from '../../test/builders/wheels.ts'
import { type ZipMember, zip } from '../../test/builders/zip.ts'
import { type FakeSettings, type FakeUpstream, startFakeUpstream } from '../../test/upstream/fake-upstream.ts'
import type { Behaviour } from '../../test/world/answer.ts'
import { ALL_NAMED } from '../../test/world/near.ts'
import { sourceIn } from '../../test/world/source-in.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { indexAsWritten } from '../catalog/accounts.ts'
import type { FileSource } from '../indexes/package-index.ts'
import { type Digest, digestOf } from '../lib/digest.ts'
import { collect } from '../lib/streams.ts'
import { type Limits, withLimits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { describeFile } from './describe-file.ts'
import type { Mirror } from './mirror.ts'
import { Mirrors } from './mirrors.ts'

const ACME = projectName('acme')
const METADATA = 'Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n\nWhat it does.\n'
const SHA256 = digestOf(METADATA)
const BIG = { 'acme/data.bin': randomBytes(300_000) }

interface Ground extends AsyncDisposable {
  readonly stores: TempStores
  readonly upstream: FakeUpstream
  readonly mirror: Mirror
  readonly warnings: readonly string[]
  /** As pages announce it. */
  announced(): Promise<unknown>
  /** The bytes of `acme-1.0-py3-none-any.whl.metadata`, as text; `undefined` where there is no such file. */
  metadata(): Promise<string | undefined>
  source(): Promise<FileSource | undefined>
  /** Fetches the wheel itself, and looks into it. */
  download(): Promise<void>
  /** The same folder after a restart. */
  again(options?: { offline?: boolean; options?: Record<string, unknown> }): Promise<Ground>
}

async function given(
  file: { readonly bytes: Uint8Array; readonly filename?: string } = wheel({
    name: 'acme',
    version: '1.0',
    files: BIG,
    metadata: METADATA,
  }),
  {
    options = {},
    limits = {},
    ...settings
  }: Partial<FakeSettings> & { options?: Record<string, unknown>; limits?: Partial<Limits> } = {},
): Promise<Ground & { readonly path: string }> {
  const upstream = await startFakeUpstream({ projectList: false, coreMetadata: false, ...settings })
  const stores = await openTempStores()
  const filename = file.filename ?? 'acme-1.0-py3-none-any.whl'
  const { path } = upstream.add('acme', { filename, bytes: file.bytes })
  await stores.addMirror('root/pypi', { mirror_url: upstream.url, mirror_no_project_list: true, ...options })
  const ground = await opened(stores, upstream, limits, false)
  return {
    ...ground,
    path,
    [Symbol.asyncDispose]: async () => {
      await ground[Symbol.asyncDispose]()
      await stores[Symbol.asyncDispose]()
      await upstream.close()
    },
  }
}

async function opened(
  stores: TempStores,
  upstream: FakeUpstream,
  limits: Partial<Limits>,
  offline: boolean,
): Promise<Ground> {
  const warnings: string[] = []
  const all = withLimits({ rangedTailBytes: 4096, upstreamPageMs: 2000, ...limits })
  const mirrors = new Mirrors({
    ...ALL_NAMED,
    catalog: stores.catalog,
    blobs: stores.blobs,
    folder: join(stores.folder, 'mirrors'),
    temp: stores.folder,
    offline,
    expirySeconds: 1800,
    limits: all,
    clock: stores.clock,
    userAgent: 'test',
    warn: (message) => warnings.push(message),
    info: () => {},
  })
  const record = (await stores.catalog.read((reader) => indexAsWritten(reader, 'root/pypi'))) as MirrorRecord
  const mirror = await mirrors.get(record)
  const listed = async () => (await mirror.project(ACME))!.files[0]!
  const source = async () => sourceIn(mirror, ACME, `${(await listed()).filename}.metadata`)
  return {
    stores,
    upstream,
    mirror,
    warnings,
    announced: async () => (await listed()).coreMetadata,
    source,
    metadata: async () => {
      const found = await source()
      if (found?.from === 'memory') {
        assert.equal(digestOf(found.bytes), found.digest)
        return Buffer.from(found.bytes).toString()
      }
      return found?.from === 'blob' ? (await collect(await stores.blobs.open(found.digest), 1e6)).toString() : undefined
    },
    download: async () => {
      const { filename } = await listed()
      const found = await sourceIn(mirror, ACME, filename)
      if (found?.from === 'upstream') await found.fetch().complete()
      const warn = (message: string) => warnings.push(message)
      await describeFile({ ...stores, limits: all, warn }, { index: record.name, project: ACME, filename })
    },
    again: (changes = {}) => opened(stores, upstream, limits, changes.offline === true),
    [Symbol.asyncDispose]: () => mirrors[Symbol.asyncDispose](),
  }
}

const dispositions = (ground: { upstream: FakeUpstream }, path: string) => ({
  parts: ground.upstream.requests.filter((each) => each.path === path && each.headers.range !== undefined).length,
  wholes: ground.upstream.requests.filter((each) => each.path === path && each.headers.range === undefined).length,
})
const sentBytes = (ground: { upstream: FakeUpstream }, path: string) =>
  ground.upstream.requests.filter((each) => each.path === path).reduce((sum, each) => sum + each.sentBytes, 0)
const isNoSuchFile = { code: 'no-such-file', message: /the wheel has none that can be used/ }

test('Mirror announces metadata that upstream does not have, and makes it once from a few parts of the wheel', async () => {
  await using ground = await given()
  assert.equal(await ground.announced(), true)
  for (const text of await Promise.all(Array.from({ length: 10 }, ground.metadata))) assert.equal(text, METADATA)
  assert.deepEqual(dispositions(ground, ground.path), { parts: 1, wholes: 0 })
  assert.ok(sentBytes(ground, ground.path) <= 4096)
  assert.deepEqual(await ground.announced(), { sha256: SHA256 })
  assert.equal(await ground.metadata(), METADATA)
  assert.equal(ground.upstream.count(`${ground.path}.metadata`), 0)
  await using again = await ground.again()
  assert.deepEqual(await again.announced(), { sha256: SHA256 })
  await ground.upstream.pause()
  assert.equal(await again.metadata(), METADATA)
})

const members = (files: Readonly<Record<string, string | Uint8Array>> = BIG): ZipMember[] =>
  Object.entries({ ...files, 'acme-1.0.dist-info/METADATA': METADATA }).map(([name, content]) => ({ name, content }))
const MANY = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`acme/module_${at}.py`, '']))
const LONG = `${METADATA}${randomBytes(60_000).toString('hex')}\n`

for (const [about, file, text = METADATA, most = 3] of [
  ['a comment of 64 KiB', { bytes: zip(members(), { comment: 'c'.repeat(0xffff) }) }, METADATA, 4],
  ['a directory in zip64', { bytes: zip(members(), { zip64: true }) }],
  ['a directory of 200 KiB', { bytes: zip(members(MANY)) }, METADATA, 8],
  ['METADATA far before the end', { bytes: zip(members().reverse()) }],
  ['METADATA of 120 KiB', wheel({ name: 'acme', version: '1.0', files: BIG, metadata: LONG }), LONG, 4],
  ['a local version', wheel({ name: 'acme', version: '1.0+cu118', files: BIG, metadata: METADATA })],
  [
    'a name written in another way',
    {
      filename: 'Acme-1.0-py3-none-any.whl',
      bytes: zip([
        { name: 'a', content: randomBytes(9000) },
        { name: 'ACME-1.0.dist-info/METADATA', content: METADATA },
      ]),
    },
  ],
] as readonly [string, { bytes: Uint8Array; filename?: string }, string?, number?][]) {
  for (const sizes of [true, false]) {
    test(`Mirror makes the metadata of a wheel with ${about}, its size ${sizes ? '' : 'not '}announced`, async () => {
      await using ground = await given(file, { sizes, json: sizes })
      assert.equal(await ground.metadata(), text)
      const { parts, wholes } = dispositions(ground, ground.path)
      assert.equal(wholes, 0)
      assert.ok(parts <= most, `${parts} reads`)
    })
  }
}

for (const [about, behaviour] of [
  ['knows no ranges', undefined],
  ['sends another part than it is asked for', { kind: 'headers', headers: { 'content-range': 'bytes 0-1/2' } }],
  ['sends parts that are packed', { kind: 'wrong-encoding' }],
  ['sends parts with other bytes', { kind: 'wrong-bytes' }],
  ['answers a part with a page for people', { kind: 'login-page' }],
] as const satisfies readonly (readonly [string, Behaviour | undefined])[]) {
  test(`Mirror reads the whole wheel where upstream ${about}, and holds it then`, async () => {
    await using ground = await given(undefined, { ranges: behaviour !== undefined })
    assert.equal(await ground.announced(), true)
    if (behaviour !== undefined) ground.upstream.misbehave(ground.path, behaviour, { times: 1 })
    assert.equal(await ground.metadata(), METADATA)
    assert.deepEqual(dispositions(ground, ground.path), { parts: 1, wholes: 1 })
    assert.deepEqual(await ground.announced(), { sha256: SHA256 })
    const page = (await ground.mirror.project(ACME))!
    assert.equal(page.files[0]!.held, true)
  })
}

test('Mirror reads the whole wheel where its parts take more reads than are allowed', async () => {
  await using ground = await given({ bytes: zip(members(MANY)) }, { limits: { rangedReads: 2 } })
  assert.equal(await ground.metadata(), METADATA)
  assert.deepEqual(dispositions(ground, ground.path), { parts: 2, wholes: 1 })
})

const encrypted = zip([{ name: 'acme-1.0.dist-info/METADATA', content: METADATA, lies: { flags: 0x801 } }])
for (const [about, file] of [
  ['is no zip', { bytes: notAZip() }],
  ['has no METADATA', wheel({ name: 'acme', version: '1.0', metadata: null })],
  ['has METADATA without a name', wheel({ name: 'acme', version: '1.0', metadata: metadataWithoutName() })],
  ['is encrypted', { bytes: encrypted }],
  ['has the METADATA of another release', { bytes: wheel({ name: 'acme', version: '2.0' }).bytes }],
] as const) {
  test(`Mirror announces the metadata of a wheel no longer that ${about}, and asks for them once`, async () => {
    await using ground = await given(file)
    assert.equal(await ground.announced(), true)
    await assert.rejects(ground.metadata(), isNoSuchFile)
    assert.equal(await ground.announced(), undefined)
    ground.upstream.forgetRequests()
    await assert.rejects(ground.metadata(), isNoSuchFile)
    await using again = await ground.again()
    assert.equal(await again.announced(), undefined)
    assert.equal(ground.upstream.count(ground.path), 0)
  })
}

for (const [about, behaviour] of [
  ['fails', { kind: 'status', status: 500 }],
  ['is overloaded', { kind: 'status', status: 503, retryAfterSeconds: 1 }],
  ['has lost the wheel', { kind: 'status', status: 404 }],
  ['breaks off', { kind: 'cut', afterBytes: 10 }],
  ['falls silent', { kind: 'hang' }],
] as const satisfies readonly (readonly [string, Behaviour])[]) {
  test(`Mirror takes it for no property of the wheel when upstream ${about}`, async () => {
    await using ground = await given(undefined, { limits: { upstreamPageMs: 300, resumes: 0, resumePauseMs: 1 } })
    await ground.mirror.project(ACME)
    ground.upstream.misbehave(ground.path, behaviour)
    await assert.rejects(sourceIn(ground.mirror, ACME, 'acme-1.0-py3-none-any.whl.metadata'), {
      code: 'upstream-failed',
    })
    ground.upstream.behave()
    ground.stores.clock.ms += 600_000
    await using again = await ground.again()
    assert.equal(await again.announced(), true)
    assert.equal(await again.metadata(), METADATA)
  })
}

test('Mirror corrects metadata that were read from false parts when the whole wheel is here, and says so', async () => {
  const file = wheel({ name: 'acme', version: '1.0', metadata: METADATA })
  await using ground = await given(file)
  const other = wheel({ name: 'acme', version: '1.0', metadata: METADATA.replace('does', 'hides') })
  // Whoever stands at the end of a redirect sends parts of another wheel.
  await using liar = await startFakeUpstream({ projectList: false, sizes: false })
  const lie = liar.add('acme', { ...other, lies: { sha256: file.sha256 } })
  ground.upstream.misbehave(ground.path, { kind: 'redirect', to: lie.url }, { times: 1 })
  ground.upstream.settings.sizes = false
  assert.match((await ground.metadata())!, /hides/)
  const before = await ground.source()
  assert.ok(before?.from === 'memory' && before.mayChange === true)
  await ground.download()
  assert.deepEqual(ground.warnings, [
    'Replaced the metadata of a wheel: its own differs from the metadata read at upstream',
  ])
  assert.deepEqual(await ground.announced(), { sha256: SHA256 })
  assert.equal(await ground.metadata(), METADATA)
})

test('Mirror says nothing where the whole wheel has what its parts told', async () => {
  await using ground = await given()
  await ground.metadata()
  await ground.download()
  assert.deepEqual(ground.warnings, [])
  const source = await ground.source()
  assert.ok(source?.from === 'blob' && source.digest === SHA256)
})

test('Mirror reads a wheel that is here and was not looked into, also without upstream', async () => {
  await using ground = await given()
  const found = await sourceIn(ground.mirror, ACME, 'acme-1.0-py3-none-any.whl')
  assert.ok(found?.from === 'upstream')
  await found.fetch().complete()
  await using offline = await ground.again({ offline: true })
  assert.equal(await offline.announced(), true)
  assert.equal(await offline.metadata(), METADATA)
  assert.deepEqual(await offline.announced(), { sha256: SHA256 })
})

test('Mirror makes no metadata with mirror_make_metadata=False', async () => {
  await using ground = await given(undefined, { options: { mirror_make_metadata: false } })
  assert.equal(await ground.announced(), undefined)
  assert.equal(await ground.metadata(), undefined)
  assert.equal(ground.upstream.count(ground.path), 0)
})

test('Mirror announces nothing for what is no wheel', async () => {
  for (const filename of ['acme-1.0.tar.gz', 'acme-1.0.zip', 'acme-1.0-py3.9.egg', 'acme.whl']) {
    await using ground = await given({ filename, bytes: Buffer.from('x') })
    assert.equal(await ground.announced(), undefined, filename)
    assert.equal(await ground.metadata(), undefined, filename)
  }
})

/** A mirror of an upstream that announces `metadata` for the wheel, and what it does when it is asked for it. */
async function announcing(
  metadata: string,
  lies: { readonly metadataSha256?: string } = {},
  options: Record<string, unknown> = {},
) {
  const ground = await given(undefined, { coreMetadata: true, options })
  const file: BuiltFile = wheel({ name: 'acme', version: '1.0', files: BIG, metadata: METADATA })
  const { path } = ground.upstream.add('acme', { ...file, metadata, lies })
  return Object.assign(ground, { path })
}

test('Mirror takes metadata that upstream announces from there, and nothing of the wheel', async () => {
  await using ground = await announcing(METADATA)
  assert.deepEqual(await ground.announced(), { sha256: SHA256 })
  assert.equal(await ground.metadata(), METADATA)
  assert.equal(ground.upstream.count(`${ground.path}.metadata`), 1)
  assert.equal(ground.upstream.count(ground.path), 0)
  const source = await ground.source()
  assert.ok(source?.from === 'memory' && source.mayChange === undefined)
})

for (const status of [403, 404, 410]) {
  test(`Mirror makes metadata that upstream announces and answers ${status} for`, async () => {
    await using ground = await announcing(METADATA, {}, { mirror_forbidden_is_absent: status === 403 })
    ground.upstream.misbehave(`${ground.path}.metadata`, { kind: 'status', status })
    assert.equal(await ground.metadata(), METADATA)
    assert.deepEqual(dispositions(ground, ground.path), { parts: 1, wholes: 0 })
    assert.deepEqual(await ground.announced(), { sha256: SHA256 })
  })
}

test('Mirror reads the whole wheel where its parts have other metadata than upstream announces and does not have', async () => {
  await using ground = await announcing(`${METADATA}more`)
  ground.upstream.misbehave(`${ground.path}.metadata`, { kind: 'status', status: 404 })
  assert.deepEqual(await ground.announced(), { sha256: digestOf(`${METADATA}more`) })
  assert.equal(await ground.metadata(), METADATA)
  assert.deepEqual(dispositions(ground, ground.path), { parts: 1, wholes: 1 })
  assert.deepEqual(await ground.announced(), { sha256: SHA256 })
})

test("Mirror repeats an announcement without hash, takes upstream's file, and knows its hash then", async () => {
  await using ground = await announcing(METADATA, { metadataSha256: 'cut short' as Digest })
  assert.equal(await ground.announced(), true)
  assert.equal(await ground.metadata(), METADATA)
  assert.deepEqual(await ground.announced(), { sha256: SHA256 })
  assert.equal(ground.upstream.count(ground.path), 0)
})

test('Mirror believes no page for people to be metadata where no hash is announced', async () => {
  await using ground = await announcing(METADATA, { metadataSha256: 'cut short' as Digest })
  ground.upstream.misbehave(`${ground.path}.metadata`, { kind: 'login-page' })
  assert.equal(await ground.metadata(), METADATA)
  assert.deepEqual(dispositions(ground, ground.path), { parts: 1, wholes: 0 })
})
