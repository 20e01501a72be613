import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { archiveLine, type Dump, type Imported, importInto, STAGE, tempDump } from '../../../test/builders/dumps.ts'
import { sdist, wheel } from '../../../test/builders/wheels.ts'
import { openTempStores, type TempStores } from '../../../test/world/temp-stores.ts'
import { indexAsWritten, userAsWritten } from '../../catalog/accounts.ts'
import { listAttachments } from '../../catalog/attachments.ts'
import { listFiles } from '../../catalog/files.ts'
import { listReleases } from '../../catalog/projects.ts'
import { digestOf } from '../../lib/digest.ts'
import { projectName } from '../../pep/name.ts'

const PWHASH = '$argon2i$v=19$m=102400,t=2,p=8$1v+16qwONMn17EgmhBw6FA$j2R4EN5pGxfH0FEl2Ew2hvmICznAs8YLGT6dcDH2otw'
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')

type Opened = Imported & TempStores

async function imported(dump: Dump, more: Parameters<typeof importInto>[2] = {}): Promise<Opened> {
  await using folder = await tempDump(dump)
  const stores = await openTempStores()
  return { ...stores, ...(await importInto(stores, folder.path, more)) }
}

async function filesOf({ catalog }: Opened, index: string, project: string) {
  return await catalog.read(async (reader) => {
    const record = (await indexAsWritten(reader, index))!
    const name = projectName(project)
    return {
      files: await listFiles(reader, record, name),
      releases: await listReleases(reader, record, name),
      attachments: await listAttachments(reader, record, name),
    }
  })
}

const optionsOf = async ({ catalog }: Opened, index: string) =>
  (await catalog.read((reader) => indexAsWritten(reader, index)))?.options as unknown as Record<string, unknown>

test('importDevpi() keeps what is known of a user, and tells what it cannot keep', async () => {
  const alice = { username: 'alice', pwhash: PWHASH, created: '2015-01-02T03:04:05Z', email: 'a@example.org' }
  const bob = { pwhash: '0'.repeat(64), pwsalt: 'c2FsdA==', title: 5, shell: '/bin/sh', custom_data: { a: [1] } }
  await using opened = await imported({ users: { alice, bob } })
  const user = (name: string) => opened.catalog.read((reader) => userAsWritten(reader, name))
  assert.deepEqual(await user('alice'), {
    name: 'alice',
    passwordHash: PWHASH,
    created: '2015-01-02T03:04:05Z',
    email: 'a@example.org',
  })
  assert.deepEqual(await user('bob'), { name: 'bob', created: '1970-01-01T00:00:00Z', customData: { a: [1] } })
  assert.deepEqual(opened.remarks.map(({ kind, entry }) => [kind, entry]).sort(), [
    ['changed', 'user bob'],
    ['left out', 'user bob'],
    ['left out', 'user bob'],
  ])
})

test('importDevpi() reads the options of older and newer servers, and reports those that are unknown', async () => {
  await using opened = await imported({
    indexes: {
      'alice/old': {
        indexconfig: { type: 'stage', pypi_whitelist: ['A_b'], volatile: false, uploadtrigger_jenkins: '' },
      },
      'alice/new': { indexconfig: { type: 'local', project_inheritance_rules: 'allow all', constraints: 'x<1' } },
      'alice/far': { indexconfig: { type: 'remote', remote_url: 'http://up.example/simple/', bases: ['a/b'] } },
    },
  })
  assert.deepEqual(await optionsOf(opened, 'alice/old'), {
    type: 'stage',
    bases: [],
    volatile: false,
    acl_upload: ['alice'],
    acl_toxresult_upload: [':ANONYMOUS:'],
    mirror_whitelist: ['a-b'],
    mirror_whitelist_inheritance: 'union',
  })
  assert.deepEqual((await optionsOf(opened, 'alice/new')).mirror_whitelist, ['*'])
  assert.deepEqual(await optionsOf(opened, 'alice/far'), {
    type: 'mirror',
    volatile: true,
    mirror_url: 'http://up.example/simple/',
  })
  assert.deepEqual(
    opened.remarks.filter(({ kind }) => kind === 'left out'),
    [
      { kind: 'left out', entry: 'index alice/new', why: 'indexes have no option "constraints" here' },
      { kind: 'left out', entry: 'index alice/far', why: 'a mirror has no option "bases"' },
    ],
  )
})

test('importDevpi() keeps bases that lead nowhere or round in circles', async () => {
  const indexes = {
    'alice/a': { indexconfig: { ...STAGE, bases: ['alice/b', 'gone/away'] } },
    'alice/b': { indexconfig: { ...STAGE, bases: ['alice/a'] } },
  }
  await using opened = await imported({ indexes })
  assert.deepEqual((await optionsOf(opened, 'alice/a')).bases, ['alice/b', 'gone/away'])
  assert.deepEqual((await optionsOf(opened, 'alice/b')).bases, ['alice/a'])
  assert.deepEqual(opened.remarks, [])
})

