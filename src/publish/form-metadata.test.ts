import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formMetadata } from './form-metadata.ts'

for (const [what, fields, expected] of [
  ['a text', [['summary', ['Things']]], { summary: 'Things' }],
  ['the first of a text sent twice', [['summary', ['One', 'Two']]], { summary: 'One' }],
  ['a list', [['classifiers', ['A', 'B']]], { classifiers: ['A', 'B'] }],
  ['a list of one', [['requires_dist', ['acme']]], { requires_dist: ['acme'] }],
  [
    'UNKNOWN as empty',
    [
      ['author', ['UNKNOWN']],
      ['platform', ['UNKNOWN']],
    ],
    { author: '', platform: [] },
  ],
  [
    'nothing of a list of empty texts',
    [
      ['keywords', ['']],
      ['platform', ['', '']],
    ],
    { keywords: '', platform: [] },
  ],
  [
    'the other names of two fields',
    [
      ['provides_extra', ['x']],
      ['license_files', ['L']],
    ],
    { provides_extras: ['x'], license_file: ['L'] },
  ],
  [
    'no field that is no metadata',
    [
      [':action', ['file_upload']],
      ['sha256_digest', ['a']],
      ['content', ['x']],
      ['__proto__', ['x']],
      ['constructor', ['x']],
    ],
    {},
  ],
] as const satisfies readonly (readonly [string, readonly (readonly [string, readonly string[]])[], object])[]) {
  test(`formMetadata() takes ${what}`, () => {
    assert.deepEqual(
      formMetadata(new Map<string, readonly string[]>(fields as Iterable<[string, readonly string[]]>)),
      expected,
    )
  })
}
