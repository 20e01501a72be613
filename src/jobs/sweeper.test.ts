import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../../test/builders/wheels.ts'
import { ALL_NAMED } from '../../test/world/near.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { deleteIndex } from '../catalog/accounts.ts'
import { saveAttachment } from '../catalog/attachments.ts'
import { findFiles } from '../catalog/files.ts'
import { deleteFile } from '../catalog/removal.ts'
import { addStagedFile, receiveStagedFile } from '../catalog/staged-files.ts'
import { addUploadSession, findUploadSession } from '../catalog/upload-sessions.ts'
import { Mirrors } from '../mirrors/mirrors.ts'
import { LIMITS } from '../model/limits.ts'
import type { IndexRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { Sweeper, type Swept } from './sweeper.ts'

const HOUR_MS = 3_600_000
const one = wheel({ name: 'acme', version: '1.0' })
const two = wheel({ name: 'acme', version: '2.0' })

/** The catalog's triggers tell time by the machine's clock: so does this ground, and goes ahead of it. */
async function given() {
  await using stack = new AsyncDisposableStack()
  const stores = stack.use(await openTempStores())
  stores.clock.ms = Date.now()
  const { catalog, blobs, clock } = stores
  const warn = (message: string) => assert.fail(message)
  const place = { limits: LIMITS, userAgent: 'airlock/0' }
  const mirrors = stack.use(
    new Mirrors({
      ...place,
      ...ALL_NAMED,
      catalog,
      blobs,
      folder: stores.folder,
      temp: stores.folder,
      offline: true,
      expirySeconds: 60,
      clock,
      warn,
      info: () => {},
    }),
  )
  const told: Swept[] = []
  const onTrouble = (error: unknown) => assert.fail(String(error))
  const onSwept = (swept: Swept) => told.push(swept)
  const sweeper = stack.use(new Sweeper({ catalog, blobs, mirrors, limits: LIMITS, clock, onSwept, onTrouble }))
  const opened = stack.move()
  return {
    stores,
    sweeper,
    told,
    stored: async (...digests: (typeof one.sha256)[]) =>
      Promise.all(digests.map(async (digest) => (await blobs.stat(digest)) !== undefined)),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function remove({ catalog }: TempStores, index: IndexRecord, filename: string): Promise<void> {
  await catalog.write(async (writer) => {
    for (const file of await findFiles(writer, index, filename)) await deleteFile(writer, index, file)
  })
}

test('Sweeper collects the blob of a deleted file a day later, while the server runs', async () => {
  await using ground = await given()
  const { stores } = ground
  const stage = await stores.addStage('alice/dev')
  await stores.addFile(stage, one)
  await stores.addFile(stage, two)
  await remove(stores, stage, one.filename)
  stores.clock.ms += 23 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256, two.sha256), [true, true])
  stores.clock.ms += 2 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256, two.sha256), [false, true])
  assert.deepEqual(ground.told, [{ files: 0, blobs: 1, bytes: one.bytes.length }])
  await ground.sweeper.sweep()
  assert.equal(ground.told.length, 1)
})

test('Sweeper collects what a deleted index held, and leaves what others name', async () => {
  await using ground = await given()
  const { stores } = ground
  const [dev, prod] = [await stores.addStage('alice/dev'), await stores.addStage('alice/prod')]
  await stores.addFile(dev, one)
  await stores.addFile(dev, two)
  await stores.addFile(prod, one)
  const documentation = wheel({ name: 'doc', version: '1.0' })
  await stores.addFile(dev, documentation)
  await stores.catalog.write(async (writer) => {
    await saveAttachment(writer, prod, {
      kind: 'doczip',
      project: projectName('acme'),
      version: '1.0',
      filename: 'acme-1.0.doc.zip',
      digest: documentation.sha256,
      sizeBytes: documentation.bytes.length,
      created: '2026-01-01T00:00:00Z',
      addressHash: documentation.sha256,
      log: [],
    })
    await deleteIndex(writer, dev)
  })
  stores.clock.ms += 25 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256, two.sha256, documentation.sha256), [true, false, true])
  // The last name of another one goes later.
  await remove(stores, prod, one.filename)
  stores.clock.ms += 25 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256), [false])
})

test('Sweeper leaves what is held for a row to come, and looks again next time', async () => {
  await using ground = await given()
  const { stores } = ground
  const stage = await stores.addStage('alice/dev')
  await stores.addFile(stage, one)
  await stores.addFile(stage, two)
  await remove(stores, stage, one.filename)
  stores.clock.ms += 25 * HOUR_MS
  const held = stores.blobs.hold(one.sha256)
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256), [true])
  held[Symbol.dispose]()
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256), [false])
})