test('importDevpi() leaves out indexes of types that are to be skipped, with what is on them', async () => {
  const path = 'alice/special/pkg/1.0/pkg-1.0.tar.gz'
  const indexes = {
    'alice/special': {
      indexconfig: { type: 'constrained' },
      projects: { pkg: { '1.0': {} } },
      files: [archiveLine(path, 'x')],
    },
  }
  await using opened = await imported({ indexes }, { skipTypes: ['constrained'] })
  assert.equal(await optionsOf(opened, 'alice/special'), undefined)
  assert.deepEqual(
    opened.remarks.map(({ kind }) => kind),
    ['left out'],
  )
  await using refused = await imported({ indexes })
  assert.match(refused.remarks[0]!.why, /Unknown index type 'constrained'.*--skip-import-type constrained/)
})

test('importDevpi() makes projects one whose names are one, and says so', async () => {
  const path = 'alice/dev/hello.pkg/1.0/hello.pkg-1.0.tar.gz'
  await using opened = await imported({
    indexes: {
      'alice/dev': {
        indexconfig: STAGE,
        projects: {
          'hello-pkg': { '1.1': { name: 'hello-pkg', version: '1.1' } },
          'hello.pkg': { '1.0': { name: 'hello.pkg', version: '1.0', '+doczip': 'x', ':action': 'submit' } },
        },
        files: [archiveLine(path, 'bytes')],
      },
    },
    content: { [path]: 'bytes' },
  })
  const { releases, files } = await filesOf(opened, 'alice/dev', 'hello-pkg')
  assert.deepEqual(releases.map(({ metadata }) => metadata).sort(byVersion), [
    { name: 'hello.pkg', version: '1.0' },
    { name: 'hello-pkg', version: '1.1' },
  ])
  assert.deepEqual(
    files.map(({ filename, version }) => [filename, version]),
    [['hello.pkg-1.0.tar.gz', '1.0']],
  )
  assert.ok(opened.remarks.some(({ why }) => why === 'is one with hello-pkg now'))
})

test('importDevpi() reads dump version 1: versions from names, md5, no logs, old names of test results', async () => {
  const archive = sdist({ name: 'hello', version: '1.0', requiresPython: '>=3.9', dynamic: ['Requires-Dist'] })
  const place = 'alice/dev/hello/1.0'
  const line = {
    projectname: 'hello',
    entrymapping: { md5: md5(archive.bytes), last_modified: 'Fri, 09 Aug 2024 13:15:02 GMT' },
  }
  await using opened = await imported({
    dumpversion: 1,
    indexes: {
      'alice/dev': {
        indexconfig: STAGE,
        projects: { hello: { '1.0': { name: 'hello' } } },
        files: [
          // Before what it tells of, and with another hash in the address.
          {
            type: 'toxresult',
            projectname: 'hello',
            relpath: `alice/dev/hello/md5=${md5(archive.bytes)}/${archive.filename}.toxresult0`,
            for_entrypath: `alice/dev/+f/abc/0123456789abc/${archive.filename}`,
            // As some servers of version 6 wrote it: the hash of the archive.
            entrymapping: { hash_spec: `md5=${md5(archive.bytes)}` },
          },
          { ...line, type: 'releasefile', relpath: `${place}/${archive.filename}` },
          { type: 'doczip', projectname: 'hello', relpath: 'alice/dev/hello-1.0.doc.zip' },
        ],
      },
    },
    content: {
      [`${place}/${archive.filename}`]: archive.bytes,
      'alice/dev/hello-1.0.doc.zip': 'docs',
      [`alice/dev/hello/md5=${md5(archive.bytes)}/${archive.filename}.toxresult0`]: '{}',
    },
  })
  assert.deepEqual(
    opened.remarks.map(({ why }) => why),
    ['its metadata gave no version; it is the one it was listed by'],
  )
  const { files, attachments } = await filesOf(opened, 'alice/dev', 'hello')
  const log = [{ what: 'upload', who: '<import>', when: [2026, 1, 2, 3, 4, 5], dst: 'alice/dev' }]
  assert.deepEqual(
    files.map(({ id: _id, ...file }) => file),
    [
      {
        index: 'alice/dev',
        project: 'hello',
        version: '1.0',
        filename: archive.filename,
        digest: archive.sha256,
        sizeBytes: archive.bytes.length,
        uploadTime: '2024-08-09T13:15:02.000Z',
        addressHash: archive.sha256,
        log,
        requiresPython: '>=3.9',
      },
    ],
  )
  assert.deepEqual(
    attachments.map(({ kind, filename, addressHash, ofFile, digest }) => ({
      kind,
      filename,
      addressHash,
      of: ofFile?.filename,
      digest,
    })),
    [
      {
        kind: 'doczip',
        filename: 'hello-1.0.doc.zip',
        addressHash: digestOf('docs'),
        of: undefined,
        digest: digestOf('docs'),
      },
      {
        kind: 'toxresult',
        filename: `${archive.filename}.toxresult0`,
        addressHash: archive.sha256,
        of: archive.filename,
        digest: digestOf('{}'),
      },
    ],
  )
})

