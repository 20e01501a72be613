/** A setting is named once, in the table: everything that takes settings has it then. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { after, test } from 'node:test'
import { allCommands } from '../../scripts/commands-page.ts'
import { configurationPage } from '../../scripts/docs.ts'
import { runCli } from '../../src/cli/cli.ts'
import { fullNames } from '../../src/cli/devpi/devpi-config.ts'
import { serverCommands } from '../../src/compose/commands.ts'
import { readSettings } from '../../src/config/load.ts'
import { flagOf, SETTINGS, type Setting, type SettingKey } from '../../src/config/settings.ts'
import { tempFolder } from '../world/temp-folder.ts'

const folder = await tempFolder()
const table = SETTINGS as unknown as Setting[]
const own = table.length
after(async () => {
  table.length = own
  await folder[Symbol.asyncDispose]()
})

/** Settings that there are not: what is named once, here, has to be known everywhere below. */
const IMAGINARY = [
  { key: 'imaginary_serving', sentence: 'Needed by servers alone' },
  { key: 'imaginary_folder', sentence: 'Needed by whatever works on a folder', neededFor: 'folder' },
  { key: 'imaginary_filling', sentence: 'Needed where a folder is filled', neededFor: 'filling' },
  { key: 'imaginary_room', sentence: 'Needed where room is made on mirrors', neededFor: 'room' },
] as const
table.push(...IMAGINARY.map((each) => ({ ...each, type: 'text', default: 'plain', value: 'WORD' }) as const))

const SERVING = ['airlock serve', 'airlock gen-config', 'airlock config show', 'devpi-server', 'devpi-gen-config']
const FILLING = ['airlock init', 'airlock import', 'devpi-init', 'devpi-import']
const ROOM = ['airlock cache']
const FOLDER = [
  'airlock check',
  'airlock gc',
  'airlock passwd',
  'airlock advisories import',
  'airlock advisories list',
  'airlock advisories remove',
  'airlock export',
  'devpi-export',
  'devpi-fsck',
  'devpi-passwd',
]

for (const [key, takers] of [
  ['imaginary_serving', SERVING],
  ['imaginary_folder', [...SERVING, ...FILLING, ...ROOM, ...FOLDER]],
  ['imaginary_filling', [...SERVING, ...FILLING]],
  ['imaginary_room', [...SERVING, ...ROOM]],
] as const) {
  test(`${key} is an option of every command that needs it, and of no other`, async () => {
    const found = (await allCommands()).filter(({ command }) =>
      command.options.some(({ long }) => long === flagOf({ key })),
    )
    assert.deepEqual(found.map(({ words }) => words).toSorted(), takers.toSorted())
  })
}

test('every setting is an option of airlock serve and of devpi-server', async () => {
  const commands = await allCommands()
  for (const words of ['airlock serve', 'devpi-server']) {
    const { command } = commands.find((each) => each.words === words)!
    const flags = command.options.map(({ long }) => long)
    assert.deepEqual(
      table.map(flagOf).filter((flag) => !flags.includes(flag)),
      [],
      words,
    )
  }
})

const [{ key }] = IMAGINARY

test('an imaginary setting is read from flags, the environment and airlock.toml', () => {
  writeFileSync(join(folder.path, 'airlock.toml'), `${key} = "from file"\n`)
  const read = (flags: Record<string, unknown>, env: Record<string, string>, file?: string) =>
    readSettings({ flags, env, cwd: folder.path, ...(file !== undefined && { file }) }).get(key as string as SettingKey)
      ?.value
  assert.equal(read({}, {}), 'plain')
  assert.equal(read({}, {}, 'airlock.toml'), 'from file')
  assert.equal(read({}, { DEVPISERVER_IMAGINARY_SERVING: 'theirs' }, 'airlock.toml'), 'theirs')
  assert.equal(read({}, { AIRLOCK_IMAGINARY_SERVING: 'ours', DEVPISERVER_IMAGINARY_SERVING: 'theirs' }), 'ours')
  assert.equal(read({ [key]: 'flag' }, { AIRLOCK_IMAGINARY_SERVING: 'ours' }, 'airlock.toml'), 'flag')
})

test('airlock config show tells an imaginary setting, and where each value comes from', async () => {
  const show = async (...words: string[]) => {
    let stdout = ''
    const out = new Writable({
      write(chunk, _encoding, done) {
        stdout += String(chunk)
        done()
      },
    })
    const context = { env: {}, cwd: folder.path, stdin: Readable.from([]), stdout: out, stderr: out }
    assert.equal(await runCli(['config', 'show', ...words], context, serverCommands), 0, stdout)
    return stdout
  }
  assert.match(await show(), /^imaginary_serving = plain {2}# default$/m)
  assert.match(
    await show('-c', 'airlock.toml'),
    /^imaginary_serving = from file {2}# airlock\.toml: imaginary_serving$/m,
  )
  assert.match(await show('--imaginary-serving', 'x'), /^imaginary_serving = x {2}# --imaginary-serving$/m)
  assert.match(await show('--no-root-pypi'), /^no_root_pypi = true {2}# --no-root-pypi$/m)
})

test('docs/configuration.md would have an imaginary setting', () => {
  assert.match(
    configurationPage(),
    /^## imaginary_serving\n\nNeeded by servers alone\.\n\n\* option `--imaginary-serving WORD`/m,
  )
})

test('shortened names of devpi’s programs mean devpi’s own options', async () => {
  const { command } = (await allCommands()).find(({ words }) => words === 'devpi-server')!
  for (const [given, full] of [
    ['--mirror=60', '--mirror-cache-expiry=60'],
    ['--mirror-cache-s=5GB', '--mirror-cache-size=5GB'],
    ['--max', '--max-request-body-size'],
    ['--log', '--logger-cfg'],
    ['--un=x', '--un=x'],
  ] as const) {
    assert.deepEqual(fullNames(command, [given]), [full])
  }
})
