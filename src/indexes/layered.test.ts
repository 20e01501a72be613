import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../../test/builders/wheels.ts'
import { type FixedIndex, fixedIndex } from '../../test/world/fixed-index.ts'
import { sourceIn } from '../../test/world/source-in.ts'
import type { IndexName } from '../model/names.ts'
import { type ProjectName, projectName } from '../pep/name.ts'
import { type LayeredIndex, layered, type StageLayer } from './layered.ts'
import { packageIndexContract } from './package-index.contract.ts'

const ACME = projectName('acme')
const file = (version: string, from: string, name = 'acme') => wheel({ name, version, files: { from } })
const stageLayer = (layer: FixedIndex<'stage'>, ...whitelist: string[]): StageLayer => ({
  layer,
  whitelist: whitelist as (ProjectName | '*')[],
})
const over = (
  stages: readonly StageLayer[],
  mirrors: readonly FixedIndex<'mirror'>[],
  inheritance: 'union' | 'intersection' = 'intersection',
) => layered('alice/dev' as IndexName, stages, mirrors, inheritance)

/** Its list, where no layer has one that lies ready. */
const listing = (index: LayeredIndex) => ({
  ...index,
  async *listed() {
    yield* (await index.list()).others!
  },
})

packageIndexContract({
  name: 'layered()',
  open: async (projects) => ({
    index: listing(
      over([stageLayer(fixedIndex('stage', 'alice/dev', projects))], [fixedIndex('mirror', 'root/pypi', {})]),
    ),
    read: async (source) => Buffer.from(source.from === 'memory' ? source.bytes : []),
    [Symbol.asyncDispose]: async () => {},
  }),
})

test('layered() merges stages, and the first layer wins a filename', async () => {
  const dev = fixedIndex('stage', 'alice/dev', { acme: [file('1.0', 'dev')] })
  const prod = fixedIndex('stage', 'alice/prod', { acme: [file('1.0', 'prod'), file('0.9', 'prod')] })
  const index = over([stageLayer(dev), stageLayer(prod)], [])
  const page = (await index.project(ACME))!
  assert.deepEqual(
    page.files.map((each) => [each.version, each.index, each.hashes.sha256]),
    [
      ['1.0', 'alice/dev', file('1.0', 'dev').sha256],
      ['0.9', 'alice/prod', file('0.9', 'prod').sha256],
    ],
  )
  assert.deepEqual([...page.versions].sort(), ['0.9', '1.0'])
  const source = await sourceIn(index, ACME, 'acme-1.0-py3-none-any.whl')
  assert.equal(source!.digest, file('1.0', 'dev').sha256)
  const other = await sourceIn(index, ACME, 'acme-0.9-py3-none-any.whl')
  assert.equal(other!.digest, file('0.9', 'prod').sha256)
})

test('layered() does not ask a mirror for a name that a stage knows, files or not', async () => {
  for (const own of [[file('1.0', 'dev')], []]) {
    const dev = fixedIndex('stage', 'alice/dev', { acme: own })
    const mirror = fixedIndex('mirror', 'root/pypi', { acme: [file('99.0', 'evil')] })
    const index = over([stageLayer(dev)], [mirror])
    const page = (await index.project(ACME))!
    assert.equal(page.files.length, own.length)
    assert.equal(await sourceIn(index, ACME, 'acme-99.0-py3-none-any.whl'), undefined)
    assert.deepEqual(mirror.asked, [])
  }
})

test('layered() does not ask a mirror either when a base of a base knows the name', async () => {
  const mirror = fixedIndex('mirror', 'root/pypi', { acme: [file('99.0', 'evil')] })
  const stages = [
    stageLayer(fixedIndex('stage', 'alice/dev', {})),
    stageLayer(fixedIndex('stage', 'alice/mid', {}), '*'),
    stageLayer(fixedIndex('stage', 'alice/prod', { acme: [file('1.0', 'prod')] })),
  ]
  const page = (await over(stages, [mirror]).project(ACME))!
  assert.deepEqual(
    page.files.map((each) => each.version),
    ['1.0'],
  )
  assert.deepEqual(mirror.asked, [])
})

