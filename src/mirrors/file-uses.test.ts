import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { wheel } from '../../test/builders/wheels.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { findFiles } from '../catalog/files.ts'
import { largestProjects } from '../catalog/mirror-uses.ts'
import { FileUses } from './file-uses.ts'

const acme = wheel({ name: 'acme', version: '1.0' })

async function given(limits = { usesFlushMs: 60_000, usesWaiting: 1000 }) {
  const stores = await openTempStores()
  const { catalog, clock } = stores
  const mirror = await stores.addMirror('root/pypi')
  await stores.addFile(mirror, acme)
  const file = (await catalog.read((reader) => findFiles(reader, mirror, acme.filename)))[0]!
  const failures: unknown[] = []
  const uses = new FileUses({ catalog, limits, clock, onFailure: (error) => failures.push(error) })
  return {
    stores,
    file,
    uses,
    failures,
    written: async () => (await catalog.read((reader) => largestProjects(reader, mirror, 1)))[0]!,
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

test('FileUses writes down all uses of a file at once, with the last time', async () => {
  await using ground = await given()
  const { serial } = ground.stores.catalog
  for (let each = 0; each < 3; each++) {
    ground.stores.clock.ms += 1000
    ground.uses.note(ground.file.id)
  }
  assert.equal((await ground.written()).uses, 0)
  await ground.uses.flush()
  const { uses, usedMs } = await ground.written()
  assert.deepEqual([uses, usedMs], [3, ground.stores.clock.ms])
  await ground.uses.flush()
  assert.equal((await ground.written()).uses, 3)
  assert.equal(ground.stores.catalog.serial, serial)
})

for (const [when, limits] of [
  ['after a while', { usesFlushMs: 10, usesWaiting: 1000 }],
  ['when many wait', { usesFlushMs: 60_000, usesWaiting: 2 }],
] as const) {
  test(`FileUses writes down ${when} by itself`, async () => {
    await using ground = await given(limits)
    ground.uses.note(ground.file.id)
    ground.uses.note(ground.file.id + 1)
    while ((await ground.written()).uses === 0) await delay(5)
    assert.equal((await ground.written()).uses, 1)
  })
}

test('FileUses writes down what waits when it ends, and passes over files that are gone', async () => {
  await using ground = await given()
  ground.uses.note(ground.file.id)
  ground.uses.note(4711)
  await ground.uses[Symbol.asyncDispose]()
  assert.equal((await ground.written()).uses, 1)
  assert.deepEqual(ground.failures, [])
})

test('FileUses tells when they cannot be written, and goes on', async () => {
  await using ground = await given()
  const { catalog } = ground.stores
  const write = catalog.write.bind(catalog)
  catalog.write = async () => Promise.reject(new Error('disk full'))
  ground.uses.note(ground.file.id)
  await ground.uses.flush()
  assert.match(String(ground.failures), /disk full/)
  catalog.write = write
  ground.uses.note(ground.file.id)
  await ground.uses.flush()
  assert.ok((await ground.written()).uses >= 1)
})
