import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readableJson } from './readable-json.ts'

test('readableJson() writes the outer levels as JSON.stringify with two spaces does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      assert.equal(readableJson(value), JSON.stringify(value, null, 2))
    }),
  )
})

test('readableJson() writes any value so that it is read as the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 12 }), (value) => {
      assert.deepEqual(JSON.parse(readableJson(value)), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('readableJson() leaves out of objects what is undefined, and asks toJSON', () => {
  const day = new Date(0)
  assert.equal(readableJson({ a: undefined, b: [undefined], c: day }), JSON.stringify({ b: [null], c: day }, null, 2))
})

test('readableJson() does not grow with depth', () => {
  const text = '['.repeat(2000) + ']'.repeat(2000)
  assert.ok(readableJson(JSON.parse(text)).length < text.length + 200)
})
