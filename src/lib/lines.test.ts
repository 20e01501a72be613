import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesOf } from './lines.ts'

test('linesOf() gives what split() at every kind of line end gives', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '\r', '\n', '\u2028'), maxLength: 30 }), (text) => {
      assert.deepEqual([...linesOf(text)], text.split(/\r\n|\r|\n/))
    }),
  )
})
