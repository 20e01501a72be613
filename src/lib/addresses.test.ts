import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { hextetsOf, isOwnAddress, plainAddress } from './addresses.ts'

for (const [written, plain] of [
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::ffff:7f00:1', '127.0.0.1'],
  ['[::FFFF:7F00:0001]', '127.0.0.1'],
  ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::127.0.0.1', '::7f00:1'],
  ['localhost', undefined],
  ['127.1', undefined],
  ['0x7f.0.0.1', undefined],
  ['127.0.0.01', undefined],
  ['[::1', undefined],
  ['', undefined],
] as const) {
  test(`plainAddress() writes ${written} as ${plain}`, () => assert.equal(plainAddress(written), plain))
}

test('hextetsOf() gives all eight', () => {
  assert.deepEqual(hextetsOf('::'), [0, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(hextetsOf('1::'), [1, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(hextetsOf('64:ff9b::10.0.0.1'), [0x64, 0xff9b, 0, 0, 0, 0, 0x0a00, 1])
  assert.deepEqual(hextetsOf('1:2:3:4:5:6:7:8'), [1, 2, 3, 4, 5, 6, 7, 8])
})

test('isOwnAddress() knows loopback and the interfaces, and nothing else', () => {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', ...all.map((each) => each.address)]) {
    assert.ok(isOwnAddress(address), address)
  }
  for (const address of ['8.8.8.8', '128.0.0.1', '::2', '0.0.0.0', 'localhost']) {
    assert.equal(isOwnAddress(address), false, address)
  }
})
