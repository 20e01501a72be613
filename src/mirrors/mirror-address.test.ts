import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstreamFolder } from '../model/file-address.ts'
import type { IndexName } from '../model/names.ts'
import { addressHash, mirrorAddress } from './mirror-address.ts'

const INDEX = 'root/pypi' as IndexName
const file = (
  hashes: Readonly<Record<string, string>>,
  url = 'http://127.0.0.1:4400/files/pkg-1.0-py3-none-any.whl',
) => ({
  filename: 'pkg-1.0-py3-none-any.whl',
  url,
  hashes,
})
const SHA256 = `${'ABCDEF'.repeat(10)}ABCD`

for (const [what, hashes, expected] of [
  ['sha256', { sha256: SHA256 }, SHA256.toLowerCase()],
  ['sha256 before md5', { md5: 'a'.repeat(32), sha256: SHA256 }, SHA256.toLowerCase()],
  ['md5 alone', { md5: 'A'.repeat(32) }, 'a'.repeat(32)],
  ['an algorithm of nobody', { blake2b: 'a'.repeat(64) }, undefined],
  ['a hash that is cut short', { sha256: '1234' }, '1234'],
  ['a hash too short for an address', { sha256: '123' }, undefined],
  ['no hash', {}, undefined],
] as const) {
  test(`addressHash() with ${what}`, () => {
    assert.equal(addressHash(file(hashes)), expected)
  })
}

test('mirrorAddress() begins with the digits of the hash, as devpi has it', () => {
  const address = mirrorAddress(INDEX, file({ sha256: SHA256 }))
  assert.equal(address, 'root/pypi/+f/abc/defabcdefabcd/pkg-1.0-py3-none-any.whl')
})

test('mirrorAddress() of a hash that is cut short has what there is, as devpi has it', () => {
  assert.equal(mirrorAddress(INDEX, file({ sha256: '1234' })), 'root/pypi/+f/123/4/pkg-1.0-py3-none-any.whl')
})

test('mirrorAddress() without a hash names the folder upstream, as devpi has it', () => {
  assert.equal(mirrorAddress(INDEX, file({})), 'root/pypi/+e/http_127.0.0.1_4400_files/pkg-1.0-py3-none-any.whl')
})

for (const [url, expected] of [
  ['http://127.0.0.1:4400/files/pkg-1.0.tar.gz', 'http_127.0.0.1_4400_files'],
  ['https://host.example/a/b/c.whl#sha256=1', 'https_host.example_a_b'],
  ['https://host.example/a/b/c.whl?x=/y/z', 'https_host.example_a_b'],
  ['https://host.example/a b/~c/d.whl', 'https_host.example_a_b__c'],
  ['https://host.example/d.whl', 'https_host.example'],
] as const) {
  test(`upstreamFolder() of ${url}`, () => {
    assert.equal(upstreamFolder(url), expected)
    assert.doesNotMatch(upstreamFolder(url), /[^A-Za-z0-9._-]/)
  })
}

test('mirrorAddress() tells nothing of a password in the link', () => {
  const address = mirrorAddress(INDEX, file({}, 'https://user:secret@far.example/files/pkg-1.0-py3-none-any.whl'))
  assert.equal(address, 'root/pypi/+e/https_far.example_files/pkg-1.0-py3-none-any.whl')
})