test('layered() asks mirrors for what is whitelisted, and the stage still wins a filename', async () => {
  const dev = fixedIndex('stage', 'alice/dev', { acme: [file('1.0', 'dev')] })
  const mirror = fixedIndex('mirror', 'root/pypi', { acme: [file('1.0', 'far'), file('2.0', 'far')] })
  const page = (await over([stageLayer(dev, 'acme')], [mirror]).project(ACME))!
  assert.deepEqual(
    page.files.map((each) => [each.version, each.index]),
    [
      ['1.0', 'alice/dev'],
      ['2.0', 'root/pypi'],
    ],
  )
})

test('layered() merges several mirrors, the first before the second', async () => {
  const one = fixedIndex('mirror', 'root/one', { acme: [file('1.0', 'one')] })
  const two = fixedIndex('mirror', 'root/two', { acme: [file('1.0', 'two'), file('2.0', 'two')] })
  const page = (await over([stageLayer(fixedIndex('stage', 'alice/dev', {}))], [one, two]).project(ACME))!
  assert.deepEqual(
    page.files.map((each) => [each.version, each.index]),
    [
      ['1.0', 'root/one'],
      ['2.0', 'root/two'],
    ],
  )
})

test('layered() lists the names of all layers, also of those that are shadowed', async () => {
  const index = over(
    [stageLayer(fixedIndex('stage', 'alice/dev', { acme: [], zeta: [] }))],
    [fixedIndex('mirror', 'root/pypi', { acme: [], beta: [] })],
  )
  const names: string[] = []
  for await (const batch of (await index.list()).others!) names.push(...batch.map((each) => each.name))
  assert.deepEqual(names, ['acme', 'beta', 'zeta'])
})

test('layered() throws when a layer cannot answer and no stage knows the name', async () => {
  const dev = fixedIndex('stage', 'alice/dev', {})
  const good = fixedIndex('mirror', 'root/good', { acme: [file('1.0', 'good')] })
  const bad = fixedIndex('mirror', 'root/bad', {})
  bad.fail(new Error('gone'))
  const index = over([stageLayer(dev)], [good, bad])
  await assert.rejects(index.project(ACME), /gone/)
  await assert.rejects(index.pages(ACME), /gone/)
  await assert.rejects(sourceIn(index, ACME, 'acme-1.0-py3-none-any.whl'), /gone/)
})

test("layered() serves a stage's own files as stale when a mirror that may be asked cannot answer", async () => {
  const dev = fixedIndex('stage', 'alice/dev', { acme: [file('1.0', 'dev')] })
  const bad = fixedIndex('mirror', 'root/bad', {})
  bad.fail(new Error('gone'))
  const page = (await over([stageLayer(dev, '*')], [bad]).project(ACME))!
  assert.deepEqual(
    page.files.map((each) => each.version),
    ['1.0'],
  )
  assert.equal(page.stale, 'gone')
})

test('layered() throws when a stage cannot answer: a name that might be private is never taken from a mirror', async () => {
  const dev = fixedIndex('stage', 'alice/dev', {})
  dev.fail(new Error('disk'))
  const mirror = fixedIndex('mirror', 'root/pypi', { acme: [file('99.0', 'evil')] })
  const index = over([stageLayer(fixedIndex('stage', 'alice/top', { acme: [] })), stageLayer(dev)], [mirror])
  await assert.rejects(index.project(ACME), /disk/)
  assert.deepEqual(mirror.asked, [])
})

test('layered() passes on that a layer is stale, and a status', async () => {
  const mirror = fixedIndex(
    'mirror',
    'root/pypi',
    { acme: [file('1.0', 'far')] },
    { stale: 'old', status: { status: 'archived' } },
  )
  const page = (await over([stageLayer(fixedIndex('stage', 'alice/dev', { acme: [] }), '*')], [mirror]).project(ACME))!
  assert.equal(page.stale, 'old')
  assert.deepEqual(page.status, { status: 'archived' })
})

test('layered() does not nest: a layered index is no layer', () => {
  const inner = over([], [])
  // @ts-expect-error A layered index has no kind: bases are flattened before they are layered.
  const stages: StageLayer[] = [{ layer: inner, whitelist: [] }]
  assert.equal('kind' in inner, false)
  assert.equal(stages.length, 1)
})
