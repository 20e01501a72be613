/** `import` and `export` as commands: all or nothing, and what is printed of it. */
import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { findIndex, userAsWritten } from '../../src/catalog/accounts.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { listFiles } from '../../src/catalog/files.ts'
import { findProject } from '../../src/catalog/projects.ts'
import { runCli } from '../../src/cli/cli.ts'
import { serverCommands } from '../../src/compose/commands.ts'
import { openStores } from '../../src/compose/stores.ts'
import { loadConfig } from '../../src/config/load.ts'
import { fileAddress } from '../../src/model/file-address.ts'
import { indexName } from '../../src/model/names.ts'
import { projectName } from '../../src/pep/name.ts'
import { archiveLine, type Dump, STAGE, tempDump } from '../builders/dumps.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { startWorld } from '../world/world.ts'

const PATH = 'alice/dev/pkg/1.0/pkg-1.0.tar.gz'
const ARCHIVE = sdist({ name: 'pkg', version: '1.0' })
const DUMP: Dump = {
  users: { alice: { pwhash: 'plain' }, root: {} },
  indexes: {
    'alice/dev': {
      indexconfig: STAGE,
      projects: { pkg: { '1.0': { name: 'pkg', version: '1.0' } } },
      files: [archiveLine(PATH, ARCHIVE.bytes)],
    },
  },
  content: { [PATH]: ARCHIVE.bytes },
}

async function run(
  cwd: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stop = new AbortController().signal,
) {
  const text = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof text) =>
    new PassThrough().on('data', (chunk: Buffer) => {
      text[name] += chunk.toString()
    })
  const context = {
    env: { HOME: cwd, XDG_CONFIG_DIRS: cwd, ...env },
    cwd,
    stdin: new PassThrough().end(),
    stop,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
  }
  const code = await runCli(argv, context, serverCommands)
  return { code, ...text }
}

test('import prints what it took, what it changed, and leaves a folder that is clean', async () => {
  await using dump = await tempDump(DUMP)
  await using home = await tempFolder()
  const took = await run(home.path, ['import', dump.path, '--serverdir', 'data', '--no-root-pypi'])
  assert.deepEqual([took.code, took.stderr], [0, `imported into ${join(home.path, 'data')}\n`])
  assert.equal(
    took.stdout,
    'changed: user alice: has no password now: its hash is of a form that is not known here; set one with: airlock passwd alice\n' +
      `imported 2 users, 1 indexes, 1 releases, 1 archives, 0 documentation archives, 0 test results, ${ARCHIVE.bytes.length} bytes; ` +
      '0 left out, 1 changed, 0 errors\n',
  )
  const checked = await run(home.path, ['check', '--serverdir', 'data'])
  assert.match(checked.stdout, /^clean: 1 files/)
  assert.deepEqual(await readdir(join(home.path, 'data', 'drafts')), [])
  const again = await run(home.path, ['import', dump.path, '--serverdir', 'data'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^airlock: The path '.*data' already contains devpi-server data\.\n/)
})

test('import --dry-run reads all and writes nothing, and tells every error', async () => {
  await using dump = await tempDump(DUMP)
  await using home = await tempFolder()
  const dry = await run(home.path, ['import', dump.path, '--serverdir', 'data', '--no-root-pypi', '--dry-run'])
  assert.equal(dry.code, 0, dry.stderr)
  assert.match(dry.stdout, /^would import 2 users, 1 indexes/m)
  await writeFile(join(dump.path, PATH), 'other')
  const wrong = await run(home.path, ['compat', 'devpi-import', '--dry-run', dump.path])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stdout, /^error: alice\/dev\/pkg\/1\.0\/pkg-1\.0\.tar\.gz: .*its sha256 is/m)
  assert.deepEqual(await readdir(home.path), [])
})

