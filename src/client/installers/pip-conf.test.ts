import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pipIndex, pipPlaces, withPipIndex } from './pip-conf.ts'

const INDEX = { simple: new URL('http://h:3141/root/prod/+simple/'), search: new URL('http://h:3141/root/prod/') }

test('withPipIndex() writes what devpi writes into a new file', () => {
  assert.equal(
    withPipIndex('', { ...INDEX, trusted: true }),
    [
      '[global]',
      'index_url = http://h:3141/root/prod/+simple/',
      'trusted-host = h',
      '[search]',
      'index = http://h:3141/root/prod/',
      '',
    ].join('\n'),
  )
})

test('withPipIndex() adds a trusted host to those there and takes only its own away', () => {
  const before = '[global]\ntrusted-host = a.example\n    b.example\n'
  const trusting = withPipIndex(before, { ...INDEX, trusted: true })
  assert.match(trusting, /trusted-host = a\.example\n {4}b\.example\n {4}h\n/)
  assert.equal(withPipIndex(trusting, { ...INDEX, trusted: true }), trusting)
  assert.match(
    withPipIndex(trusting, { ...INDEX, trusted: false }),
    /trusted-host = a\.example\n {4}b\.example\n\[search\]/,
  )
})

test('pipIndex() reads index-url and index_url of [global] alone', () => {
  assert.equal(pipIndex('[global]\nindex-url = http://x/\n'), 'http://x/')
  assert.equal(pipIndex('[install]\nindex-url = http://x/\n'), undefined)
})

test('pipPlaces() prefers the environment, then PIP_CONFIG_FILE, then the former place', () => {
  const home = mkdtempSync(join(tmpdir(), 'pip-conf-'))
  try {
    const at = (env: Record<string, string>, venv?: string) => pipPlaces({ env, home, venv })
    const usual = join(home, 'xdg', 'pip', 'pip.conf')
    assert.deepEqual(at({ PIP_CONFIG_FILE: '/x/pip.conf' }, '/venv'), { path: join('/venv', 'pip.conf') })
    assert.deepEqual(at({ PIP_CONFIG_FILE: '/x/pip.conf' }), { path: '/x/pip.conf' })
    assert.deepEqual(at({ XDG_CONFIG_HOME: join(home, 'xdg') }), { path: usual })
    mkdirSync(join(home, '.pip'))
    writeFileSync(join(home, '.pip', 'pip.conf'), '')
    assert.deepEqual(at({ XDG_CONFIG_HOME: join(home, 'xdg') }), {
      path: join(home, '.pip', 'pip.conf'),
      moveTo: usual,
    })
  } finally {
    rmSync(home, { recursive: true })
  }
})
