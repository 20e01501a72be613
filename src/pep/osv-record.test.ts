import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageToken, readAdvisoryQuery } from './osv-query.ts'
import { fixedVersions, readAdvisory } from './osv-record.ts'

const RECORD = { id: 'PYSEC-2026-1', modified: '2026-01-01T00:00:00.123456Z' }
const about = (ecosystem: string, name: string, more = {}) => ({ package: { ecosystem, name }, ...more })

test('readAdvisory() keeps what is said of Python packages, by normalized name, and joins what is said of one twice', () => {
  const { packages, ...rest } = readAdvisory({
    ...RECORD,
    withdrawn: '2026-02-01T00:00:00Z',
    affected: [
      about('PyPI', 'Acme_Tools', { versions: ['1.0'] }),
      about('npm', 'acme', { versions: ['9'] }),
      about('pypi', 'acme.tools', { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2' }, { fixed: '2.1' }] }] }),
      about('PyPI', 'no project could be called so'),
      { ranges: [{ type: 'GIT', repo: 'https://example.org/x', events: [{ introduced: '0' }] }] },
    ],
  })
  assert.deepEqual(rest, { ...RECORD, withdrawn: '2026-02-01T00:00:00Z' })
  assert.deepEqual(
    packages.map(({ name, affected }) => [name, affected.length, fixedVersions(affected)]),
    [['acme-tools', 2, ['2.1']]],
  )
})

for (const [what, record, why] of [
  ['what is no object', [], /no JSON object/],
  ['a missing id', { ...RECORD, id: undefined }, /"id"/],
  ['an id that is no part of an address', { ...RECORD, id: '../etc' }, /"id"/],
  ['a time that is none', { ...RECORD, modified: 'yesterday' }, /"modified"/],
  ['a withdrawal without time', { ...RECORD, withdrawn: true }, /"withdrawn"/],
  ['affected that is no list', { ...RECORD, affected: {} }, /"affected"/],
  ['a package without name', { ...RECORD, affected: [{ package: { ecosystem: 'PyPI' } }] }, /no name/],
  ['versions that are no text', { ...RECORD, affected: [about('PyPI', 'a', { versions: [1] })] }, /"versions"/],
  [
    'a range without events',
    { ...RECORD, affected: [about('PyPI', 'a', { ranges: [{ type: 'ECOSYSTEM' }] })] },
    /"events"/,
  ],
  [
    'an event that is no text',
    { ...RECORD, affected: [about('PyPI', 'a', { ranges: [{ events: [{ fixed: 2 }] }] })] },
    /"fixed"/,
  ],
] as const) {
  test(`readAdvisory() refuses ${what}`, () => {
    assert.throws(
      () => readAdvisory(record),
      (error) => error instanceof SyntaxError && why.test(error.message),
    )
  })
}

for (const [query, expected] of [
  [{ package: { name: 'Acme_X', ecosystem: 'PyPI' } }, { project: 'acme-x' }],
  [
    { package: { name: 'acme', ecosystem: 'pypi', purl: '' }, version: '1.0', page_token: '' },
    { project: 'acme', version: '1.0' },
  ],
  [
    { package: { purl: 'pkg:pypi/Acme' }, version: '1.0' },
    { project: 'acme', version: '1.0' },
  ],
  [{ package: { purl: 'pkg:pypi/acme@1%2B2?a=b#c' } }, { project: 'acme', version: '1+2' }],
  [
    { package: { purl: 'pkg:pypi/acme@1!2.0+x' }, page_token: pageToken('A-1') },
    { project: 'acme', version: '1!2.0+x', after: 'A-1' },
  ],
  [
    { package: { name: 'acme', ecosystem: 'PyPI' }, page_token: pageToken('') },
    { project: 'acme', after: '' },
  ],
] as const) {
  test(`readAdvisoryQuery() reads ${JSON.stringify(query)}`, () => {
    assert.deepEqual(readAdvisoryQuery(query), expected)
  })
}

for (const query of [
  null,
  {},
  { package: 'acme' },
  { package: { name: 'acme' } },
  { package: { name: 'acme', ecosystem: 'npm' } },
  { package: { name: '-', ecosystem: 'PyPI' } },
  { package: { name: 'acme', ecosystem: 'PyPI', purl: 'pkg:pypi/acme' } },
  { package: { purl: 'pkg:npm/acme@1.0' } },
  { package: { purl: 'pkg:pypi/ns/acme@1.0' } },
  { package: { purl: 'pkg:pypi/acme@%zz' } },
  { package: { purl: 'pkg:pypi/acme@1.0' }, version: '1.0' },
  { package: { name: 'acme', ecosystem: 'PyPI' }, version: 1 },
  { package: { name: 'acme', ecosystem: 'PyPI' }, page_token: 'CAE' },
  { commit: 'aa', package: { name: 'acme', ecosystem: 'PyPI' } },
]) {
  test(`readAdvisoryQuery() refuses ${JSON.stringify(query)} instead of answering nothing`, () => {
    assert.throws(() => readAdvisoryQuery(query), SyntaxError)
  })
}
