import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from './errors.ts'
import { indexName, indexPart, parseIndexName, userName, userOf } from './names.ts'

/** devpi's rule: any ASCII symbol besides `-.@_` is blocked, everything beyond ASCII is allowed. */
for (const name of [
  'a',
  'A',
  '0',
  'alice',
  'a.b',
  'a-b',
  'a_b',
  'a@b',
  '-a',
  '.a',
  '_',
  'ü',
  '日本語',
  '🐍',
  'a'.repeat(128),
]) {
  test(`userName() takes ${name.slice(0, 20)}`, () => {
    assert.equal(userName(name), name)
    assert.equal(indexPart(name), name)
  })
}

for (const name of [
  '',
  '.',
  '..',
  ' ',
  'a b',
  'a'.repeat(129),
  '\0',
  'a\n',
  '\x7f',
  '\u0085',
  ...'!"#$%&\'()*+,/:;<=>?[\\]^`{|}~',
].map(String)) {
  test(`userName() refuses ${JSON.stringify(name.slice(0, 20))}`, () => {
    for (const [check, what] of [
      [userName, 'username'],
      [indexPart, 'indexname'],
    ] as const) {
      assert.throws(
        () => check(name),
        (error: Problem) => {
          assert.equal(error.code, 'name-invalid')
          assert.ok(error.message.startsWith(`${what} '`))
          assert.ok(
            error.message.endsWith(
              "' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.",
            ),
          )
          assert.ok(error.message.length < 300)
          return true
        },
      )
    }
  })
}

for (const [text, expected] of [
  ['alice/dev', 'alice/dev'],
  ['/alice/dev', 'alice/dev'],
  ['alice/dev/', 'alice/dev'],
  ['🐍/ü', '🐍/ü'],
  ['alice', undefined],
  ['', undefined],
  ['/', undefined],
  ['//', undefined],
  ['alice/', undefined],
  ['/dev', undefined],
  ['a/b/c', undefined],
  ['//a/b', undefined],
  ['a/+b', undefined],
  ['a/..', undefined],
  ['a b/c', undefined],
] as const) {
  test(`parseIndexName() of "${text}"`, () => {
    assert.equal(parseIndexName(text), expected)
  })
}

test('userOf() gives the first half of an index name', () => {
  assert.equal(userOf(indexName('alice', 'dev')), 'alice')
})
