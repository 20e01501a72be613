import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asConfig, parseKeyValues } from './key-values.ts'

test('parseKeyValues() takes words apart at the first equal sign', () => {
  const rows = [
    ['bases=root/pypi', 'bases', '=', 'root/pypi'],
    ['acl_upload+=bob', 'acl_upload', '+=', 'bob'],
    ['bases-=root/pypi', 'bases', '-=', 'root/pypi'],
    ['title=', 'title', '=', ''],
    ['title=a=b', 'title', '=', 'a=b'],
    ['mirror_url=http://h/?a=b', 'mirror_url', '=', 'http://h/?a=b'],
    ['a-b=c', 'a-b', '=', 'c'],
    ['title=two\nlines', 'title', '=', 'two\nlines'],
  ] as const
  for (const [text, key, operation, value] of rows) {
    assert.deepEqual(parseKeyValues([text]), [{ text, key, operation, value }])
  }
})

test('parseKeyValues() refuses all words when one has no key or no equal sign', () => {
  for (const words of [['volatile'], ['a=b', 'c'], ['=x'], ['']]) assert.equal(parseKeyValues(words), undefined)
})

test('asConfig() lets the last word for a key win', () => {
  assert.deepEqual(asConfig(parseKeyValues(['a=1', 'b=2', 'a=3'])!), { a: '3', b: '2' })
})
