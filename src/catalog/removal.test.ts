import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuiltFile, wheel } from '../../test/builders/wheels.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { digestOf } from '../lib/digest.ts'
import { fileAddress } from '../model/file-address.ts'
import type { File, StageRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { deleteIndex } from './accounts.ts'
import { listAttachments, saveAttachment } from './attachments.ts'
import { wasDeleted } from './deleted-addresses.ts'
import { listFiles } from './files.ts'
import { isBlobNamed } from './named-blobs.ts'
import { findProject, listReleases } from './projects.ts'
import { deleteFile, deleteProject, deleteRelease } from './removal.ts'
import { searchProjects } from './search.ts'

const DEMO = projectName('demo')

/** demo 1.0 with a wheel and its test result, demo 2.0 with a wheel. */
async function given() {
  const stores = await openTempStores()
  const index = await stores.addStage('alice/dev')
  for (const version of ['1.0', '2.0']) {
    await stores.addFile(index, await wheel({ name: 'demo', version }))
    await stores.addRelease(index, 'demo', version, { summary: `words of ${version}` })
  }
  await attach(stores, index, await wheel({ name: 'demo', version: '1.0' }))
  return { stores, index, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() }
}

async function attach(stores: TempStores, index: StageRecord, of: BuiltFile): Promise<void> {
  await stores.catalog.write(async (writer) => {
    const file = (await listFiles(writer, index, DEMO)).find((each) => each.filename === of.filename)!
    await saveAttachment(writer, index, {
      kind: 'toxresult',
      project: DEMO,
      version: file.version,
      filename: `${file.filename}.toxresult-20260102030405-0`,
      digest: digestOf('{}'),
      sizeBytes: 2,
      created: '2026-01-02T03:04:05Z',
      addressHash: file.addressHash,
      ofFile: { id: file.id, filename: file.filename },
      log: [],
    })
  })
}

const held = (stores: TempStores, index: StageRecord) =>
  stores.catalog.read(async (reader) => ({
    files: (await listFiles(reader, index, DEMO)).map((each) => each.version),
    releases: (await listReleases(reader, index, DEMO)).map((each) => each.version),
    attachments: (await listAttachments(reader, index, DEMO)).map((each) => each.version),
    project: await findProject(reader, index, DEMO),
  }))

const fileOf = async (stores: TempStores, index: StageRecord, version: string): Promise<File> =>
  (await stores.catalog.read((reader) => listFiles(reader, index, DEMO))).find((each) => each.version === version)!

const isGone = (stores: TempStores, { index, addressHash, filename }: File) =>
  stores.catalog.read((reader) => wasDeleted(reader, fileAddress(index, addressHash, filename)))

test('deleteFile() takes test results along, and with the last file of a release the release', async () => {
  await using ground = await given()
  const { stores, index } = ground
  const file = await fileOf(stores, index, '1.0')
  await stores.catalog.write((writer) => deleteFile(writer, index, file))
  const { project, ...rest } = await held(stores, index)
  assert.deepEqual(rest, { files: ['2.0'], releases: ['2.0'], attachments: [] })
  assert.equal(project?.latestVersion, '2.0')
  assert.equal(await isGone(stores, file), true)
  assert.equal(await isGone(stores, await fileOf(stores, index, '2.0')), false)
})

test('deleteRelease() of the latest makes the one before it the latest, in listing and search', async () => {
  await using ground = await given()
  const { stores, index } = ground
  assert.equal(await stores.catalog.write((writer) => deleteRelease(writer, index, DEMO, '2.0')), true)
  assert.equal(await stores.catalog.write((writer) => deleteRelease(writer, index, DEMO, '2.0')), false)
  const { project, ...rest } = await held(stores, index)
  assert.deepEqual(rest, { files: ['1.0'], releases: ['1.0'], attachments: ['1.0'] })
  assert.deepEqual([project?.latestVersion, project?.summary], ['1.0', 'words of 1.0'])
  const [hit] = await stores.catalog.read((reader) => searchProjects(reader, 'words', 10, []))
  assert.equal(hit?.summary, 'words of 1.0')
})

test('deleteRelease() of the last one takes the project', async () => {
  await using ground = await given()
  const { stores, index } = ground
  for (const version of ['1.0', '2.0']) {
    await stores.catalog.write((writer) => deleteRelease(writer, index, DEMO, version))
  }
  assert.deepEqual(await held(stores, index), { files: [], releases: [], attachments: [], project: undefined })
  assert.deepEqual(await stores.catalog.read((reader) => searchProjects(reader, 'demo', 10, [])), [])
})

for (const [how, remove] of [
  ['deleteProject()', (stores, index) => stores.catalog.write((writer) => deleteProject(writer, index, DEMO))],
  ['deleteIndex()', (stores, index) => stores.catalog.write((writer) => deleteIndex(writer, index))],
] as const satisfies readonly (readonly [string, (stores: TempStores, index: StageRecord) => Promise<unknown>])[]) {
  test(`${how} leaves no row, no name for a blob, and every address known as gone`, async () => {
    await using ground = await given()
    const { stores, index } = ground
    const files = await stores.catalog.read((reader) => listFiles(reader, index, DEMO))
    const [result] = await stores.catalog.read((reader) => listAttachments(reader, index, DEMO))
    await remove(stores, index)
    assert.deepEqual(await held(stores, index), { files: [], releases: [], attachments: [], project: undefined })
    for (const file of files) assert.equal(await isGone(stores, file), true)
    const { addressHash, filename, digest } = result!
    const address = fileAddress(index.name, addressHash, filename)
    assert.equal(await stores.catalog.read((reader) => wasDeleted(reader, address)), true)
    assert.equal(await stores.catalog.read((reader) => isBlobNamed(reader, digest)), false)
  })
}
