import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entryPointsFault } from './entry-points.ts'

for (const text of [
  '',
  '# nothing\n; at all\n',
  '[console_scripts]\nacme = acme.cli:main\n',
  '[console_scripts]\r\nacme-2 = acme:Main.run [color]\r\n\r\n[ a group: with spaces ]\r\nb = b\r\n',
  '[g]\n  indented = a : b\n  naïve = naïve.café:x\n',
]) {
  test(`entryPointsFault() finds nothing in ${JSON.stringify(text)}`, () =>
    assert.equal(entryPointsFault(text), undefined))
}

for (const [text, says] of [
  ['a = b:c\n', 'line 1 stands before the first group'],
  ['\n[g\n', 'line 2 begins a group and does not end it'],
  ['[g]\nmain\n', 'line 2 is no "name = module:object"'],
  ['[g]\n= b\n', 'line 2 is no "name = module:object"'],
  ['[g]\na = b-c:d\n', 'line 2 names no "module:object"'],
  ['[g]\na = \n', 'line 2 names no "module:object"'],
] as const) {
  test(`entryPointsFault() finds what is wrong with ${JSON.stringify(text)}`, () =>
    assert.equal(entryPointsFault(text), says))
}
