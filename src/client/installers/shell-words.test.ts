import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shellWords } from './shell-words.ts'

test('shellWords() splits as a POSIX shell does', () => {
  const rows = [
    ['', []],
    ['  -c  other.ini ', ['-c', 'other.ini']],
    [`-e py -- -k 'a and b'`, ['-e', 'py', '--', '-k', 'a and b']],
    [`a"b c"'d'`, ['ab cd']],
    ['"" x', ['', 'x']],
    ['a\\ b', ['a b']],
    [`"say \\"hi\\" \\n"`, ['say "hi" \\n']],
    [`'a\\b'`, ['a\\b']],
    ['"open', undefined],
    ["it's", undefined],
    ['end\\', undefined],
  ] as const
  for (const [text, expected] of rows) assert.deepEqual(shellWords(text), expected, text)
})
