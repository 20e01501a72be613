import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRecord } from './wheel-record.ts'

test('parseRecord() reads rows with and without quotes, hash and size', () => {
  assert.deepEqual(parseRecord('a.py,sha256=Ab-_9,12\r\n"b,""c"".py",sha256=x=,0\nd/RECORD,,\n'), [
    { path: 'a.py', hash: 'sha256=Ab-_9', size: '12' },
    { path: 'b,"c".py', hash: 'sha256=x=', size: '0' },
    { path: 'd/RECORD', hash: '', size: '' },
  ])
  assert.deepEqual(parseRecord(''), [])
})

for (const [text, says] of [
  ['a.py\n', 'line 1 is no path, hash and size'],
  ['a,,\nb,,,\n', 'line 2 is no path, hash and size'],
  ['"a,,\n', 'line 1 is no path, hash and size'],
  ['a,sha256:x,\n', 'line 1 has no hash as RECORD writes it'],
  ['a,sha256=x,-1\n', 'line 1 has no size in bytes'],
] as const) {
  test(`parseRecord() tells what is wrong with ${JSON.stringify(text)}`, () => assert.equal(parseRecord(text), says))
}
