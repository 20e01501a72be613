import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Recent } from './recent.ts'

test('Recent gives back what was set, and forgets what was deleted', () => {
  const recent = new Recent<string, number>(10)
  recent.set('a', 1, 1)
  assert.equal(recent.get('a'), 1)
  assert.equal(recent.get('b'), undefined)
  recent.delete('a')
  recent.delete('b')
  assert.equal(recent.get('a'), undefined)
})

test('Recent lets the least recently used go first', () => {
  const recent = new Recent<string, number>(3)
  for (const key of ['a', 'b', 'c']) recent.set(key, 1, 1)
  recent.get('a')
  recent.set('d', 1, 1)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => recent.get(key)),
    [1, undefined, 1, 1],
  )
})

test('Recent counts the weight of a key that is set anew only once', () => {
  const recent = new Recent<string, number>(10)
  recent.set('a', 1, 4)
  for (let each = 0; each < 20; each++) recent.set('b', each, 6)
  assert.equal(recent.get('a'), 1)
  assert.equal(recent.get('b'), 19)
  recent.set('b', 20, 1)
  recent.set('c', 1, 5)
  assert.equal(recent.get('a'), 1)
})

test('Recent does not keep what is too heavy alone, nor the older value under its key', () => {
  const recent = new Recent<string, number>(10)
  recent.set('a', 1, 1)
  recent.set('b', 1, 1)
  recent.set('a', 2, 11)
  assert.equal(recent.get('a'), undefined)
  assert.equal(recent.get('b'), 1)
})

test('Recent never holds more than its weight', () => {
  const step = fc.record({ key: fc.nat(8), weight: fc.nat(7), isDeleted: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const recent = new Recent<number, number>(12)
      for (const { key, weight, isDeleted } of steps) {
        if (isDeleted) recent.delete(key)
        else recent.set(key, weight, weight)
        let held = 0
        for (let each = 0; each <= 8; each++) held += recent.get(each) ?? 0
        assert.ok(held <= 12)
        if (!isDeleted) assert.equal(recent.get(key), weight)
      }
    }),
  )
})
