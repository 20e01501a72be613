import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countOf, dayOf, readableSize } from './readable.ts'

test('readableSize() has three places at most before the unit', () => {
  for (const [bytes, text] of [
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [126_849, '126.8 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [4_123_456, '4.1 MB'],
    [2_500_000_000, '2.5 GB'],
    [10_000_000_000_000, '10.0 TB'],
  ] as const) {
    assert.equal(readableSize(bytes), text)
  }
})

test('dayOf() shows the day in UTC, and text that is no time as it is, escaped', () => {
  assert.equal(
    dayOf('2025-08-15T23:20:30.123456-02:00').toString(),
    '<time datetime="2025-08-16T01:20:30.123Z" title="2025-08-16 01:20:30 UTC">2025-08-16</time>',
  )
  assert.equal(dayOf('<soon>').toString(), '&lt;soon&gt;')
})

test('countOf() knows one and many', () => {
  assert.deepEqual(
    [countOf(0, 'file'), countOf(1, 'file'), countOf(5000, 'file')],
    ['0 files', '1 file', '5,000 files'],
  )
})
