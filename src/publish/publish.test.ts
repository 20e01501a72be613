import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { type FormPart, fieldParts, multipart } from '../../test/builders/multipart.ts'
import { type BuiltFile, wheel } from '../../test/builders/wheels.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { unattested } from '../../test/world/unattested.ts'
import { listFiles } from '../catalog/files.ts'
import { listReleases } from '../catalog/projects.ts'
import { may, type Principal } from '../model/access.ts'
import type { Problem } from '../model/errors.ts'
import { LIMITS } from '../model/limits.ts'
import { userName } from '../model/names.ts'
import type { StageRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { publish } from './publish.ts'
import type { Published } from './publishing.ts'

const ALICE: Principal = { name: userName('alice'), groups: [] }
const ACME = projectName('acme')
const built = (from: string) => wheel({ name: 'acme', version: '1.0', summary: from, files: { from } })

async function uploaded(stores: TempStores, index: StageRecord, file: BuiltFile): Promise<Published> {
  const parts: FormPart[] = [
    ...fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' }),
    { name: 'content', filename: file.filename, content: file.bytes },
  ]
  const { contentType, body } = multipart(parts)
  const publisher = {
    catalog: stores.catalog,
    blobs: stores.blobs,
    limits: LIMITS,
    clock: stores.clock,
    may,
    provenances: unattested,
  }
  return await publish(publisher, ALICE, index, { 'content-type': contentType }, Readable.from([body]))
}
const stateOf = (stores: TempStores, index: StageRecord) =>
  stores.catalog.read(async (reader) => ({
    files: await listFiles(reader, index, ACME),
    summaries: (await listReleases(reader, index, ACME)).map((release) => release.metadata.summary),
  }))

test('publish() records file, metadata and history in one write', async () => {
  await using stores = await openTempStores()
  const index = await stores.addStage('alice/dev')
  const serial = stores.catalog.serial
  assert.deepEqual(await uploaded(stores, index, built('one')), { note: '' })
  assert.equal(stores.catalog.serial, serial + 1)
  const { files, summaries } = await stateOf(stores, index)
  assert.equal(files[0]!.digest, built('one').sha256)
  assert.deepEqual(files[0]!.log, [{ what: 'upload', who: 'alice', when: [2026, 1, 2, 3, 4, 5], dst: 'alice/dev' }])
  assert.deepEqual(summaries, ['one'])
  assert.ok(await stores.blobs.stat(files[0]!.coreMetadata!.digest))
})

test('publish() on a volatile index replaces and counts', async () => {
  await using stores = await openTempStores()
  const index = await stores.addStage('alice/dev')
  for (const from of ['one', 'two', 'three']) await uploaded(stores, index, built(from))
  const { files, summaries } = await stateOf(stores, index)
  assert.equal(files.length, 1)
  assert.equal(files[0]!.digest, built('three').sha256)
  assert.deepEqual(
    files[0]!.log.map((entry) => [entry.what, entry.count]),
    [
      ['overwrite', 2],
      ['upload', undefined],
    ],
  )
  assert.deepEqual(summaries, ['three'])
})

test('publish() on a non-volatile index: the same again is a note, other content a refusal that changes nothing', async () => {
  await using stores = await openTempStores()
  const index = await stores.addStage('alice/prod', { volatile: false })
  await uploaded(stores, index, built('one'))
  const before = { ...(await stateOf(stores, index)), serial: stores.catalog.serial }
  assert.deepEqual(await uploaded(stores, index, built('one')), {
    note: 'Upload of identical file to non volatile index.',
  })
  await assert.rejects(uploaded(stores, index, built('two')), (error: Problem) => error.code === 'file-exists')
  assert.deepEqual({ ...(await stateOf(stores, index)), serial: stores.catalog.serial }, before)
})

test('publish() of two contents at once on a non-volatile index: exactly one wins, with its own metadata', async () => {
  await using stores = await openTempStores()
  const index = await stores.addStage('alice/prod', { volatile: false })
  const all = ['one', 'two', 'three', 'four'].map(built)
  const results = await Promise.allSettled(all.map((file) => uploaded(stores, index, file)))
  const won = results.flatMap((result, place) => (result.status === 'fulfilled' ? [place] : []))
  assert.equal(won.length, 1)
  const { files, summaries } = await stateOf(stores, index)
  assert.equal(files[0]!.digest, all[won[0]!]!.sha256)
  assert.deepEqual(summaries, [['one', 'two', 'three', 'four'][won[0]!]])
})

test('publish() whose row cannot be written leaves no file, and can be sent again', async () => {
  await using stores = await openTempStores()
  const index = await stores.addStage('alice/prod', { volatile: false })
  const { catalog } = stores
  const write = catalog.write.bind(catalog)
  catalog.write = () => Promise.reject(new Error('disk full'))
  await assert.rejects(uploaded(stores, index, built('one')), /disk full/)
  catalog.write = write
  assert.deepEqual(await stateOf(stores, index), { files: [], summaries: [] })
  assert.deepEqual(await uploaded(stores, index, built('one')), { note: '' })
})
