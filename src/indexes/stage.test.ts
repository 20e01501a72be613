import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../../test/builders/wheels.ts'
import { sourceIn } from '../../test/world/source-in.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { writeBlob } from '../blob/blob-store.ts'
import { collect } from '../lib/streams.ts'
import { projectName } from '../pep/name.ts'
import { heldListed } from './held.ts'
import { packageIndexContract } from './package-index.contract.ts'
import { stage } from './stage.ts'

packageIndexContract({
  name: 'stage()',
  open: async (projects) => {
    const stores = await openTempStores()
    const record = await stores.addStage('alice/dev')
    await stores.catalog.write(async () => {})
    for (const [project, files] of Object.entries(projects)) {
      if (files.length === 0) await stores.addRelease(record, project, '1.0')
      for (const file of files) await stores.addFile(record, file)
    }
    return {
      index: stage(stores.catalog, record),
      read: async (source) => await collect(await stores.blobs.open(source.digest!), 1e7),
      [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
    }
  },
})

test('stage() tells yanks, requires-python, upload time and metadata of its files', async () => {
  await using stores = await openTempStores()
  const record = await stores.addStage('alice/dev')
  const file = wheel({ name: 'acme', version: '1.0' })
  const metadata = await writeBlob(stores.blobs, [Buffer.from('Name: acme\n')], { limitBytes: 100 })
  await stores.addFile(record, file, { yanked: 'broken', requiresPython: '>=3.9', coreMetadata: metadata })
  const index = stage(stores.catalog, record)
  const [listed] = (await index.project(projectName('acme')))!.files
  assert.equal(listed!.yanked, 'broken')
  assert.equal(listed!.requiresPython, '>=3.9')
  assert.equal(listed!.uploadTime, '2026-01-01T00:00:00.000Z')
  assert.deepEqual(listed!.coreMetadata, { sha256: metadata.digest })
  assert.equal(listed!.held, true)
  const source = await sourceIn(index, projectName('acme'), `${file.filename}.metadata`)
  assert.equal(source!.digest, metadata.digest)
})

test('stage() lists a release that has no files among its versions', async () => {
  await using stores = await openTempStores()
  const record = await stores.addStage('alice/dev')
  await stores.addRelease(record, 'acme', '0.1')
  const page = await stage(stores.catalog, record).project(projectName('acme'))
  assert.deepEqual([page!.versions, page!.files], [['0.1'], []])
})

test('stage() holds nothing of another stage', async () => {
  await using stores = await openTempStores()
  const one = await stores.addStage('alice/one')
  const two = await stores.addStage('alice/two')
  await stores.addFile(one, wheel({ name: 'acme', version: '1.0' }))
  const index = stage(stores.catalog, two)
  assert.equal(await index.project(projectName('acme')), undefined)
  assert.equal(await sourceIn(index, projectName('acme'), 'acme-1.0-py3-none-any.whl'), undefined)
  for await (const batch of index.listed()) assert.deepEqual(batch, [])
})

for (const [policy, expected] of [
  [undefined, ['acme', 'removed']],
  ['follow', ['acme']],
] as const) {
  test(`heldListed() of a mirror has the names with a file that can be delivered, mirror_removals=${policy}`, async () => {
    await using stores = await openTempStores()
    const mirror = await stores.addMirror('root/pypi', policy === undefined ? {} : { mirror_removals: policy })
    await stores.addFile(mirror, wheel({ name: 'acme', version: '1.0' }))
    await stores.addFile(mirror, wheel({ name: 'suspect', version: '1.0' }), { upstream: 'quarantined' })
    await stores.addFile(mirror, wheel({ name: 'removed', version: '1.0' }), { upstream: { removed: '2026-01-01' } })
    await stores.addFile(mirror, wheel({ name: 'removed', version: '1.1' }), { upstream: { removed: '2026-01-01' } })
    // What is left of a project whose last file made room for others.
    await stores.addRelease(mirror, 'emptied', '1.0')
    const names: string[] = []
    for await (const batch of heldListed(stores.catalog, mirror)) names.push(...batch.map((each) => each.name))
    assert.deepEqual(names, expected)
  })
}