test('an import with an error leaves nothing behind, whether its folder was there before or not', async () => {
  await using dump = await tempDump({ ...DUMP, content: { [PATH]: 'other' } })
  await using home = await tempFolder()
  const refused = await run(home.path, ['import', dump.path, '--serverdir', 'data', '--no-root-pypi'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^nothing was imported: the dump has errors; --dry-run tells all that is wrong\n$/)
  assert.deepEqual(await readdir(home.path), [])
  await mkdir(join(home.path, 'data'))
  await run(home.path, ['import', dump.path, '--serverdir', 'data', '--no-root-pypi'])
  assert.deepEqual((await readdir(join(home.path, 'data'), { recursive: true })).sort(), ['drafts', 'lock'])
})

test('import and export that are stopped leave nothing behind', async () => {
  await using dump = await tempDump(DUMP)
  await using home = await tempFolder()
  const stopped = await run(home.path, ['import', dump.path, '--serverdir', 'data'], {}, AbortSignal.abort('SIGTERM'))
  assert.deepEqual([stopped.code, stopped.stderr], [1, 'import stopped, nothing of it is left\n'])
  assert.deepEqual(await readdir(home.path), [])
  await run(home.path, ['import', dump.path, '--serverdir', 'data', '--no-root-pypi'])
  const given = ['export', '--devpi', 'back', '--serverdir', 'data']
  assert.equal((await run(home.path, given, {}, AbortSignal.abort('SIGTERM'))).code, 1)
  assert.deepEqual(await readdir(join(home.path, 'back')), [])
})

test('import --json prints one JSON value, whatever comes', async () => {
  await using home = await tempFolder()
  const broken = await tempDump({})
  await writeFile(join(broken.path, 'dataindex.json'), '{"users": {"\u001b[31m/": {}},')
  await using good = await tempDump(DUMP)
  for (const [folder, imported] of [
    [broken.path, false],
    [good.path, true],
  ] as const) {
    const told = await run(home.path, ['import', folder, '--json', '--serverdir', 'data', '--no-root-pypi'])
    const report = JSON.parse(told.stdout) as Record<string, unknown>
    assert.equal(report.imported, imported)
    assert.equal((report.remarks as unknown[]).length, 1)
  }
  const shown = await run(home.path, ['import', broken.path, '--serverdir', 'other'])
  assert.match(shown.stdout, /^error: dataindex\.json: /)
  await writeFile(join(broken.path, 'dataindex.json'), '{"users": {"\u001b[31m": {}}, "dumpversion": 2}')
  const escaped = await run(home.path, ['import', broken.path, '--serverdir', 'other'])
  assert.ok(!escaped.stdout.includes('\u001b'), 'the dump spoke to the terminal')
  await broken.remove()
})

test('import refuses a folder that is no dump, a server’s own folder, and one that holds something else', async () => {
  await using home = await tempFolder()
  await using dump = await tempDump(DUMP)
  const noDump = await run(home.path, ['import', home.path, '--serverdir', 'data'])
  assert.match(noDump.stderr, /there is no dataindex\.json in it\nhint: /)
  await mkdir(join(home.path, 'full'))
  await writeFile(join(home.path, 'full', 'letter.txt'), 'x')
  const full = await run(home.path, ['import', dump.path, '--serverdir', 'full'])
  assert.match(full.stderr, /it is no server folder and holds "letter\.txt"/)
})

test('import and export link files where they are told to, and the links are of the same file', async () => {
  await using dump = await tempDump(DUMP)
  await using home = await tempFolder()
  const env = { DEVPISERVER_HARD_LINKS: '1' }
  const into = ['compat', 'devpi-import', '--serverdir', 'data', '--no-root-pypi', dump.path]
  const took = await run(home.path, into, env)
  assert.equal(took.code, 0, took.stderr + took.stdout)
  const given = await run(home.path, ['export', '--devpi', '--hard-links', '--serverdir', 'data', 'back'])
  assert.equal(given.code, 0, given.stderr)
  const [original, back] = [await stat(join(dump.path, PATH)), await stat(join(home.path, 'back', PATH))]
  assert.equal(original.ino, back.ino)
  assert.equal(original.nlink, 3)
  assert.deepEqual((await run(home.path, ['check', '--serverdir', 'data'])).code, 0)
  await chmod(join(dump.path, PATH), 0o644)
})

test('export writes what an import takes again: users without a password, groups, yanks, statuses, test results', async () => {
  await using home = await tempFolder()
  await using world = await startWorld({ settings: { serverdir: join(home.path, 'data') } })
  const { alice, root } = world
  const file = wheel({ name: 'paper', version: '1.0' })
  assert.equal((await alice.uploads(file, 'alice/dev')).status, 200)
  const index = indexName('alice', 'dev')
  const result = await alice.asks(`/${fileAddress(index, file.sha256, file.filename)}`, { json: { outcome: 'passed' } })
  assert.equal(result.status, 200, result.text)
  assert.equal((await alice.asks('/alice/dev', { method: 'PATCH', json: ['acl_pkg_read=alice'] })).status, 200)
  const group = await root.asks('/+groups/team', { method: 'PUT', json: { members: ['alice'] } })
  assert.equal(group.status, 200, group.text)
  await world.server.stores.users.ensure('nopass')
  const paper = async (catalog: Catalog) =>
    await catalog.read(async (reader) => {
      const record = (await findIndex(reader, index))!
      const project = projectName('paper')
      const status = (await findProject(reader, record, project))?.status
      return { files: await listFiles(reader, record, project), status }
    })
  const order = { project: 'paper', version: '1.0', reason: 'tears' }
  assert.equal((await alice.asks('/alice/dev/+yank', { json: order })).status, 200)
  const status = { status: 'quarantined', reason: 'burns' }
  assert.equal((await alice.asks('/alice/dev/+status/paper', { method: 'PUT', json: status })).status, 200)

  const given = await run(home.path, ['compat', 'devpi-export', '--serverdir', 'data', 'dump'])
  assert.equal(given.code, 0, given.stderr)
  assert.match(given.stderr, /paper of alice\/dev is quarantined: devpi does not know that/)
  assert.match(given.stderr, /acl_pkg_read of alice\/dev is written, and without a plugin devpi lets everybody read/)
  const dumped = JSON.parse(await readFile(join(home.path, 'dump', 'dataindex.json'), 'utf8')) as {
    users: Record<string, { pwhash: string }>
    groups?: unknown
  }
  assert.match(dumped.users.nopass!.pwhash, /^\$argon2id\$v=19\$m=8,t=1,p=1\$A+\$A+$/)
  assert.deepEqual(dumped.groups, { team: ['alice'] })
  const took = await run(home.path, ['import', 'dump', '--serverdir', 'other', '--no-root-pypi'])
  assert.equal(took.code, 0, took.stdout)
  assert.match(took.stdout, /1 archives, 0 documentation archives, 1 test results, \d+ bytes; 0 left out, 0 changed/)
  const config = loadConfig({ flags: { serverdir: 'other' }, env: {}, cwd: home.path })
  await using stores = (await openStores(config, { initialise: false, alone: true }))!
  const nopass = await stores.catalog.read((reader) => userAsWritten(reader, 'nopass'))
  const after = await paper(stores.catalog)
  assert.deepEqual([after.files[0]?.yanked, after.status], ['tears', status])
  assert.ok(nopass !== undefined && nopass.passwordHash === undefined)

  const full = await run(home.path, ['compat', 'devpi-export', '--serverdir', 'data', 'dump'])
  assert.equal(full.code, 1)
  assert.match(full.stderr, /export directory .*dump must not exist or be empty/)
  const nothing = await run(home.path, ['compat', 'devpi-export', '--serverdir', 'nowhere', 'new'])
  assert.match(nothing.stderr, /contains no devpi-server data, use devpi-init to initialize/)
})
