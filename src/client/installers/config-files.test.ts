import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { replaceFile } from '../state-file.ts'
import { configFiles, describeConfig, setIndex } from './config-files.ts'

const SEARCH = new URL('http://h/root/prod/')

test('setIndex() keeps the file as it was beside it, once, and hides passwords from other users and eyes', async () => {
  const home = mkdtempSync(join(tmpdir(), 'config-files-'))
  try {
    const [pip] = configFiles({ env: {}, home, venv: undefined })
    assert.ok(pip)
    mkdirSync(join(home, '.config', 'pip'), { recursive: true })
    writeFileSync(pip.path, '[global]\ntimeout = 5\n')
    assert.equal(await describeConfig(pip), `${pip.path}: no index server configured`)
    await setIndex(pip, { simple: new URL('http://h/a/'), search: SEARCH, trusted: false })
    await setIndex(pip, { simple: new URL('http://user:secret@h/b/'), search: SEARCH, trusted: false })
    assert.equal(readFileSync(`${pip.path}-bak`, 'utf8'), '[global]\ntimeout = 5\n')
    assert.match(readFileSync(pip.path, 'utf8'), /index_url = http:\/\/user:secret@h\/b\/\ntimeout = 5/)
    assert.equal(statSync(pip.path).mode & 0o777, 0o600)
    assert.equal(await describeConfig(pip), `${pip.path}: http://user:****@h/b/`)
  } finally {
    rmSync(home, { recursive: true })
  }
})

test('configFiles() leaves the files of the user alone where a virtual environment is meant', () => {
  const paths = (venv: string | undefined) => configFiles({ env: {}, home: '/h', venv }).map(({ path }) => path)
  assert.deepEqual(paths('/v'), ['/v/pip.conf', '/v/uv.toml'])
  assert.deepEqual(paths(undefined), [
    '/h/.config/pip/pip.conf',
    '/h/.config/uv/uv.toml',
    '/h/.pydistutils.cfg',
    '/h/.buildout/default.cfg',
  ])
})

test('setIndex() and replaceFile() never put a file in the place of something else, such as a device', async () => {
  const home = mkdtempSync(join(tmpdir(), 'config-files-'))
  try {
    const path = join(home, 'pipe')
    execFileSync('mkfifo', [path])
    const [pip] = configFiles({ env: { PIP_CONFIG_FILE: path }, home, venv: undefined })
    assert.equal(await setIndex(pip!, { simple: SEARCH, search: SEARCH, trusted: true }), false)
    await assert.rejects(replaceFile(path, 'text', 0o600), /is no ordinary file; name another path$/)
    assert.ok(statSync(path).isFIFO())
    assert.deepEqual(readdirSync(home), ['pipe'])
  } finally {
    rmSync(home, { recursive: true })
  }
})
