import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sdist, wheel } from '../../test/builders/wheels.ts'
import { fixedIndex } from '../../test/world/fixed-index.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { writeBlob } from '../blob/blob-store.ts'
import { locateFile } from './locate-file.ts'
import { stage } from './stage.ts'

const file = wheel({ name: 'acme', version: '1.0' })
const plus = (digest: string) => ({ kind: '+f', hashStart: digest.slice(0, 16) }) as const

test('locateFile() finds a held file by its own hash alone', async () => {
  await using stores = await openTempStores()
  const record = await stores.addStage('alice/dev')
  await stores.addFile(record, file)
  const layer = stage(stores.catalog, record)
  const find = (address: Parameters<typeof locateFile>[3], filename = file.filename) =>
    locateFile(stores.catalog, record, layer, address, filename)
  const found = (await find(plus(file.sha256)))!
  assert.equal(found.project, 'acme')
  assert.equal(found.source.digest, file.sha256)
  assert.equal(await find(plus('f'.repeat(64))), undefined)
  assert.equal(await find({ kind: '+e', folder: 'http_x' }), undefined)
  assert.equal(await find(plus(file.sha256), 'acme-2.0-py3-none-any.whl'), undefined)
  assert.equal(await find(plus(file.sha256), `${file.filename}.metadata`), undefined)
})

test('locateFile() finds the metadata of a wheel under the hash of the wheel', async () => {
  await using stores = await openTempStores()
  const record = await stores.addStage('alice/dev')
  const metadata = await writeBlob(stores.blobs, [Buffer.from('Name: acme\n')], { limitBytes: 100 })
  await stores.addFile(record, file, { coreMetadata: metadata })
  const layer = stage(stores.catalog, record)
  const name = `${file.filename}.metadata`
  const found = await locateFile(stores.catalog, record, layer, plus(file.sha256), name)
  assert.equal(found!.source.digest, metadata.digest)
  assert.equal(await locateFile(stores.catalog, record, layer, plus(metadata.digest), name), undefined)
})

test("locateFile() finds a mirror's held file by the hash upstream gave and by its folder there", async () => {
  await using stores = await openTempStores()
  const record = await stores.addMirror('root/pypi', { mirror_url: 'http://localhost:1/simple/' })
  const md5 = 'abcdef0123456789abcdef0123456789'
  await stores.addFile(record, file, { addressHash: md5, origin: `http://host:80/files/${file.filename}` })
  const layer = fixedIndex('mirror', 'root/pypi', { acme: [file] })
  const found = (address: Parameters<typeof locateFile>[3]) =>
    locateFile(stores.catalog, record, layer, address, file.filename)
  assert.ok(await found(plus(md5)))
  assert.ok(await found({ kind: '+e', folder: 'http_host_80_files' }))
  assert.equal(await found({ kind: '+e', folder: 'http_host_80_other' }), undefined)
})

test("locateFile() finds a mirror's file that no page was asked for, by the projects its name can belong to", async () => {
  await using stores = await openTempStores()
  const record = await stores.addMirror('root/pypi', { mirror_url: 'http://localhost:1/simple/' })
  const odd = sdist({ name: 'foo', version: '1.0' })
  const named = { ...odd, filename: 'foo-bar-1.0.tar.gz' }
  const layer = fixedIndex('mirror', 'root/pypi', { acme: [file], 'foo-bar': [named] })
  assert.equal((await locateFile(stores.catalog, record, layer, plus(file.sha256), file.filename))!.project, 'acme')
  assert.equal(
    (await locateFile(stores.catalog, record, layer, plus(named.sha256), named.filename))!.project,
    'foo-bar',
  )
  assert.equal(await locateFile(stores.catalog, record, layer, plus('f'.repeat(64)), file.filename), undefined)
})

test('locateFile() on a stage asks for no page: what is not held is not there', async () => {
  await using stores = await openTempStores()
  const record = await stores.addStage('alice/dev')
  const layer = fixedIndex('stage', 'alice/dev', { acme: [file] })
  assert.equal(await locateFile(stores.catalog, record, layer, plus(file.sha256), file.filename), undefined)
  assert.deepEqual(layer.asked, [])
})

test('locateFile() throws what the layer throws: an index that cannot tell is not one that lacks it', async () => {
  await using stores = await openTempStores()
  const record = await stores.addMirror('root/pypi', { mirror_url: 'http://localhost:1/simple/' })
  const layer = fixedIndex('mirror', 'root/pypi', {})
  layer.fail(new Error('gone'))
  await assert.rejects(locateFile(stores.catalog, record, layer, plus(file.sha256), file.filename), /gone/)
})
