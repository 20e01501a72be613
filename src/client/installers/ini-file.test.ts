import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iniValue, withIniList, withIniValue } from './ini-file.ts'

const INDEX = { section: 'global', name: 'index_url' }
const TRUSTED = { section: 'global', name: 'trusted-host' }

const FILE = `# mine
[install]
index-url = http://other/simple/

[global]
; the company's
Index-Url: http://old/simple/
timeout = 60
trusted-host =
    one.example
    # not two
    three.example

[search]
index = http://old/
`

test('iniValue() finds a key in its own section, in every spelling, with continuation lines', () => {
  assert.equal(iniValue(FILE, INDEX), 'http://old/simple/')
  assert.equal(iniValue(FILE, { section: 'install', name: 'index_url' }), 'http://other/simple/')
  assert.equal(iniValue(FILE, TRUSTED), 'one.example\nthree.example')
  assert.equal(iniValue(FILE, { section: 'nope', name: 'index_url' }), undefined)
  assert.equal(iniValue('', INDEX), undefined)
})

test('withIniValue() changes one line and keeps the rest byte for byte', () => {
  assert.equal(
    withIniValue(FILE, INDEX, 'http://new/'),
    FILE.replace('Index-Url: http://old/simple/', 'Index-Url = http://new/'),
  )
})

test('withIniValue() adds a key below the header of its section, and a section at the end', () => {
  assert.equal(withIniValue('[global]\ntimeout = 1\n', INDEX, 'x'), '[global]\nindex_url = x\ntimeout = 1\n')
  assert.equal(withIniValue('[a]\nb = 1', INDEX, 'x'), '[a]\nb = 1\n[global]\nindex_url = x\n')
  assert.equal(withIniValue('', INDEX, 'x'), '[global]\nindex_url = x\n')
})

test('withIniValue() keeps Windows line ends', () => {
  assert.equal(withIniValue('[global]\r\na = 1\r\n', INDEX, 'x'), '[global]\r\nindex_url = x\r\na = 1\r\n')
})

test('withIniValue() refuses a value that would become more than one line', () => {
  assert.throws(() => withIniValue('', INDEX, 'x\n[evil]'), TypeError)
})

test('withIniList() replaces all lines of a list and removes the key of an empty one', () => {
  assert.match(withIniList(FILE, TRUSTED, ['a', 'b']), /timeout = 60\ntrusted-host = a\n {4}b\n\n\[search\]/)
  assert.match(withIniList(FILE, TRUSTED, []), /timeout = 60\n\n\[search\]/)
  assert.equal(withIniList('[global]\n', TRUSTED, []), '[global]\n')
})
