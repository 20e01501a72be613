import assert from 'node:assert/strict'
import { appendFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { archiveLine, type Dump, importInto, STAGE, tempDump } from '../../../test/builders/dumps.ts'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { openTempStores } from '../../../test/world/temp-stores.ts'
import { listIndexes, listUsers } from '../../catalog/accounts.ts'
import { readDump } from './devpi-dump.ts'

const PATH = 'alice/dev/pkg/1.0/pkg-1.0.tar.gz'
const withFile = (line: unknown): Dump => ({
  indexes: { 'alice/dev': { indexconfig: STAGE, projects: { pkg: { '1.0': {} } }, files: [line] } },
  content: { [PATH]: 'bytes' },
})

/** The errors of an import, with what the dump is after `change`. */
async function errorsOf(dump: Dump, change: (folder: string) => Promise<void> = async () => {}): Promise<string[]> {
  await using folder = await tempDump(dump)
  await change(folder.path)
  await using stores = await openTempStores()
  const { remarks } = await importInto(stores, folder.path)
  return remarks.filter(({ kind }) => kind === 'error').map(({ entry, why }) => `${entry}: ${why}`)
}

for (const relpath of [
  '../outside.tar.gz',
  'alice/../../outside.tar.gz',
  '/etc/hostname',
  'alice//dev',
  './alice',
  '..\\outside',
  'alice/dev/pkg\0',
  '',
]) {
  test(`an import refuses the path ${JSON.stringify(relpath)}`, async () => {
    const errors = await errorsOf(withFile(archiveLine(PATH, 'bytes', { relpath, version: '1.0' })))
    assert.equal(errors.length, 1, errors.join('\n'))
    assert.match(errors[0]!, /leads out of the dump/)
  })
}

test('an import reads nothing through symbolic links, neither files nor folders nor the index itself', async () => {
  await using outside = await tempFolder()
  await writeFile(join(outside.path, 'pkg-1.0.tar.gz'), 'bytes')
  await writeFile(join(outside.path, 'dataindex.json'), '{"dumpversion":"2","users":{"mallory":{}}}')
  const line = archiveLine(PATH, 'bytes')
  const link = (path: string, target: string) => async (folder: string) => {
    await rm(join(folder, path), { recursive: true })
    await symlink(join(outside.path, target), join(folder, path))
  }
  for (const change of [
    link(PATH, 'pkg-1.0.tar.gz'),
    link('alice/dev/pkg/1.0', ''),
    link('dataindex.json', 'dataindex.json'),
  ]) {
    const errors = await errorsOf(withFile(line), change)
    assert.equal(errors.length, 1, errors.join('\n'))
    assert.match(errors[0]!, /it is a symbolic link, or lies behind one/)
  }
})

test('an import names the entry whose file is missing, another, a folder, or not what the hashes say', async () => {
  const gone = await errorsOf(withFile(archiveLine(PATH, 'bytes')), (folder) => rm(join(folder, PATH)))
  assert.deepEqual(gone, [`${PATH}: Cannot read "${PATH}": the file is missing`])
  const changed = await errorsOf(withFile(archiveLine(PATH, 'bytes')), (folder) => appendFile(join(folder, PATH), '!'))
  assert.match(changed[0]!, /^alice\/dev\/pkg.*: its sha256 is [0-9a-f]{64}, the dump says [0-9a-f]{64}$/)
  const folder = await errorsOf(withFile(archiveLine(PATH, 'bytes')), async (path) => {
    await rm(join(path, PATH))
    await mkdir(join(path, PATH))
  })
  assert.match(folder[0]!, /it is no regular file/)
  for (const hashes of [
    { md5: '0'.repeat(32) },
    { sha1: '0'.repeat(40) },
    { blake2b: '0'.repeat(128) },
    { sha3_256: '0' },
  ]) {
    const [name] = Object.keys(hashes)
    const wrong = await errorsOf(withFile(archiveLine(PATH, 'bytes', { entrymapping: { hashes } })))
    assert.match(wrong[0] ?? '', new RegExp(`its ${name} is `))
  }
  const spec = await errorsOf(withFile(archiveLine(PATH, 'bytes', { entrymapping: { hash_spec: 'md5=00' } })))
  assert.match(spec[0]!, /its md5 is .*, the dump says 00/)
})

test('an import refuses a dataindex.json that breaks off, at any place', async () => {
  await using folder = await tempDump(withFile(archiveLine(PATH, 'bytes')))
  const path = join(folder.path, 'dataindex.json')
  const { length } = await readFile(path)
  for (let end = length - 1; end > 0; end -= 23) {
    await truncate(path, end)
    const reading = Array.fromAsync(readDump(folder.path, 100))
    await assert.rejects(reading, /^Problem: Cannot read dataindex\.json: /)
  }
})

for (const [what, dump, expected] of [
  ['an unknown version', { dumpversion: '3' }, /its dumpversion is "3", 1 and 2 are known/],
  ['no version', { dumpversion: undefined }, /its dumpversion is undefined/],
  ['a bad user name', { users: { 'a/b': {} } }, /user "a\/b": username 'a\/b' contains characters/],
  ['a user called ..', { users: { '..': {} } }, /username '\.\.' contains characters/],
  ['a bad index name', { indexes: { 'alice/a b': { indexconfig: STAGE } } }, /indexname 'a b' contains characters/],
  ['an index of three names', { indexes: { 'alice/a/b': { indexconfig: STAGE } } }, /not written as user\/index/],
  ['an index of nobody', { indexes: { 'bob/dev': { indexconfig: STAGE } } }, /the dump has no user "bob"/],
  [
    'an index without a configuration',
    { indexes: { 'alice/dev': { projects: { p: { '1': {} } } } } },
    /no "indexconfig"/,
  ],
  [
    'an option with a wrong value',
    { indexes: { 'alice/dev': { indexconfig: { ...STAGE, volatile: 'x' } } } },
    /boolean/,
  ],
  [
    'a bad project name',
    { indexes: { 'alice/dev': { indexconfig: STAGE, projects: { '../x': { '1': {} } } } } },
    /project name/,
  ],
  [
    'a version with a path',
    { indexes: { 'alice/dev': { indexconfig: STAGE, projects: { x: { '../1': {} } } } } },
    /it is no version/,
  ],
  ['users as a list', { users: ['alice'] }, /its "users" is a list/],
  ['projects as a list', { indexes: { 'alice/dev': { indexconfig: STAGE, projects: [{ '1': {} }] } } }, /are a list/],
  ['an unknown type of file', withFile({ ...archiveLine(PATH, 'bytes'), type: 'exe' }), /its type "exe" is not known/],
  ['a file that is no object', withFile(['x']), /its type undefined is not known/],
] as const) {
  test(`an import refuses ${what}`, async () => {
    const errors = await errorsOf(dump as unknown as Dump)
    assert.equal(errors.length, 1, errors.join('\n'))
    assert.match(errors[0]!, expected)
  })
}

test('an import that may not go on stops at the first error', async () => {
  const line = archiveLine(PATH, 'other')
  await using folder = await tempDump({
    indexes: { 'alice/dev': { indexconfig: STAGE, projects: { pkg: { '1.0': {} } }, files: [line, line, line] } },
    content: { [PATH]: 'bytes' },
  })
  await using stores = await openTempStores()
  const { report } = await importInto(stores, folder.path, { goesOn: false })
  assert.equal(report.remarks.error, 1)
})

test('names of what every object has are names like others, and change nothing', async () => {
  const text = `{"users": {"alice": {"__proto__": {"pwhash": "x"}}, "constructor": {}}, "dumpversion": "2",
    "indexes": {"alice/dev": {"indexconfig": {"type": "stage", "mirror_whitelist_inheritance": "union", "__proto__": {"volatile": false}, "toString": 1}}}}`
  await using folder = await tempDump({})
  await writeFile(join(folder.path, 'dataindex.json'), text)
  await using stores = await openTempStores()
  const { remarks } = await importInto(stores, folder.path)
  assert.deepEqual(
    remarks.map(({ kind }) => kind),
    ['left out', 'left out', 'left out'],
  )
  const users = await stores.catalog.read(listUsers)
  assert.deepEqual(
    users.map(({ name, passwordHash }) => [name, passwordHash]),
    [
      ['alice', undefined],
      ['constructor', undefined],
    ],
  )
  const [index] = await stores.catalog.read((reader) => listIndexes(reader))
  assert.equal(index?.options.volatile, true)
})
