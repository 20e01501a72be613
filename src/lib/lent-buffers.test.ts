import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LentBuffers } from './lent-buffers.ts'

const SIZES = { largeBytes: 100, most: 2, smallBytes: 10 }

test('LentBuffers lends large ones while there are any left, and small ones to all others', () => {
  const lent = new LentBuffers(SIZES)
  const first = lent.lend('large')
  const sizes = [first, lent.lend('large'), lent.lend('large'), lent.lend('small')].map(({ length }) => length)
  assert.deepEqual(sizes, [100, 100, 10, 10])
  lent.giveBack(first)
  assert.equal(lent.lend('large'), first)
  assert.equal(lent.lend('large').length, 10)
})

test('LentBuffers never lends what is lent, or was forgotten, and makes up for the latter', () => {
  const lent = new LentBuffers(SIZES)
  const [first, second] = [lent.lend('large'), lent.lend('large')]
  assert.notEqual(first, second)
  lent.forget(first)
  const third = lent.lend('large')
  assert.equal(third.length, 100)
  assert.ok(third !== first && third !== second)
})

test('LentBuffers keeps few of the small ones that came back', () => {
  const lent = new LentBuffers(SIZES)
  const all = new Set(Array.from({ length: 5 }, () => lent.lend('small')))
  assert.equal(all.size, 5)
  for (const each of all) lent.giveBack(each)
  const again = Array.from({ length: 5 }, () => lent.lend('small'))
  assert.equal(again.filter((each) => all.has(each)).length, SIZES.most)
})
