import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { findDevpiFiles, readDevpiFile } from './devpi-file.ts'

const folder = await tempFolder()
after(() => folder.remove())

async function file(text: string, path = 'devpi-server.yml'): Promise<string> {
  const at = join(folder.path, path)
  await mkdir(dirname(at), { recursive: true })
  await writeFile(at, text)
  return at
}

test('readDevpiFile() gives the options below devpi-server, every scalar as it is written', async () => {
  const path = await file(
    'other: 1\ndevpi-server:\n  port: 04040\n  offline-mode: yes\n  outside-url: http://x.example/\n  listen:\n    - a:1\n    - b:2\n',
  )
  assert.deepEqual(readDevpiFile(path), {
    path,
    values: { port: '04040', offline_mode: 'yes', outside_url: 'http://x.example/', listen: ['a:1', 'b:2'] },
  })
})

test('readDevpiFile() takes what is empty, a scalar, or of other programs for nothing', async () => {
  for (const text of ['', 'hello', 'other:\n  port: 1\n', 'devpi-server:\n', 'devpi-server: hello\n']) {
    assert.deepEqual(readDevpiFile(await file(text)).values, {}, text)
  }
})

test('readDevpiFile() refuses lists, broken YAML, bombs of aliases and a file that is not there', async () => {
  const nines = (at: number) => Array(9).fill(`*a${at}`).join(', ')
  const rows = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${nines(at)}]`)
  const bomb = ['a0: &a0 [x]', ...rows, 'devpi-server: *a9'].join('\n')
  for (const [text, says] of [
    ['- a\n- b\n', /the file must be a mapping, not a list/],
    ['devpi-server:\n  - a\n', /the section "devpi-server" must be a mapping, not a list/],
    ['devpi-server: {port: 1', /Cannot read settings from .*devpi-server\.yml/],
    [bomb, /alias/i],
  ] as const) {
    const path = await file(text)
    assert.throws(() => readDevpiFile(path), { code: 'setting-invalid', message: says }, text)
  }
  assert.throws(() => readDevpiFile(join(folder.path, 'none.yml')), { code: 'setting-invalid', message: /none\.yml/ })
})

test('findDevpiFiles() looks where devpi does, the one that counts last', async () => {
  const name = 'devpi-server/devpi-server.yml'
  if (platform() === 'darwin') {
    const own = await file('', `home/Library/Application Support/${name}`)
    assert.equal(findDevpiFiles({ HOME: join(folder.path, 'home') }).at(-1), own)
    return
  }
  const site = await file('', `etc/${name}`)
  const own = await file('', `home/.config/${name}`)
  const other = await file('', `xdg/${name}`)
  const env = { XDG_CONFIG_DIRS: `${folder.path}/none:${folder.path}/etc`, HOME: join(folder.path, 'home') }
  assert.deepEqual(findDevpiFiles(env), [site, own])
  assert.deepEqual(findDevpiFiles({ ...env, XDG_CONFIG_HOME: join(folder.path, 'xdg') }), [site, other])
  assert.deepEqual(findDevpiFiles({ XDG_CONFIG_DIRS: `${folder.path}/none` }), [])
})
