import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uvIndex, uvPath, withUvIndex } from './uv-toml.ts'

const INDEX = new URL('http://h:3141/root/prod/+simple/')
const LINE = 'index-url = "http://h:3141/root/prod/+simple/"'

test('withUvIndex() writes one line into a new file', () => {
  assert.equal(withUvIndex('', INDEX), `${LINE}\n`)
})

test('withUvIndex() replaces its line and keeps comments and tables', () => {
  const before = '# mine\nindex-url = "http://old/"\n\n[pip]\nindex-url = "http://pip-only/"\n'
  assert.equal(withUvIndex(before, INDEX), before.replace('index-url = "http://old/"', LINE))
})

test('withUvIndex() puts a new line before the first table, where it belongs to no table', () => {
  const before = 'offline = false\n[[index]]\nurl = "http://x/"\n'
  assert.equal(withUvIndex(before, INDEX), `${LINE}\n${before}`)
  assert.equal(uvIndex(withUvIndex(before, INDEX)), INDEX.href)
})

test('withUvIndex() refuses what it cannot read or change for sure', () => {
  assert.throws(() => withUvIndex('index-url = ', INDEX), /Cannot read uv\.toml/)
  assert.throws(() => withUvIndex('a = """\nindex-url = 1\n"""\n', INDEX), /set it by hand/)
})

test('uvPath() prefers the environment, then UV_CONFIG_FILE', () => {
  assert.equal(uvPath({ env: { UV_CONFIG_FILE: '/x/uv.toml' }, home: '/h', venv: '/venv' }), '/venv/uv.toml')
  assert.equal(uvPath({ env: { UV_CONFIG_FILE: '/x/uv.toml' }, home: '/h', venv: undefined }), '/x/uv.toml')
})
