import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../../test/builders/wheels.ts'
import { throwawaySigstore } from '../../test/sigstore/throwaway.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { writeBlob } from '../blob/blob-store.ts'
import { deleteIndex } from '../catalog/accounts.ts'
import { saveMetadata } from '../catalog/mirror-uses.ts'
import { saveProvenance } from '../catalog/provenance.ts'
import { digestOf } from '../lib/digest.ts'
import { projectName } from '../pep/name.ts'
import { check, collectGarbage } from './upkeep.ts'

const GRACE_MS = 1000
const one = wheel({ name: 'acme', version: '1.0' })
const two = wheel({ name: 'acme', version: '2.0' })

/** Two files of which one has metadata, and a blob that no row names. */
async function given() {
  const stores = await openTempStores()
  const index = await stores.addStage('alice/dev')
  const metadata = await writeBlob(stores.blobs, [Buffer.from('Name: acme\n')], { limitBytes: 100 })
  await stores.addFile(index, one, { coreMetadata: metadata })
  await stores.addFile(index, two)
  const unnamed = await writeBlob(stores.blobs, [Buffer.from('left behind')], { limitBytes: 100 })
  const path = (digest: string) => join(stores.folder, 'blobs', 'sha256', digest.slice(0, 2), digest)
  return {
    stores,
    index,
    unnamed,
    metadata,
    overwrite: async (digest: string, bytes: Uint8Array) => {
      await chmod(path(digest), 0o644)
      await writeFile(path(digest), bytes)
    },
    blobs: async () => (await Array.fromAsync(stores.blobs.list())).map((blob) => blob.digest),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

test('check() of what is whole finds nothing but counts', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  const report = await check(catalog, blobs, { hashes: true })
  const bytes = one.bytes.length + two.bytes.length + ground.metadata.sizeBytes + ground.unnamed.sizeBytes
  assert.deepEqual(report, { files: 2, blobs: 4, bytes, faults: [], unnamed: 1 })
})

test('check() tells a blob that is missing, a file’s or its metadata’s', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  await blobs.delete(two.sha256)
  await blobs.delete(ground.metadata.digest)
  const { faults } = await check(catalog, blobs, { hashes: false })
  assert.deepEqual([...faults].sort(), [
    `${one.filename}: blob ${ground.metadata.digest} is missing`,
    `${two.filename}: blob ${two.sha256} is missing`,
  ])
})

test('check() looks for metadata that a mirror keeps without the file', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  const mirror = await ground.stores.addMirror('root/pypi')
  const blob = await writeBlob(blobs, [Buffer.from('Name: else\n')], { limitBytes: 100 })
  await catalog.write((writer) => saveMetadata(writer, mirror, { ...blob, usedMs: 0 }))
  assert.deepEqual((await check(catalog, blobs, { hashes: false })).faults, [])
  await blobs.delete(blob.digest)
  const { files, faults } = await check(catalog, blobs, { hashes: false })
  assert.deepEqual({ files, faults }, { files: 2, faults: [`metadata of a mirror: blob ${blob.digest} is missing`] })
})

test('check() tells a blob of another size, and of another content only when it reads hashes', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  await ground.overwrite(one.sha256, Buffer.alloc(3))
  const wrong = Buffer.from(two.bytes)
  wrong[5] = wrong[5]! ^ 1
  await ground.overwrite(two.sha256, wrong)
  const quick = await check(catalog, blobs, { hashes: false })
  assert.deepEqual(quick.faults, [`${one.filename}: blob ${one.sha256} has 3 bytes, ${one.bytes.length} are recorded`])
  const full = await check(catalog, blobs, { hashes: true })
  assert.equal(full.faults.length, 3)
  assert.ok(full.faults.includes(`blob ${two.sha256}: its content has sha256 ${digestOf(wrong)}`))
})

test('collect() takes what no row names after the grace, and nothing else', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  const at = (ms: number) => ({ now: () => new Date(Date.now() + ms) })
  const before = await ground.blobs()
  const young = await collectGarbage(catalog, blobs, { graceMs: GRACE_MS * 3600, clock: at(0), dryRun: false })
  assert.deepEqual(young, { blobs: 0, bytes: 0 })
  const late = { graceMs: GRACE_MS, clock: at(GRACE_MS + 5000) }
  assert.deepEqual(await collectGarbage(catalog, blobs, { ...late, dryRun: true }), { blobs: 1, bytes: 11 })
  assert.deepEqual(await ground.blobs(), before)
  assert.deepEqual(await collectGarbage(catalog, blobs, { ...late, dryRun: false }), { blobs: 1, bytes: 11 })
  assert.deepEqual(
    await ground.blobs(),
    before.filter((digest) => digest !== ground.unnamed.digest),
  )
  assert.deepEqual((await check(catalog, blobs, { hashes: true })).faults, [])
})

test('collect() takes the blobs of a deleted index, but not those that another index names', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  await ground.stores.addFile(await ground.stores.addStage('alice/prod'), one)
  await catalog.write((writer) => deleteIndex(writer, ground.index))
  const clock = { now: () => new Date(Date.now() + 60_000) }
  const { blobs: count } = await collectGarbage(catalog, blobs, { graceMs: GRACE_MS, clock, dryRun: false })
  assert.equal(count, 3)
  assert.deepEqual(await ground.blobs(), [one.sha256])
})

test('check() tells provenance that cannot be read, or that is about other content', async () => {
  await using ground = await given()
  const { catalog, blobs } = ground.stores
  const sigstore = throwawaySigstore()
  const bundleOf = (file: typeof one) => {
    const publisher = { kind: 'GitHub', repository: 'acme/widget' }
    return { version: 1, attestation_bundles: [{ publisher, attestations: [sigstore.attest(file)] }] }
  }
  const save = (file: typeof one, provenance: unknown) =>
    catalog.write((writer) =>
      saveProvenance(
        writer,
        ground.index,
        { project: projectName('acme'), filename: file.filename },
        { text: JSON.stringify(provenance), verdict: 'verified' },
      ),
    )
  await save(one, bundleOf(one))
  await save(two, bundleOf(two))
  assert.deepEqual((await check(catalog, blobs, { hashes: false })).faults, [])
  await save(one, { version: 2 })
  await save(two, bundleOf(one))
  assert.deepEqual((await check(catalog, blobs, { hashes: false })).faults, [
    `${one.filename}: its provenance cannot be read: it is no provenance object of version 1`,
    `${two.filename}: its provenance is about content with sha256 ${one.sha256}`,
  ])
})
