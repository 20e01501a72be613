import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../../test/builders/wheels.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { digestOf } from '../lib/digest.ts'
import { projectName } from '../pep/name.ts'
import { deleteIndex } from './accounts.ts'
import { listFiles, saveFile } from './files.ts'
import {
  findMirroredProvenance,
  findProvenance,
  listAllProvenance,
  listMirroredProvenance,
  listProvenance,
  saveMirroredProvenance,
  saveProvenance,
} from './provenance.ts'
import { deleteRelease } from './removal.ts'

const ACME = projectName('acme')
const one = wheel({ name: 'acme', version: '1.0' })
const two = wheel({ name: 'acme', version: '2.0' })

async function given() {
  const stores = await openTempStores()
  const dev = await stores.addStage('alice/dev')
  for (const file of [one, two]) await stores.addFile(dev, file)
  const files = async () => await stores.catalog.read((reader) => listFiles(reader, dev, ACME))
  const named = async (filename: string) => (await files()).find((file) => file.filename === filename)!
  const all = () => stores.catalog.read((reader) => listAllProvenance(reader, 0, 10))
  const save = (filename: string, text: string) =>
    stores.catalog.write((writer) =>
      saveProvenance(writer, dev, { project: ACME, filename }, { text, verdict: 'verified' }),
    )
  return { ...stores, dev, named, all, save, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() }
}

test('saveProvenance() keeps one for each file, the last; a file that is not there gets none', async () => {
  await using ground = await given()
  const { catalog, dev } = ground
  for (const text of ['{}', '{"version":1}']) await ground.save(one.filename, text)
  await ground.save('acme-3.0-py3-none-any.whl', '{}')
  const file = await ground.named(one.filename)
  assert.deepEqual(await catalog.read((reader) => findProvenance(reader, file)), {
    text: '{"version":1}',
    verdict: 'verified',
  })
  assert.deepEqual(await catalog.read((reader) => listProvenance(reader, dev, ACME)), new Set([file.id]))
  assert.deepEqual(await ground.all(), [
    { fileId: file.id, filename: one.filename, digest: one.sha256, text: '{"version":1}' },
  ])
})

test('provenance goes with its file, with its index, and with the content that it is about', async () => {
  await using ground = await given()
  const { catalog, dev } = ground
  for (const { filename } of [one, two]) await ground.save(filename, '{}')
  const { id: _id, index: _index, ...facts } = await ground.named(one.filename)
  await catalog.write((writer) => saveFile(writer, dev, facts, 'replaced'))
  assert.equal((await ground.all()).length, 2)
  await catalog.write((writer) => saveFile(writer, dev, { ...facts, digest: digestOf('other') }, 'replaced'))
  assert.deepEqual(
    (await ground.all()).map(({ filename }) => filename),
    [two.filename],
  )
  await catalog.write((writer) => deleteRelease(writer, dev, ACME, '2.0'))
  assert.deepEqual(await ground.all(), [])
  await ground.save(one.filename, '{}')
  await catalog.write((writer) => deleteIndex(writer, dev))
  assert.deepEqual(await ground.all(), [])
})

test('saveMirroredProvenance() keeps it of files that are not here, until one that was here goes', async () => {
  await using ground = await given()
  const { catalog, dev } = ground
  const kept = { digest: one.sha256, text: '{}', verdict: 'it holds no attestation', etag: '"a"', fetchedMs: 5 }
  const serial = catalog.serial
  for (const filename of [one.filename, 'acme-3.0.tar.gz']) {
    await catalog.write((writer) => saveMirroredProvenance(writer, dev, ACME, filename, { ...kept, fetchedMs: 1 }))
    await catalog.write((writer) => saveMirroredProvenance(writer, dev, ACME, filename, kept))
  }
  assert.equal(catalog.serial, serial)
  assert.deepEqual(await catalog.read((reader) => findMirroredProvenance(reader, dev, ACME, one.filename)), kept)
  const listed = () => catalog.read((reader) => listMirroredProvenance(reader, dev, ACME))
  assert.deepEqual([...(await listed()).keys()].sort(), [one.filename, 'acme-3.0.tar.gz'].sort())
  await catalog.write((writer) => deleteRelease(writer, dev, ACME, '1.0'))
  assert.deepEqual([...(await listed()).keys()], ['acme-3.0.tar.gz'])
})
