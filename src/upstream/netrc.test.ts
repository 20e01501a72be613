import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNetrc } from './netrc.ts'

for (const [what, text, expected] of [
  ['one line', 'machine a.example login me password pw', { 'a.example': ['me', 'pw'] }],
  [
    'many lines',
    'machine a.example\n  login me\n  password pw\nmachine b.example login b password c\n',
    { 'a.example': ['me', 'pw'], 'b.example': ['b', 'c'] },
  ],
  ['the first of a host', 'machine a.example password 1\nmachine A.example password 2', { 'a.example': ['', '1'] }],
  ['no password', 'machine a.example login me', {}],
  ['no default', 'default login me password pw', {}],
  ['quotes', 'machine a.example login "me too" password "a \\"b\\" c"', { 'a.example': ['me too', 'a "b" c'] }],
  [
    'comments, and passwords with the sign',
    '# machine x.example password 1\nmachine a.example login me password #pw',
    { 'a.example': ['me', '#pw'] },
  ],
  ['accounts', 'machine a.example login me account machine password pw', { 'a.example': ['me', 'pw'] }],
  ['macros', 'macdef init\nmachine x.example password 1\n\nmachine a.example password pw', { 'a.example': ['', 'pw'] }],
  [
    'a macro to the end',
    'machine a.example password pw\nmacdef init\nmachine x.example password 1',
    { 'a.example': ['', 'pw'] },
  ],
  ['nothing', '', {}],
  ['nonsense', 'machine', {}],
] as const) {
  test(`readNetrc() of ${what}`, () => {
    const found = Object.fromEntries(
      [...readNetrc(text)].map(([host, { login, password }]) => [host, [login, password]]),
    )
    assert.deepEqual(found, expected)
  })
}
