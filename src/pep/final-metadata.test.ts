import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFinal } from './final-metadata.ts'
import { parseMetadata } from './metadata.ts'

for (const [version, dynamic, expected] of [
  ['1.0', [], false],
  ['2.1', [], false],
  ['2.2', [], true],
  ['2.2', ['Description', 'Classifier'], true],
  ['2.2', ['Requires-Dist'], false],
  ['2.3', ['license', 'requires-dist'], false],
  ['2.4', ['REQUIRES-PYTHON'], false],
  ['2.4', ['Provides-Extra'], false],
  ['2.5', ['Version'], false],
  ['2.10', [], true],
] as const) {
  test(`isFinal() is ${expected} of metadata ${version}${dynamic.map((name) => `, dynamic ${name}`).join('')}`, () => {
    const lines = [
      `Metadata-Version: ${version}`,
      'Name: acme',
      'Version: 1',
      ...dynamic.map((name) => `Dynamic: ${name}`),
    ]
    assert.equal(isFinal(parseMetadata(Buffer.from(`${lines.join('\n')}\n`))), expected)
  })
}
