import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { advisory } from '../../../test/builders/advisories.ts'
import { zip } from '../../../test/builders/zip.ts'
import { openTempStores, type TempStores } from '../../../test/world/temp-stores.ts'
import { advisoriesOf, countAdvisories, findAdvisory, lastImport } from '../../catalog/advisories.ts'
import { Problem } from '../../model/errors.ts'
import { LIMITS, withLimits } from '../../model/limits.ts'
import { projectName } from '../../pep/name.ts'
import { importAdvisories } from './import-advisories.ts'

const ACME = projectName('acme')
const NONE = { imported: 0, unchanged: 0, others: 0, faults: 0 }

function member(record: { readonly id?: unknown }) {
  return { name: `${String(record.id)}.json`, content: JSON.stringify(record) }
}

async function given(files: Readonly<Record<string, string | Uint8Array>>) {
  const stores = await openTempStores()
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(stores.folder, 'dump', path, '..'), { recursive: true })
    await writeFile(join(stores.folder, 'dump', path), content)
  }
  return stores
}

async function run({ catalog, clock, folder }: TempStores, paths: readonly string[], limits = LIMITS) {
  const faults: string[] = []
  const found = paths.map((path) => join(folder, 'dump', path))
  const counts = await importAdvisories({ catalog, limits, clock }, found, (sentence) => faults.push(sentence))
  return { counts, faults }
}

function ids({ catalog }: TempStores, name = ACME): Promise<string[]> {
  return catalog.read(async (reader) => (await advisoriesOf(reader, name)).map(({ id }) => id))
}

test('importAdvisories() reads zips, folders and single records, and keeps what is about Python packages', async () => {
  await using stores = await given({
    'PyPI/all.zip': zip([
      member(advisory({ id: 'PYSEC-1', versions: ['1.0'] })),
      member(advisory({ id: 'NPM-1', ecosystem: 'npm' })),
      { name: 'README.md', content: 'no record' },
    ]),
    'more/deep/GHSA-1.json': JSON.stringify(advisory({ id: 'GHSA-1', name: 'Acme' })),
    'more/notes.txt': 'no record',
    'one.json': JSON.stringify(advisory({ id: 'MAL-1', name: 'evil' })),
  })
  const { counts, faults } = await run(stores, ['PyPI', 'more', 'one.json'])
  assert.deepEqual([counts, faults], [{ ...NONE, imported: 3, others: 1 }, []])
  assert.deepEqual([await ids(stores), await ids(stores, projectName('evil'))], [['GHSA-1', 'PYSEC-1'], ['MAL-1']])
  const record = await stores.catalog.read((reader) => findAdvisory(reader, 'PYSEC-1'))
  assert.deepEqual(JSON.parse(record!), advisory({ id: 'PYSEC-1', versions: ['1.0'] }))
  assert.equal(await stores.catalog.read(lastImport), stores.clock.now().toISOString())
})

test('importAdvisories() again changes nothing, and takes what is newer alone', async () => {
  const at = (modified: string, more = {}) => advisory({ id: 'X-1', modified, versions: ['1.0'], ...more })
  await using stores = await given({
    'first.json': JSON.stringify(at('2026-01-02T00:00:00.000002Z')),
    'older.json': JSON.stringify(at('2026-01-01T00:00:00Z', { versions: ['9'] })),
    'newer.json': JSON.stringify(at('2026-01-02T00:00:00.000003Z', { versions: ['2.0'] })),
    'elsewhere.json': JSON.stringify(at('2026-02-01T00:00:00Z', { ecosystem: 'npm' })),
    'other.json': JSON.stringify(advisory({ id: 'Y-1' })),
  })
  const versions = () =>
    stores.catalog.read(async (reader) =>
      (await advisoriesOf(reader, ACME)).flatMap(({ affected }) => affected[0]!.versions),
    )
  await run(stores, ['first.json'])
  const serial = stores.catalog.serial
  assert.deepEqual((await run(stores, ['first.json', 'older.json'])).counts, { ...NONE, unchanged: 2 })
  assert.deepEqual(await versions(), ['1.0'])
  assert.deepEqual((await run(stores, ['newer.json'])).counts, { ...NONE, imported: 1 })
  assert.deepEqual(await versions(), ['2.0'])
  assert.equal(stores.catalog.serial, serial, 'a process beside the server may do so')
  const { counts } = await run(stores, ['other.json', 'elsewhere.json'])
  assert.deepEqual([counts, await ids(stores)], [{ ...NONE, imported: 1, others: 1 }, ['Y-1']])
})

test('importAdvisories() names the records that it cannot use, and takes the others', async () => {
  const good = advisory({ id: 'GOOD-1' })
  await using stores = await given({
    'all.zip': zip([
      { name: 'broken.json', content: '{"id":' },
      { name: 'list.json', content: '[]' },
      { ...member(advisory({ id: 'DAMAGED-1' })), lies: { crc: 1 } },
      member(advisory({ id: 'LARGE-1', more: { details: 'x'.repeat(5000) } })),
      { name: '../climbs.json', content: JSON.stringify(advisory({ id: 'CLIMBS-1' })) },
      member(good),
    ]),
  })
  const { counts, faults } = await run(stores, ['all.zip'], withLimits({ advisoryBytes: 4096 }))
  assert.deepEqual([counts, await ids(stores)], [{ ...NONE, imported: 1, faults: 5 }, ['GOOD-1']])
  const names = ['broken', 'list', 'DAMAGED-1', 'LARGE-1', 'climbs']
  for (const name of names) assert.equal(faults.filter((each) => each.includes(`${name}.json`)).length, 1, name)
})

test('importAdvisories() is not complete where something was not seen', async () => {
  const whole = zip([member(advisory({ id: 'X-1' }))])
  await using stores = await given({
    'one.json': JSON.stringify(advisory({ id: 'Y-1' })),
    'cut.zip': whole.subarray(0, whole.length - 10),
    'many.zip': zip(['A-1', 'A-2', 'A-3'].map((id) => member(advisory({ id })))),
    'npm.json': JSON.stringify(advisory({ id: 'N-1', ecosystem: 'npm' })),
  })
  const refused = (paths: readonly string[]) =>
    assert.rejects(
      run(stores, paths, withLimits({ advisoryMembers: 2 })),
      (error) => error instanceof Problem && error.code === 'bad-request',
    )
  await refused(['npm.json'])
  await refused(['one.json', 'cut.zip'])
  await refused(['many.zip'])
  await refused(['missing.zip'])
  assert.equal(await stores.catalog.read(lastImport), undefined)
})

test('importAdvisories() takes more than fits into one transaction', async () => {
  const records = Array.from({ length: 450 }, (_, at) =>
    advisory({ id: `X-${at}`, name: `p${at % 7}`, versions: ['1'] }),
  )
  await using stores = await given({ 'all.zip': zip(records.map(member)) })
  assert.deepEqual((await run(stores, ['all.zip'])).counts, { ...NONE, imported: 450 })
  const { advisories, projects } = await stores.catalog.read(countAdvisories)
  assert.deepEqual([advisories, projects], [450, 7])
})
