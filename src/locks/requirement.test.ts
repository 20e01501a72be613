import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequirement } from './requirement.ts'

test('readRequirement() admits the versions asked for, pre-releases among them', () => {
  const rows = [
    ['pytest', '1.0', true],
    ['pytest', '2.0rc1', true],
    ['pytest>=2.3.5', '2.3.4', false],
    ['pytest >= 2.3.5', '3.0rc1', true],
    ['pytest (>=2,<3)', '2.5', true],
    ['pytest[extra]==2.*', '2.9', true],
    ['pytest==2.*', '3.0', false],
  ] as const
  for (const [text, version, expected] of rows) assert.equal(readRequirement(text)?.admits(version), expected, text)
})

test('readRequirement() is undefined for text that names no project', () => {
  for (const text of ['', '>=1', 'a b', 'a==', 'a/b', '-x', 'a @ http://h/a.whl']) {
    assert.equal(readRequirement(text), undefined, text)
  }
})
