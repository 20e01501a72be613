import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuiltFile, wheel } from '../../test/builders/wheels.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { saveAttachment } from '../catalog/attachments.ts'
import { findFiles, restateFile } from '../catalog/files.ts'
import { holdings, saveMetadata } from '../catalog/mirror-uses.ts'
import { isBlobNamed } from '../catalog/named-blobs.ts'
import { findProject } from '../catalog/projects.ts'
import { digestOf } from '../lib/digest.ts'
import { collect } from '../lib/streams.ts'
import { projectName } from '../pep/name.ts'
import { FileUses } from './file-uses.ts'
import { boundsOf, MirrorRoom, type RoomBounds } from './mirror-room.ts'

const DAY_MS = 24 * 3600 * 1000
const PAD = 20_000

/** A wheel of about `PAD` bytes. */
function file(name: string, version = '1.0'): BuiltFile {
  const built = wheel({ name, version })
  const bytes = Buffer.concat([built.bytes, Buffer.alloc(PAD, name)])
  return { filename: built.filename, bytes, sha256: digestOf(bytes) }
}

async function given(options: Readonly<Record<string, unknown>> = {}) {
  const stores = await openTempStores()
  const { catalog, blobs, clock } = stores
  const record = await stores.addMirror('root/pypi', options)
  const limits = { usesFlushMs: 60_000, usesWaiting: 1000 }
  const uses = new FileUses({ catalog, limits, clock, onFailure: (error) => assert.fail(String(error)) })
  const warn = (message: string) => assert.fail(message)
  const room = (bounds: RoomBounds) => new MirrorRoom({ record, catalog, blobs, clock, uses, bounds, warn })
  const find = async (built: BuiltFile) =>
    (await catalog.read((reader) => findFiles(reader, record, built.filename)))[0]
  return {
    stores,
    record,
    uses,
    room,
    find,
    /** Used at `ms` after the start of the clock. */
    add: async (built: BuiltFile, ms: number) => {
      await stores.addFile(record, built)
      const start = clock.ms
      clock.ms = start + ms
      uses.note((await find(built))!.id)
      clock.ms = start
    },
    store: async (bytes: Buffer) => {
      await using draft = await blobs.draft({ limitBytes: 1e6 })
      await draft.append(bytes)
      return await draft.commit()
    },
    bytes: async () => (await catalog.read((reader) => holdings(reader, record))).bytes,
    held: async (...files: BuiltFile[]) => Promise.all(files.map(async (each) => (await find(each)) !== undefined)),
    stored: async (...files: BuiltFile[]) =>
      Promise.all(files.map(async (each) => (await blobs.stat(each.sha256)) !== undefined)),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

test('MirrorRoom lets go what was used longest ago, rows and bytes, until the rest fits', async () => {
  await using ground = await given()
  const [a, b, c, d] = [file('a'), file('b'), file('c'), file('d')]
  for (const [at, each] of [c, a, d, b].entries()) await ground.add(each, at)
  const evicted = await ground.room({ bytes: PAD * 3 }).keepWithin({ age: false })
  assert.deepEqual(evicted, { files: 2, bytes: c.bytes.length + a.bytes.length })
  assert.deepEqual(await ground.held(a, b, c, d), [false, true, false, true])
  assert.deepEqual(await ground.stored(a, b, c, d), [false, true, false, true])
  assert.equal(await ground.bytes(), b.bytes.length + d.bytes.length)
  // Its name is no longer one that can be delivered.
  const project = await ground.stores.catalog.read((reader) => findProject(reader, ground.record, projectName('a')))
  assert.equal(project, undefined)
})

test('MirrorRoom lets nothing go while all fits, and nothing without bounds', async () => {
  await using ground = await given()
  const a = file('a')
  await ground.add(a, 0)
  const { serial } = ground.stores.catalog
  for (const bounds of [{}, { bytes: a.bytes.length }, { days: 1 }, { bytes: a.bytes.length, days: 1 }]) {
    assert.deepEqual(await ground.room(bounds).keepWithin({ age: true }), { files: 0, bytes: 0 })
  }
  assert.equal(ground.stores.catalog.serial, serial)
})

test('MirrorRoom goes by the last use, written down or not', async () => {
  await using ground = await given()
  const [a, b] = [file('a'), file('b')]
  await ground.add(a, 0)
  await ground.add(b, 1)
  await ground.uses.flush()
  ground.stores.clock.ms += 1000
  ground.uses.note((await ground.find(a))!.id)
  await ground.room({ bytes: PAD * 1.5 }).keepWithin({ age: false })
  assert.deepEqual(await ground.held(a, b), [true, false])
})

test('MirrorRoom lets go what was not used for so many days, where age is asked for', async () => {
  await using ground = await given()
  const [a, b] = [file('a'), file('b')]
  await ground.add(a, 0)
  await ground.add(b, 2 * DAY_MS)
  ground.stores.clock.ms += 3.5 * DAY_MS
  const room = ground.room({ days: 3 })
  assert.equal((await room.keepWithin({ age: false })).files, 0)
  assert.equal((await room.keepWithin({ age: true })).files, 1)
  assert.deepEqual(await ground.stored(a, b), [false, true])
})

test('MirrorRoom leaves bytes that another index or an attachment names', async () => {
  await using ground = await given()
  const { stores, record } = ground
  const [a, b] = [file('a'), file('b')]
  const stage = await stores.addStage('alice/dev')
  await stores.addFile(stage, a)
  await ground.add(a, 0)
  await ground.add(b, 1)
  await stores.catalog.write((writer) => saveAttachment(writer, stage, attachmentOf(b)))
  await ground.room({ bytes: 0 }).keepWithin({ age: false })
  assert.deepEqual(await ground.held(a, b), [false, false])
  assert.deepEqual(await ground.stored(a, b), [true, true])
  const private_ = await stores.catalog.read((reader) => findFiles(reader, stage, a.filename))
  assert.equal(private_.length, 1)
  assert.equal((await stores.catalog.read((reader) => findFiles(reader, record, a.filename))).length, 0)
})

test('MirrorRoom leaves pinned projects, what a test result tells of, and what upstream took back', async () => {
  await using ground = await given({ mirror_pinned: 'Pin.Ned' })
  const { stores, record } = ground
  const files = [file('pin-ned'), file('tested'), file('gone'), file('plain')]
  for (const each of files) await ground.add(each, 0)
  const [, tested, gone] = await Promise.all(files.map(ground.find))
  await stores.catalog.write(async (writer) => {
    await saveAttachment(writer, record, { ...attachmentOf(files[1]!), kind: 'toxresult', ofFile: tested! })
    await restateFile(writer, gone!, { upstream: { removed: '2026-01-01T00:00:00Z' } })
  })
  await ground.room({ bytes: 0, days: 1 }).keepWithin({ age: true })
  assert.deepEqual(await ground.held(...files), [true, true, true, false])
})

test('MirrorRoom retains what is needed together, and lets it go afterwards', async () => {
  await using ground = await given()
  const [a, b, c] = [file('a'), file('b'), file('c')]
  for (const [at, each] of [a, b, c].entries()) await ground.add(each, at)
  const room = ground.room({ bytes: PAD + 10_000 })
  const [one, other] = [room.retain(projectName('a')), room.retain(projectName('a'))]
  await room.keepWithin({ age: false })
  assert.deepEqual(await ground.held(a, b, c), [true, false, false])
  await ground.add(b, 5)
  await one[Symbol.asyncDispose]()
  assert.deepEqual(await ground.held(a, b), [true, false])
  await ground.add(b, 6)
  await other[Symbol.asyncDispose]()
  assert.deepEqual(await ground.held(a, b), [false, true])
})

test('MirrorRoom of a mirror that pins everything lets nothing go', async () => {
  await using ground = await given({ mirror_pinned: '*' })
  const a = file('a')
  await ground.add(a, 0)
  assert.deepEqual(await ground.room({ bytes: 0 }).keepWithin({ age: true }), { files: 0, bytes: 0 })
})

test('MirrorRoom lets go what is being read, and it is read to its end', async () => {
  await using ground = await given()
  const a = file('a')
  await ground.add(a, 0)
  const reading = await ground.stores.blobs.open(a.sha256)
  await ground.room({ bytes: 0 }).keepWithin({ age: false })
  assert.deepEqual(await ground.stored(a), [false])
  assert.ok((await collect(reading, 1e6)).equals(a.bytes))
})

test('MirrorRoom leaves bytes that an upload has committed and not yet named', async () => {
  await using ground = await given()
  const a = file('a')
  await ground.add(a, 0)
  {
    await using draft = await ground.stores.blobs.draft({ limitBytes: 1e6 })
    await draft.append(a.bytes)
    await draft.commit()
    await ground.room({ bytes: 0 }).keepWithin({ age: false })
    assert.deepEqual([await ground.held(a), await ground.stored(a)], [[false], [true]])
  }
})

test('MirrorRoom counts metadata of files that are not here, and lets it go in its turn', async () => {
  await using ground = await given()
  const { stores, record } = ground
  const { catalog, clock } = stores
  const a = file('a')
  await ground.add(a, 1000)
  const blob = await ground.store(Buffer.alloc(500, 'm'))
  await catalog.write((writer) => saveMetadata(writer, record, { ...blob, usedMs: clock.ms }))
  assert.equal(await ground.bytes(), a.bytes.length + 500)
  await ground.room({ bytes: a.bytes.length }).keepWithin({ age: false })
  assert.deepEqual(await ground.held(a), [true])
  assert.equal(await ground.bytes(), a.bytes.length)
  assert.equal(await catalog.read((reader) => isBlobNamed(reader, blob.digest)), false)
})

test('MirrorRoom lets more go than fits in one transaction', async () => {
  await using ground = await given()
  const files = Array.from({ length: 120 }, (_, at) => wheel({ name: `p${at}`, version: '1.0' }))
  for (const [at, each] of files.entries()) await ground.add(each, at)
  const both = ground.room({ bytes: 0 })
  const [one, two] = await Promise.all([both.keepWithin({ age: false }), both.keepWithin({ age: false })])
  assert.equal(one.files + two.files, 120)
  assert.equal(await ground.bytes(), 0)
})

test('boundsOf() takes the mirror’s own bounds, and the server’s where it has none', async () => {
  await using ground = await given({ mirror_cache_size: '1GB' })
  assert.deepEqual(boundsOf(ground.record, { bytes: 5, days: 3 }), { bytes: 1e9, days: 3 })
  const free = await ground.stores.addMirror('root/free', { mirror_cache_size: 'unlimited', mirror_cache_days: '7' })
  assert.deepEqual(boundsOf(free, { bytes: 5, days: 3 }), { days: 7 })
  assert.deepEqual(boundsOf(free, {}), { days: 7 })
})

function attachmentOf(built: BuiltFile) {
  return {
    kind: 'doczip' as const,
    project: projectName('held'),
    version: '1.0',
    filename: 'held-1.0.doc.zip',
    digest: built.sha256,
    sizeBytes: built.bytes.length,
    created: '2026-01-01T00:00:00Z',
    addressHash: built.sha256,
    log: [],
  }
}