test('importDevpi() keeps a mirror’s files with where they came from and what its page said of them', async () => {
  const archive = wheel({ name: 'magnet', version: '1.0' })
  const path = `root/far/magnet/1.0/${archive.filename}`
  await using opened = await imported({
    users: { root: {} },
    indexes: {
      'root/far': {
        indexconfig: { type: 'mirror', mirror_url: 'http://up.example/simple/' },
        projects: { magnet: { '1.0': { name: 'magnet', version: '1.0', requires_python: '>=3.7', yanked: true } } },
        files: [
          archiveLine(path, archive.bytes, {
            entrymapping: {
              last_modified: 'Fri, 09 Aug 2024 13:15:02 GMT',
              hash_spec: `md5=${md5(archive.bytes)}`,
              url: `http://user:secret@up.example/files/${archive.filename}#md5=1`,
            },
          }),
        ],
      },
    },
    content: { [path]: archive.bytes },
  })
  assert.deepEqual(opened.remarks, [])
  const { files } = await filesOf(opened, 'root/far', 'magnet')
  const { addressHash, origin, yanked, requiresPython, coreMetadata, log } = files[0]!
  assert.deepEqual(
    { addressHash, origin, yanked, requiresPython, log },
    {
      addressHash: md5(archive.bytes),
      origin: `http://up.example/files/${archive.filename}`,
      yanked: true,
      requiresPython: '>=3.7',
      log: [],
    },
  )
  assert.ok(coreMetadata !== undefined && (await opened.blobs.stat(coreMetadata.digest)) !== undefined)
})

test('importDevpi() keeps an archive that cannot be read, and says that it has no metadata', async () => {
  const path = 'alice/dev/pkg/1.0/pkg-1.0-py3-none-any.whl'
  await using opened = await imported({
    indexes: { 'alice/dev': { indexconfig: STAGE, projects: {}, files: [archiveLine(path, 'no zip')] } },
    content: { [path]: 'no zip' },
  })
  assert.equal((await filesOf(opened, 'alice/dev', 'pkg')).files[0]?.digest, digestOf('no zip'))
  assert.match(opened.remarks.map(({ why }) => why).join('\n'), /no metadata of its own is served/)
  assert.match(opened.remarks.map(({ why }) => why).join('\n'), /was not in the dump and is registered now/)
})

test('importDevpi() refuses two different files of one name, and takes the same one once', async () => {
  const paths = ['alice/dev/a.b/1.0/a_b-1.0.zip', 'alice/dev/a-b/1.0/a_b-1.0.zip'] as const
  const dump = (second: string): Dump => ({
    indexes: {
      'alice/dev': {
        indexconfig: STAGE,
        projects: { 'a.b': { '1.0': { name: 'a.b', version: '1.0' } } },
        files: [archiveLine(paths[0], 'one'), archiveLine(paths[1], second)],
      },
    },
    content: { [paths[0]]: 'one', [paths[1]]: second },
  })
  await using same = await imported(dump('one'))
  assert.equal(same.report.remarks.error, 0)
  assert.equal(same.report.counts.files, 1)
  await using other = await imported(dump('two'))
  assert.match(other.remarks.find(({ kind }) => kind === 'error')!.why, /another file of the name "a_b-1.0.zip"/)
})

test('importDevpi() keeps the history of files, and tells of lines that it does not know', async () => {
  const path = 'alice/dev/pkg/1.0/pkg-1.0.tar.gz'
  const known = { what: 'overwrite', when: [2024, 8, 9, 13, 15, 2], count: 2 }
  const log = [
    { ...known, who: null },
    { what: 'painted', who: 'alice' },
  ]
  await using opened = await imported({
    indexes: {
      'alice/dev': {
        indexconfig: STAGE,
        projects: { pkg: { '1.0': { name: 'pkg', version: '1.0' } } },
        files: [archiveLine(path, 'x', { log })],
      },
    },
    content: { [path]: 'x' },
  })
  assert.deepEqual((await filesOf(opened, 'alice/dev', 'pkg')).files[0]?.log, [known])
  assert.match(opened.remarks.map(({ why }) => why).join('\n'), /a line of its history, "painted", is of no kind/)
})

test('importDevpi() lays root/pypi of the dump over the one that is there, or leaves both away', async () => {
  const dump: Dump = {
    users: { root: {} },
    indexes: { 'root/pypi': { indexconfig: { type: 'mirror', volatile: true } } },
  }
  await using folder = await tempDump(dump)
  await using stores = await openTempStores()
  await stores.addMirror('root/pypi', { mirror_url: 'http://up.example/simple/', volatile: false, title: 'Public' })
  const taken = { ...stores, ...(await importInto(stores, folder.path)) }
  assert.deepEqual(await optionsOf(taken, 'root/pypi'), {
    type: 'mirror',
    volatile: true,
    mirror_url: 'http://up.example/simple/',
    title: 'Public',
  })
  await using without = await imported(dump, { hasRootPypi: false })
  assert.equal(await optionsOf(without, 'root/pypi'), undefined)
})

function byVersion(a: { version?: unknown }, b: { version?: unknown }): number {
  return String(a.version) < String(b.version) ? -1 : 1
}
