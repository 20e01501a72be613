import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuiltFile, cutShort, metadataWithoutName, notAZip, sdist, wheel } from '../../test/builders/wheels.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { findFiles } from '../catalog/files.ts'
import { findProject, listReleases } from '../catalog/projects.ts'
import { collect } from '../lib/streams.ts'
import { LIMITS } from '../model/limits.ts'
import type { File, IndexRecord, Job, Release } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { describeFile } from './describe-file.ts'

const ACME = projectName('acme')

interface Described {
  readonly file: File
  readonly releases: readonly Release[]
  readonly summary: string | undefined
}

/** A mirror's file as a download leaves it, described `times`. */
async function described(stores: TempStores, file: BuiltFile, times = 1): Promise<Described> {
  const index = await stores.addMirror('root/pypi')
  await stores.addFile(index, file)
  for (let each = 0; each < times; each++)
    await describeFile({ ...stores, limits: LIMITS }, jobFor(index, file.filename))
  return await stores.catalog.read(async (reader) => ({
    file: (await findFiles(reader, index, file.filename))[0]!,
    releases: await listReleases(reader, index, ACME),
    summary: (await findProject(reader, index, ACME))?.summary,
  }))
}

function jobFor(index: IndexRecord, filename: string): Extract<Job, { kind: 'describe-file' }> {
  return { kind: 'describe-file', key: filename, index: index.name, project: ACME, filename }
}

test('describeFile() keeps the METADATA of a wheel as it stands inside, and registers what it says', async () => {
  await using stores = await openTempStores()
  const built = wheel({ name: 'acme', version: '1.0', summary: 'Things', requiresPython: '>=3.9' })
  const { file, releases, summary } = await described(stores, built)
  const bytes = await collect(await stores.blobs.open(file.coreMetadata!.digest), 1e6)
  assert.equal(
    bytes.toString(),
    'Metadata-Version: 2.1\nName: acme\nVersion: 1.0\nSummary: Things\nRequires-Python: >=3.9\n\n',
  )
  assert.equal(file.coreMetadata!.sizeBytes, bytes.length)
  assert.equal(file.requiresPython, '>=3.9')
  assert.equal(releases[0]!.metadata.summary, 'Things')
  assert.equal(summary, 'Things')
})

test('describeFile() of an sdist registers what it says; there is no .metadata of an sdist', async () => {
  await using stores = await openTempStores()
  const { file, releases } = await described(stores, sdist({ name: 'acme', version: '1.0', summary: 'Things' }))
  assert.equal(file.coreMetadata, undefined)
  assert.equal(releases[0]!.metadata.summary, 'Things')
})

test('describeFile() twice is the same as once', async () => {
  await using stores = await openTempStores()
  const built = wheel({ name: 'acme', version: '1.0', summary: 'Things' })
  const { releases } = await described(stores, built, 2)
  assert.equal(releases.length, 1)
  assert.equal((await Array.fromAsync(stores.blobs.list())).length, 2)
})

for (const [what, bytes] of [
  ['is cut short', cutShort(wheel({ name: 'acme', version: '1.0' }).bytes)],
  ['is no archive', notAZip()],
  ['has no METADATA', wheel({ name: 'acme', version: '1.0', metadata: null }).bytes],
  [
    'has METADATA that breaks the rules',
    wheel({ name: 'acme', version: '1.0', metadata: metadataWithoutName() }).bytes,
  ],
] as const) {
  test(`describeFile() of a file that ${what} is done: it is delivered as it is`, async () => {
    await using stores = await openTempStores()
    const { file } = await described(stores, { ...wheel({ name: 'acme', version: '1.0' }), bytes: Buffer.from(bytes) })
    assert.equal(file.coreMetadata, undefined)
  })
}

test('describeFile() of a file, or an index, that is gone is done', async () => {
  await using stores = await openTempStores()
  const index = await stores.addMirror('root/pypi')
  const serial = stores.catalog.serial
  await describeFile({ ...stores, limits: LIMITS }, jobFor(index, 'acme-1.0.tar.gz'))
  await describeFile({ ...stores, limits: LIMITS }, { ...jobFor(index, 'x'), index: 'a/b' as Job['index'] })
  assert.equal(stores.catalog.serial, serial)
})

test('describeFile() throws when the bytes cannot be read: the job comes again', async () => {
  await using stores = await openTempStores()
  const index = await stores.addMirror('root/pypi')
  const built = wheel({ name: 'acme', version: '1.0' })
  await stores.addFile(index, built)
  await stores.blobs.delete(built.sha256)
  await assert.rejects(describeFile({ ...stores, limits: LIMITS }, jobFor(index, built.filename)), /Cannot open blob/)
})
