import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBoundedJson } from './bounded-json.ts'

const SMALL = { depth: 3, values: 7 }

for (const [text, expected] of [
  ['[[[]]]', undefined],
  ['[[[[]]]]', /nested deeper than 3 levels/],
  ['{"a":{"b":[1]}}', undefined],
  ['{"a":{"b":[{}]}}', /nested deeper/],
  ['["[[[[[[[[", "\\"[[[[[[[", "\\\\"]', undefined],
  ['["\\\\", [[[1]]]]', /nested deeper/],
  ['[1,2,3,4,5,6]', undefined],
  ['[1,2,3,4,5,6,7]', /more than 7 values/],
  ['[{},{},{}]', undefined],
  ['[{},{},{},{}]', /more than 7 values/],
  ['[[[[', /nested deeper/],
  ['["', /JSON/],
  ['', /JSON/],
] as const) {
  test(`parseBoundedJson() of ${text}: ${expected ?? 'read'}`, () => {
    if (expected === undefined) assert.deepEqual(parseBoundedJson(text, SMALL), JSON.parse(text))
    else assert.throws(() => parseBoundedJson(text, SMALL), { name: 'SyntaxError', message: expected })
  })
}

test('parseBoundedJson() gives what JSON.parse gives for any value within the bounds', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value)
      assert.deepEqual(parseBoundedJson(text), JSON.parse(text))
    }),
  )
})
