import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { changesSince } from '../catalog/journal.ts'
import { forgetPages, setMirrorState } from '../catalog/mirror-pages.ts'
import { SharedCounters } from '../catalog/shared-counters.ts'
import { SqliteCatalog } from '../catalog/sqlite/sqlite.ts'
import type { Serial } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import type { ProjectDetail } from '../pep/simple.ts'
import { MirrorMemory } from './mirror-memory.ts'

const URL_HERE = 'http://upstream/simple/'
const acme = projectName('acme')
const detail = (...versions: string[]): ProjectDetail => ({
  name: acme,
  versions,
  files: versions.map((version) => {
    const filename = `acme-${version}.tar.gz`
    return { filename, url: `${URL_HERE}${filename}`, hashes: {} }
  }),
})
const versionsOf = (page: { readonly detail?: ProjectDetail } | undefined) => page?.detail?.versions

/** The memories of two workers. */
async function openTwo() {
  await using stack = new AsyncDisposableStack()
  const stores = stack.use(await openTempStores())
  const record = await stores.addMirror('root/up', { mirror_url: URL_HERE })
  await stores.catalog.write((writer) => setMirrorState(writer, record, 'url', URL_HERE))
  const { buffer } = new SharedCounters()
  const open = async () => {
    const counters = new SharedCounters(buffer)
    const options = { path: join(stores.folder, 'catalog.db'), readers: 2, now: () => new Date(), counters }
    const catalog = stack.use(await SqliteCatalog.open(options))
    return { catalog, memory: new MirrorMemory({ catalog, record, shared: { counters, url: URL_HERE } }) }
  }
  const [one, two] = [await open(), await open()]
  const opened = stack.move()
  return { record, one, two, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

test('MirrorMemory: what one worker remembers, confirms or forgets the other recalls at once', async () => {
  await using opened = await openTwo()
  const { one, two, record } = opened
  await one.memory.remember(acme, { fetchedMs: 1000, detail: detail('1.0') })
  assert.deepEqual(versionsOf(await two.memory.recall(acme)), ['1.0'])
  await two.memory.remember(acme, { fetchedMs: 2000, detail: detail('1.0', '2.0') })
  assert.deepEqual(versionsOf(await one.memory.recall(acme)), ['1.0', '2.0'])
  await one.memory.confirm(acme, (await one.memory.recall(acme))!, 3000)
  assert.equal((await two.memory.recall(acme))?.fetchedMs, 3000)
  await one.catalog.write(async (writer) => {
    await forgetPages(writer, record)
    writer.onCommit(() => one.catalog.counters.pagesChanged())
  })
  assert.equal(await two.memory.recall(acme), undefined)
})

test('MirrorMemory: two pages of the very same millisecond are told apart', async () => {
  await using opened = await openTwo()
  const { one, two } = opened
  await one.memory.remember(acme, { fetchedMs: 1000, detail: detail('1.0') })
  await two.memory.remember(acme, { fetchedMs: 1000, detail: detail('2.0') })
  for (const { memory } of [one, two]) assert.deepEqual(versionsOf(await memory.recall(acme)), ['2.0'])
})

test('MirrorMemory: what upstream took back is told once, though two workers see it at the same time', async () => {
  await using opened = await openTwo()
  const { one, two } = opened
  const before = detail('1.0', '2.0')
  await one.memory.remember(acme, { fetchedMs: 1000, detail: before })
  await Promise.all([
    one.memory.remember(acme, { fetchedMs: 2000, detail: detail('1.0') }, before),
    two.memory.remember(acme, { fetchedMs: 2001, detail: detail('1.0') }, before),
  ])
  const journal = await one.catalog.read((reader) => changesSince(reader, 0 as Serial, 100))
  const told = journal.flatMap(({ changes }) => changes).filter(({ what }) => what === 'upstream')
  assert.equal(told.length, 1)
})

test('MirrorMemory: what was asked of another upstream is not remembered once the mirror has a new one', async () => {
  await using opened = await openTwo()
  const { one, two, record } = opened
  await one.catalog.write((writer) => setMirrorState(writer, record, 'url', 'http://other/simple/'))
  await two.memory.remember(acme, { fetchedMs: 1000, detail: detail('1.0') })
  assert.equal(await one.memory.recall(acme), undefined)
})
