import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRequirement } from './requirement.ts'

for (const text of [
  'a',
  'A.B-C_d',
  'requests [security,tests] >= 2.8.1, == 2.8.* ; python_version < "2.7"',
  'name@http://foo.com',
  'pip @ https://localhost/pip-1.3.1.zip#sha1=da9234ee9982d4bbb3c72346a6de940a148ea686',
  'name @ http://foo.com ; (os_name=="b" or os_name=="c") and extra=="d"',
  'foo (>=1.0,<2)',
  'foo (>=1.0,)',
  'foo ()',
  'foo[] ~=1.0',
  'foo===1.0+anything',
  "foo; 'win' in sys_platform",
  "foo; sys_platform not in 'win32, cygwin'",
  "foo; python_version >= '3.8' and (extra == 'a' or extra == 'b')",
  "foo; os.name == 'nt'",
  "foo;python_version<'3'",
]) {
  test(`isRequirement() takes ${text}`, () => assert.equal(isRequirement(text), true))
}

for (const text of [
  '',
  '-a',
  'a b',
  'a >= one',
  'a [b',
  'a [b c]',
  'a (>=1.0',
  'a @',
  'a @ http://localhost ; os_name',
  'a;',
  'a; os_name',
  "a; os_name = 'b'",
  "a; os_nam == 'b'",
  "a; os_name == 'b' and",
  "a; os_name == 'b' os_name == 'c'",
  "a; (os_name == 'b'",
  "a; os_name == 'b')",
  "a; os_name == 'b",
  `a; ${'('.repeat(1000)}os_name == 'b'${')'.repeat(1000)}`,
  'a'.repeat(20_000),
]) {
  test(`isRequirement() refuses ${text.slice(0, 40)}`, () => assert.equal(isRequirement(text), false))
}

test('isRequirement() ends for any text', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof isRequirement(`a; ${text}`) === 'boolean'))
})
