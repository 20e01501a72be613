import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TookTooLong, withinTime } from './time-box.ts'

test('withinTime() gives back what the work gives, undefined included, and throws what it throws', () => {
  assert.equal(
    withinTime(1000, () => 7),
    7,
  )
  assert.equal(
    withinTime(1000, () => undefined),
    undefined,
  )
  assert.throws(
    () =>
      withinTime(1000, () => {
        throw new RangeError('x')
      }),
    RangeError,
  )
})

test('withinTime() ends loops and regular expressions under way, and works again afterwards', () => {
  const endless = () => {
    for (;;);
  }
  const backtracking = () => /^(a+)+$/.test(`${'a'.repeat(50)}b`)
  for (const work of [endless, backtracking]) {
    const start = performance.now()
    assert.throws(() => withinTime(50, work), TookTooLong)
    assert.ok(performance.now() - start < 5000)
  }
  assert.equal(
    withinTime(1000, () => 'again'),
    'again',
  )
})
