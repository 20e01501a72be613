import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../model/errors.ts'
import { LIMITS } from '../../model/limits.ts'
import { readAskedToken } from './asked-token.ts'

const NOW = new Date('2026-01-02T03:04:05Z')

test('readAskedToken() takes what is left out for reading and uploading, everywhere, for ever', () => {
  assert.deepEqual(readAskedToken({}, NOW, LIMITS), { note: '', actions: ['read', 'upload'] })
})

test('readAskedToken() reads scopes, each name once and normalized, and either form of an end', () => {
  const fields = {
    note: 'CI',
    actions: ['delete'],
    indexes: ['a/b', '/a/b/'],
    projects: ['A.b', 'a-b'],
    expires_in: 60,
  }
  assert.deepEqual(readAskedToken(fields, NOW, LIMITS), {
    note: 'CI',
    actions: ['delete'],
    indexes: ['a/b'],
    projects: ['a-b'],
    expiresMs: NOW.getTime() + 60_000,
  })
  const expires = '2026-01-02T03:04:06Z'
  assert.equal(readAskedToken({ expires }, NOW, LIMITS).expiresMs, NOW.getTime() + 1000)
})

for (const [what, fields] of [
  ['an unknown key', { scope: 'all' }],
  ['no list', { indexes: 'alice/dev' }],
  ['an empty list', { projects: [] }],
  ['no actions', { actions: [] }],
  ['a list that is too long', { projects: Array.from({ length: 1001 }, (_, each) => `p${each}`) }],
  ['an index of the wrong form', { indexes: ['dev'] }],
  ['an unknown action', { actions: ['admin'] }],
  ['a bad project', { projects: ['-'] }],
  ['a project that is no text', { projects: [7] }],
  ['an end that has passed', { expires: '2020-01-01T00:00:00Z' }],
  ['no time', { expires: 'soon' }],
  ['a span below one second', { expires_in: 0 }],
  ['a span that is no number', { expires_in: '60' }],
  ['two ends', { expires_in: 5, expires: '2099-01-01T00:00:00Z' }],
  ['a note of two lines', { note: 'a\nb' }],
] as const) {
  test(`readAskedToken() refuses ${what}`, () => {
    assert.throws(
      () => readAskedToken(fields, NOW, LIMITS),
      (error: Problem) => error.code === 'bad-request' && error.message.startsWith('Cannot create a token: '),
    )
  })
}
