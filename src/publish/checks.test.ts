import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../lib/digest.ts'
import type { CoreMetadata } from '../pep/metadata.ts'
import { projectName } from '../pep/name.ts'
import { CHECKS, type Upload } from './checks.ts'

const metadata = (fields: Record<string, string>): CoreMetadata =>
  ({ name: fields.name ?? 'acme', version: fields.version ?? '1.0', fields }) as unknown as CoreMetadata

const GOOD: Upload = {
  name: 'acme',
  project: projectName('acme'),
  version: '1.0',
  filename: 'acme-1.0-py3-none-any.whl',
  fields: new Map([
    ['sha256_digest', [digestOf('x')]],
    ['requires_python', ['>=3.8, <4']],
  ]),
  sizeBytes: 1,
  digest: digestOf('x'),
  md5: '9dd4e461268c8034f5c8564e155c67a6',
  metadata: metadata({ requires_python: '>=3.8,<4' }),
}

const refusals = (upload: Upload) =>
  CHECKS.flatMap(({ fault, code }) => {
    const message = fault(upload)
    return message === undefined ? [] : [{ code, message }]
  })
const withFields = (fields: Record<string, string>, more: Partial<Upload> = {}): Upload => ({
  ...GOOD,
  ...more,
  fields: new Map(Object.entries(fields).map(([key, value]) => [key, [value]])),
})
function without<Key extends keyof Upload>(key: Key): Omit<Upload, Key> {
  const { [key]: _, ...rest } = GOOD
  return rest
}

test('CHECKS say nothing of a good upload', () => {
  assert.deepEqual(refusals(GOOD), [])
})

for (const [what, upload] of [
  [
    'written with another case and separators',
    { ...GOOD, name: 'ACME', metadata: metadata({ name: 'aCmE', requires_python: '>=3.8,<4' }) },
  ],
  ['whose version is written in another way', { ...GOOD, version: '1.0.0', filename: 'acme-1.0.0-py3-none-any.whl' }],
  [
    'of a local version',
    {
      ...GOOD,
      version: '1.0+a.1',
      filename: 'acme-1.0+a.1-py3-none-any.whl',
      metadata: metadata({ version: '1.0+a.1', requires_python: '>=3.8,<4' }),
    },
  ],
  [
    'with escaped local version',
    {
      ...GOOD,
      version: '1.0+a.1',
      filename: 'acme-1.0_a.1-py3-none-any.whl',
      metadata: metadata({ version: '1.0+a.1', requires_python: '>=3.8,<4' }),
    },
  ],
  ['that is an sdist', { ...GOOD, filename: 'acme-1.0.tar.gz' }],
  ['with an empty digest field', withFields({ sha256_digest: '', md5_digest: '' })],
  ['with a digest in capitals', withFields({ sha256_digest: digestOf('x').toUpperCase() })],
  ['with the right md5', withFields({ md5_digest: GOOD.md5! })],
  ['whose form leaves requires_python out', withFields({})],
  [
    'without metadata that could be read',
    { ...withFields({ requires_python: '>=2' }), ...without('metadata'), fields: new Map() },
  ],
] as const) {
  test(`CHECKS say nothing of an upload ${what}`, () => {
    assert.deepEqual(refusals(upload as Upload), [])
  })
}

for (const [what, upload, code, message] of [
  [
    'a name that is no archive',
    { ...GOOD, filename: 'acme-1.0.txt' },
    'file-invalid',
    "'acme-1.0.txt' is not a valid archive name",
  ],
  [
    'a path',
    { ...GOOD, filename: '../acme-1.0-py3-none-any.whl' },
    'file-invalid',
    "'../acme-1.0-py3-none-any.whl' is not a valid archive name",
  ],
  ['an empty file', { ...GOOD, sizeBytes: 0 }, 'file-invalid', "file 'acme-1.0-py3-none-any.whl' is empty"],
  [
    'a filename of another version',
    { ...GOOD, filename: 'acme-2.0-py3-none-any.whl' },
    'file-invalid',
    "filename 'acme-2.0-py3-none-any.whl' does not contain version '1.0'",
  ],
  [
    'a filename of another project',
    { ...GOOD, filename: 'other-1.0-py3-none-any.whl' },
    'file-invalid',
    "filename 'other-1.0-py3-none-any.whl' does not match project name 'acme'",
  ],
  [
    'another sha256',
    withFields({ sha256_digest: 'a'.repeat(64) }),
    'digest-differs',
    `sha256 of the file is ${GOOD.digest}, the form declares ${'a'.repeat(64)}`,
  ],
  [
    'a sha256 that is none',
    withFields({ sha256_digest: 'nonsense' }),
    'digest-differs',
    `sha256 of the file is ${GOOD.digest}, the form declares nonsense`,
  ],
  [
    'another md5',
    withFields({ md5_digest: 'a'.repeat(32) }),
    'digest-differs',
    `md5 of the file is ${GOOD.md5}, the form declares ${'a'.repeat(32)}`,
  ],
  [
    'metadata of another project',
    { ...GOOD, metadata: metadata({ name: 'other', requires_python: '>=3.8,<4' }) },
    'metadata-invalid',
    "invalid metadata: the archive says name 'other', the form 'acme'",
  ],
  [
    'metadata of another version',
    { ...GOOD, metadata: metadata({ version: '9', requires_python: '>=3.8,<4' }) },
    'metadata-invalid',
    "invalid metadata: the archive says version '9', the form '1.0'",
  ],
  [
    'another requires_python in the form',
    withFields({ requires_python: '>=99' }),
    'metadata-invalid',
    "invalid metadata: the archive says requires_python '>=3.8,<4', the form '>=99'",
  ],
  [
    'a requires_python that is none',
    withFields({}, { metadata: metadata({ requires_python: 'three' }) }),
    'metadata-invalid',
    "invalid metadata: requires_python 'three' is not a version specifier",
  ],
] as const) {
  test(`CHECKS refuse ${what}, and say nothing else`, () => {
    assert.deepEqual(refusals(upload as Upload), [{ code, message }])
  })
}

test('CHECKS tell all that is wrong', () => {
  const bad = withFields({ sha256_digest: 'a'.repeat(64), md5_digest: 'b'.repeat(32) }, { sizeBytes: 0 })
  assert.equal(refusals(bad).length, 3)
})
