import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkApiVersion, lastComponent, readAddress, readHashes, readSize, readUploadTime } from './file-facts.ts'

test('readUploadTime() gives the form of PEP 700, or nothing', () => {
  const rows: [unknown, string | undefined][] = [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.123456Z', '2026-01-02T03:04:05.123456Z'],
    ['2026-01-02T03:04:05.123456789Z', '2026-01-02T03:04:05.123456Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05Z'],
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05Z'],
    ['2026-01-01T23:04:05.5-0200', '2026-01-02T01:04:05.5Z'],
    ['2026-01-02T03:04:05+00:00', '2026-01-02T03:04:05Z'],
    ['2026-02-31T03:04:05Z', undefined],
    ['2026-01-02T25:04:05Z', undefined],
    ['2026-01-02', undefined],
    ['yesterday', undefined],
    ['', undefined],
    [null, undefined],
    [1767323045, undefined],
  ]
  for (const [value, expected] of rows) assert.equal(readUploadTime(value), expected, String(value))
})

test('readAddress() makes addresses absolute and reads hashes from the fragment', () => {
  const base = new URL('https://index.example/simple/acme/')
  const rows: [string, object | undefined][] = [
    ['../../a.zip#sha256=AB', { url: 'https://index.example/a.zip', hashes: { sha256: 'ab' } }],
    ['a+b.zip#md5=1&egg=a', { url: 'https://index.example/simple/acme/a+b.zip', hashes: { md5: '1' } }],
    ['//cdn.example/a.zip', { url: 'https://cdn.example/a.zip', hashes: {} }],
    ['javascript:alert(1)', undefined],
    ['file:///etc/passwd', undefined],
    ['http://[', undefined],
    [`a${'b'.repeat(8192)}`, undefined],
  ]
  for (const [href, expected] of rows) assert.deepEqual(readAddress(href, base), expected, href)
  assert.equal(readAddress('a.zip', new URL('file:///srv/simple/a/'))?.url, 'file:///srv/simple/a/a.zip')
})

test('readHashes() keeps hashlib names with hex digits only', () => {
  assert.deepEqual(readHashes({ SHA256: 'AB', md5: 'xyz', egg: 'ab', sha1: 5, __proto__: { blake2b: 'ab' } }), {
    sha256: 'ab',
  })
  for (const value of [null, 'sha256', 5, undefined]) assert.deepEqual(readHashes(value), {})
})

test('readSize() takes whole numbers and digits', () => {
  for (const value of [5, '5']) assert.equal(readSize(value), 5)
  for (const value of [-1, 1.5, 2 ** 60, '', 'x', null, true]) assert.equal(readSize(value), undefined)
})

test('lastComponent() decodes once, and gives nothing for what cannot be decoded', () => {
  assert.equal(lastComponent('https://a.example/x/a%2Bb.zip?q=/y'), 'a+b.zip')
  assert.equal(lastComponent('https://a.example/x/'), '')
  assert.equal(lastComponent('https://a.example/%zz'), undefined)
})

test('checkApiVersion() refuses every other major version', () => {
  for (const version of ['1.0', '1.4', '1.99', '1', 1.1, undefined, null]) checkApiVersion(version)
  for (const version of ['2.0', '0.9', '10.0', '', 'x', {}]) assert.throws(() => checkApiVersion(version), SyntaxError)
})
