import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byteSize, parseByteSize } from './byte-size.ts'

for (const [written, bytes] of [
  ['0', 0],
  ['1048576', 1_048_576],
  ['5GB', 5e9],
  ['5gb', 5e9],
  [' 1.5 GiB ', 1_610_612_736],
  ['300 MB', 3e8],
  ['20GiB', 20 * 2 ** 30],
  ['1TB', 1e12],
  ['7 b', 7],
  ['0.0015kB', 1],
  ['', undefined],
  ['-1', undefined],
  ['5G', undefined],
  ['5 parsecs', undefined],
  ['1e9', undefined],
  ['GB', undefined],
  ['1 2', undefined],
  ['99999999TB', undefined],
] as const) {
  test(`parseByteSize() of "${written}"`, () => assert.equal(parseByteSize(written), bytes))
}

test('byteSize() says it in the largest unit that fits', () => {
  assert.deepEqual([0, 999, 1000, 1_234_567, 5e9, 1.5e12].map(byteSize), [
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 MB',
    '5.0 GB',
    '1.5 TB',
  ])
})