test('Sweeper collects the bytes that a file of a stage had before it was replaced', async () => {
  await using ground = await given()
  const { stores } = ground
  const stage = await stores.addStage('alice/dev')
  await stores.addFile(stage, one)
  await stores.addFile(stage, { ...two, filename: one.filename })
  stores.clock.ms += 25 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256, two.sha256), [false, true])
})

test('Sweeper lets go mirrored files that were not used for as long as the mirror keeps them', async () => {
  await using ground = await given()
  const { stores } = ground
  const mirror = await stores.addMirror('root/pypi', { mirror_cache_days: 2 })
  await stores.addFile(mirror, one)
  stores.clock.ms += 24 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256), [true])
  stores.clock.ms += 25 * HOUR_MS
  await ground.sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256), [false])
  assert.deepEqual(ground.told, [{ files: 1, blobs: 0, bytes: one.bytes.length }])
})

test('Sweeper tells what went wrong with one mirror and goes on with the next thing', async () => {
  await using ground = await given()
  const { stores } = ground
  await stores.addMirror('root/pypi', { mirror_cache_days: 2 })
  const stage = await stores.addStage('alice/dev')
  await stores.addFile(stage, one)
  await remove(stores, stage, one.filename)
  stores.clock.ms += 25 * HOUR_MS
  const troubles: unknown[] = []
  const { catalog, blobs, clock } = stores
  const mirrors = { get: async () => Promise.reject(new Error('cannot open')) }
  const onTrouble = (error: unknown) => troubles.push(error)
  await using sweeper = new Sweeper({ catalog, blobs, mirrors, limits: LIMITS, clock, onSwept: () => {}, onTrouble })
  await sweeper.sweep()
  assert.match(String(troubles), /cannot open/)
  assert.deepEqual(await ground.stored(one.sha256), [false])
})

test('Sweeper that was started sweeps at once and in turn, and ends after the sweep under way', async () => {
  await using ground = await given()
  const { catalog, blobs, clock } = ground.stores
  await ground.stores.addMirror('root/pypi', {})
  let sweeps = 0
  const get = async () => {
    sweeps++
    throw new Error('seen')
  }
  const limits = { ...LIMITS, sweepMs: 5 }
  const sweeper = new Sweeper({
    catalog,
    blobs,
    mirrors: { get },
    limits,
    clock,
    onSwept: () => {},
    onTrouble: () => {},
  })
  sweeper.start()
  while (sweeps < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  await sweeper[Symbol.asyncDispose]()
  const before = sweeps
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(sweeps, before)
})

test('Sweeper.sweep() ends upload sessions whose time is over, and their blobs a day later', async () => {
  await using ground = await given()
  const { stores, sweeper } = ground
  const { catalog, blobs, clock } = stores
  const stage = await stores.addStage('alice/dev')
  const nowMs = clock.ms
  const session = { project: projectName('acme'), name: 'acme', version: '1.0', createdMs: nowMs }
  const draft = await blobs.draft({ limitBytes: one.bytes.length })
  await draft.append(one.bytes)
  const { digest } = await draft.commit()
  await catalog.write(async (writer) => {
    const ending = await addUploadSession(writer, stage, {
      ...session,
      key: 'ending',
      preview: 'a',
      expiresMs: nowMs + HOUR_MS,
    })
    await addUploadSession(writer, stage, { ...session, key: 'open', preview: 'b', expiresMs: nowMs + 2 * HOUR_MS })
    const { filename, bytes } = one
    const file = await addStagedFile(writer, ending, { key: 'x', filename, sizeBytes: bytes.length, hashes: {} })
    await receiveStagedFile(writer, file, { digest, receivedMs: nowMs, metadata: {} })
  })
  await draft[Symbol.asyncDispose]()
  const keys = async () =>
    await catalog.read(async (reader) => {
      const found = await Promise.all(['ending', 'open'].map((key) => findUploadSession(reader, stage, key)))
      return found.map((each) => each?.key)
    })
  await sweeper.sweep()
  assert.deepEqual(await keys(), ['ending', 'open'])
  clock.ms += HOUR_MS
  await sweeper.sweep()
  assert.deepEqual(await keys(), [undefined, 'open'])
  assert.deepEqual(await ground.stored(one.sha256), [true])
  clock.ms += LIMITS.blobGraceMs + HOUR_MS
  await sweeper.sweep()
  assert.deepEqual(await ground.stored(one.sha256), [false])
})
