import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixedIndex } from '../../test/world/fixed-index.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { changeIndex, deleteIndex, indexAsWritten } from '../catalog/accounts.ts'
import { ANONYMOUS, may } from '../model/access.ts'
import type { StageOptions } from '../model/index-options.ts'
import { LIMITS } from '../model/limits.ts'
import type { IndexName } from '../model/names.ts'
import { projectName } from '../pep/name.ts'
import { type Asks, openIndexes, resolutionOrder } from './open-index.ts'

const anybody: Asks = async () => ANONYMOUS

/** Stages by name with their bases; names with `m` in front are mirrors. Bases are set last, so that cycles can be made. */
async function given(stores: TempStores, bases: Readonly<Record<string, readonly string[]>>): Promise<void> {
  for (const name of Object.keys(bases)) {
    if (name.startsWith('m')) await stores.addMirror(`u/${name}`, { mirror_url: 'http://localhost:1/simple/' })
    else await stores.addStage(`u/${name}`)
  }
  for (const [name, own] of Object.entries(bases)) {
    await stores.catalog.write(async (writer) => {
      const record = (await indexAsWritten(writer, `u/${name}`))!
      if (record.options.type === 'mirror') return
      const options: StageOptions = { ...record.options, bases: own.map((each) => `u/${each}` as IndexName) }
      await changeIndex(writer, record, options)
    })
  }
}

for (const [what, bases, expected] of [
  ['an index without bases is alone', { a: [] }, ['a']],
  ['one base', { a: ['b'], b: [] }, ['a', 'b']],
  ['bases in order', { a: ['c', 'b'], b: [], c: [] }, ['a', 'c', 'b']],
  ['breadth first', { a: ['b', 'c'], b: ['d'], c: ['e'], d: [], e: [] }, ['a', 'b', 'c', 'd', 'e']],
  ['each once, where it is met first', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, ['a', 'b', 'c', 'd']],
  ['a diamond met from the nearer side', { a: ['b', 'd'], b: ['c'], c: ['d'], d: [] }, ['a', 'b', 'd', 'c']],
  [
    'mirrors last, in the order found',
    { a: ['m1', 'b'], b: ['m2', 'c'], c: ['m1'], m1: [], m2: [] },
    ['a', 'b', 'c', 'm1', 'm2'],
  ],
  ['a cycle', { a: ['b'], b: ['c'], c: ['a'] }, ['a', 'b', 'c']],
  ['itself as a base', { a: ['a', 'b'], b: [] }, ['a', 'b']],
  ['a base that is gone', { a: ['gone', 'b'], b: ['lost'] }, ['a', 'b']],
  ['a mirror asked by itself', { m1: [], a: ['m1'] }, ['m1']],
] as const satisfies readonly (readonly [string, Readonly<Record<string, readonly string[]>>, readonly string[]])[]) {
  test(`resolutionOrder() takes ${what}`, async () => {
    await using stores = await openTempStores()
    await given(stores, bases)
    const start = what === 'a mirror asked by itself' ? 'u/m1' : 'u/a'
    const order = await stores.catalog.read((reader) => resolutionOrder(reader, start, LIMITS.basesDepth))
    assert.deepEqual(
      order.map((record) => record.name),
      expected.map((name) => `u/${name}`),
    )
  })
}

test('resolutionOrder() is empty for an index that is not there', async () => {
  await using stores = await openTempStores()
  assert.deepEqual(await stores.catalog.read((reader) => resolutionOrder(reader, 'u/a', 30)), [])
})

test('resolutionOrder() looks no deeper than the bound', async () => {
  await using stores = await openTempStores()
  const chain = Object.fromEntries(
    Array.from({ length: 8 }, (_, each) => [`a${each}`, each < 7 ? [`a${each + 1}`] : []]),
  )
  await given(stores, chain)
  for (const depth of [0, 1, 3, 7, 30]) {
    const order = await stores.catalog.read((reader) => resolutionOrder(reader, 'u/a0', depth))
    assert.equal(order.length, Math.min(8, depth + 1))
  }
})

test('openIndexes() opens what is there at that moment', async () => {
  await using stores = await openTempStores()
  await given(stores, { a: ['b', 'm1'], b: [], m1: [] })
  const { catalog } = stores
  const mirrors = { get: async () => fixedIndex('mirror', 'u/m1', {}) }
  const indexes = openIndexes({ catalog, mirrors, limits: LIMITS, may })
  const opened = (await indexes.open('u/a', anybody))!
  assert.deepEqual(
    opened.chain.map((record) => record.name),
    ['u/a', 'u/b', 'u/m1'],
  )
  assert.equal(opened.record.name, 'u/a')
  assert.equal(opened.index.name, 'u/a')
  assert.equal(await indexes.open('u/none', anybody), undefined)
  await stores.addRelease((await catalog.read((reader) => indexAsWritten(reader, 'u/b')))!, 'acme', '1.0')
  assert.ok(await opened.index.project(projectName('acme')))
  await catalog.write(async (writer) => deleteIndex(writer, (await indexAsWritten(writer, 'u/b'))!))
  assert.deepEqual(
    (await indexes.open('u/a', anybody))!.chain.map((record) => record.name),
    ['u/a', 'u/m1'],
  )
})
