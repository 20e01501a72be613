import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STORED_TEXT_BYTES, STORED_TEXT_DEPTH, storedTextFault } from './stored-text.ts'

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

test('storedTextFault() passes texts up to the bounds, and names what is beyond', () => {
  assert.equal(storedTextFault({}), undefined)
  assert.equal(storedTextFault({ title: 'T', custom_data: nested(STORED_TEXT_DEPTH) }), undefined)
  assert.match(
    storedTextFault({ custom_data: nested(STORED_TEXT_DEPTH + 1) })!,
    /^custom_data is nested deeper than 32/,
  )
  const frame = JSON.stringify({ title: '' }).length
  assert.equal(storedTextFault({ title: 'x'.repeat(STORED_TEXT_BYTES - frame) }), undefined)
  assert.match(storedTextFault({ title: 'x'.repeat(STORED_TEXT_BYTES - frame + 1) })!, /^65537 bytes in title/)
})

test('storedTextFault() counts all texts together, in bytes', () => {
  const half = 'x'.repeat(STORED_TEXT_BYTES / 2)
  assert.match(storedTextFault({ title: half, description: half })!, /bytes in title, description,/)
  assert.match(storedTextFault({ email: 'é'.repeat(STORED_TEXT_BYTES / 2) })!, /bytes in email,/)
})
