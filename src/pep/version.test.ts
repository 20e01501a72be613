import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asVersion, compareVersions, isPrerelease, isSpecifier, satisfies, version } from './version.ts'

const versionText = fc
  .record({
    epoch: fc.option(fc.nat(3)),
    release: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
    pre: fc.option(fc.tuple(fc.constantFrom('a', 'b', 'rc', '-alpha', '.pre', 'c'), fc.nat(2))),
    post: fc.option(fc.nat(2)),
    dev: fc.option(fc.nat(2)),
    local: fc.option(
      fc.array(fc.constantFrom('1', '2', '10', 'a', 'ubuntu', '1e5', '0x1f'), { minLength: 1, maxLength: 3 }),
    ),
  })
  .map(
    ({ epoch, release, pre, post, dev, local }) =>
      `${epoch === null ? '' : `${epoch}!`}${release.join('.')}${pre?.join('') ?? ''}${post === null ? '' : `.post${post}`}${dev === null ? '' : `.dev${dev}`}${local ? `+${local.join('.')}` : ''}`,
  )
const anyText = fc.oneof(versionText, fc.string(), fc.constantFrom('2004d', '1.0-final', 'dev', '', '1.0.0'))

test('version() normalizes as PEP 440 "Normalization" says', () => {
  const rows: [string, string][] = [
    ['1.1RC1', '1.1rc1'],
    ['00', '0'],
    ['09000', '9000'],
    ['1.0+ubuntu-1', '1.0+ubuntu.1'],
    ['1.1.a1', '1.1a1'],
    ['1.1-a1', '1.1a1'],
    ['1.1a.1', '1.1a1'],
    ['1.1alpha1', '1.1a1'],
    ['1.1beta2', '1.1b2'],
    ['1.1c3', '1.1rc3'],
    ['1.1pre3', '1.1rc3'],
    ['1.1preview3', '1.1rc3'],
    ['1.2a', '1.2a0'],
    ['1.2-post2', '1.2.post2'],
    ['1.2post2', '1.2.post2'],
    ['1.2.post-2', '1.2.post2'],
    ['1.0-r4', '1.0.post4'],
    ['1.0-rev4', '1.0.post4'],
    ['1.2.post', '1.2.post0'],
    ['1.0-1', '1.0.post1'],
    ['1.2-dev2', '1.2.dev2'],
    ['1.2dev2', '1.2.dev2'],
    ['1.0.dev', '1.0.dev0'],
    ['v1.0', '1.0'],
    [' 1.0\n', '1.0'],
    ['1.0-alpha1', '1.0a1'],
    ['1!1.0', '1!1.0'],
    ['0!1.0', '1.0'],
    ['1.0.0', '1.0.0'],
    ['1.0+UBUNTU_01', '1.0+ubuntu.1'],
  ]
  for (const [written, canonical] of rows) assert.equal(version(written), canonical, written)
})

test('version() keeps digits that a float would lose, and letters that look like numbers', () => {
  for (const text of [
    '1.0.dev20261122162038123456789',
    '1.0+1e5',
    '1.0+0x1f',
    '1.0+7e123456',
    '99999999999999999999999.1',
  ]) {
    assert.equal(version(text), text)
  }
  assert.ok(compareVersions('1.0.dev20261122162038123456789', '1.0.dev20261122162038123456788') > 0)
})

test('version() refuses what PEP 440 does not define', () => {
  for (const text of [
    '',
    '1.0-',
    '1.0.*',
    '2004d',
    '1.0-final',
    '1..0',
    '1.0+',
    '1.0+a+b',
    '1.0_1',
    'vv1',
    '٣.1',
    '1'.repeat(256),
  ]) {
    assert.throws(() => version(text), SyntaxError, text)
    assert.equal(asVersion(text), undefined, text)
  }
  assert.throws(() => version('1.x'), /^SyntaxError: Cannot read version "1\.x": write a PEP 440 version/)
})

test('compareVersions() orders as PEP 440 "Summary of permitted suffixes and relative ordering"', () => {
  const ordered = [
    'not-a-version',
    'older',
    '1.dev0',
    '1.0.dev456',
    '1.0a1',
    '1.0a2.dev456',
    '1.0a12.dev456',
    '1.0a12',
    '1.0b1.dev456',
    '1.0b2',
    '1.0b2.post345.dev456',
    '1.0b2.post345',
    '1.0rc1.dev456',
    '1.0rc1',
    '1.0',
    '1.0+abc.5',
    '1.0+abc.7',
    '1.0+5',
    '1.0+5.1',
    '1.0.post456.dev34',
    '1.0.post456',
    '1.0.15',
    '1.1.dev1',
    '2014.04',
    '1!1.0',
  ]
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries())
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ? ${b}`)
  }
})

test('compareVersions() takes different spellings of one version as equal', () => {
  for (const [a, b] of [
    ['1.0', '1.0.0'],
    ['1.0-1', '1.post1'],
    ['v1.0.RC1', '1rc1'],
    ['1.0+a_1', '1.0+A.1'],
  ]) {
    assert.equal(compareVersions(a!, b!), 0, `${a} ? ${b}`)
  }
})

test('compareVersions() is a total order over any texts', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (a, b, c) => {
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0)
      assert.equal(compareVersions(a, a), 0)
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0)
    }),
  )
})

test('version() is idempotent and keeps the place in the order', () => {
  fc.assert(
    fc.property(versionText, (text) => {
      const canonical = version(text)
      assert.equal(version(canonical), canonical)
      assert.equal(compareVersions(text, canonical), 0)
    }),
  )
})

test('isPrerelease() sees pre-releases and development releases only', () => {
  for (const text of ['1.0a1', '1.0rc1', '1.0.dev0', '1.0.post1.dev2', '1.0a1.post1'])
    assert.equal(isPrerelease(text), true, text)
  for (const text of ['1.0', '1.0.post1', '1.0+dev', 'dev', '2004d']) assert.equal(isPrerelease(text), false, text)
})

test('satisfies() follows PEP 440 "Version specifiers"', () => {
  const rows: [specifier: string, matching: string[], others: string[]][] = [
    ['', ['1.0', '1.0a1', 'anything'], []],
    ['~=2.2', ['2.2', '2.3', '2.2.post3', '2.99'], ['2.1', '3.0', '2.2rc1', '1!2.2']],
    ['~=1.4.5', ['1.4.5', '1.4.6'], ['1.5', '1.4.4']],
    ['~=2.2.post3', ['2.2.post3', '2.3'], ['2.2', '3']],
    ['~=1.4.5a4', ['1.4.5a4', '1.4.9'], ['1.4.5a3', '1.5']],
    ['==1.1', ['1.1', '1.1.0', '1.1+local'], ['1.1.post1', '1.1a1', '1.1.dev1']],
    ['==1.1.post1', ['1.1.post1', '1.1-1'], ['1.1']],
    ['==1.1.*', ['1.1', '1.1.post1', '1.1a1', '1.1.9', '1.1.dev1'], ['1.10', '1', '1!1.1']],
    ['==1.0.*', ['1', '1.0', '1.0.4'], ['1.1']],
    ['==1.0+abc', ['1.0+abc', '1.0+ABC'], ['1.0', '1.0+abd']],
    ['!=1.1', ['1.1.post1', '1.2'], ['1.1', '1.1.0', '1.1+x']],
    ['!=1.1.*', ['1.2', '1.10'], ['1.1', '1.1.post1']],
    ['>1.7', ['1.7.1', '1.8', '1.8a1'], ['1.7.0.post1', '1.7', '1.7+x']],
    ['>1.7.post2', ['1.7.1', '1.7.post3'], ['1.7', '1.7.post2', '1.7.post2+x']],
    ['<3.1', ['3.0', '3.0rc1'], ['3.1', '3.1.dev0', '3.1rc1']],
    ['<3.1rc2', ['3.1rc1', '3.1.dev0', '3.0'], ['3.1rc2', '3.1']],
    ['>=1.0,<2', ['1.0', '1.9'], ['2', '0.9', '2.0a1']],
    ['>=3.6,', ['3.6'], ['3.5']],
    ['>=2.7, !=3.0.*, !=3.1.*', ['2.7', '3.2'], ['3.0.1', '3.1', '2.6']],
    ['===2004D', ['2004d'], ['2004']],
    ['<=1.0', ['1.0', '1.0+x', '1.0a1'], ['1.0.post1']],
  ]
  for (const [specifier, matching, others] of rows) {
    for (const text of matching) assert.equal(satisfies(text, specifier), true, `${text} in ${specifier}`)
    for (const text of others) assert.equal(satisfies(text, specifier), false, `${text} in ${specifier}`)
  }
})

test('isSpecifier() refuses what cannot be asked for, and satisfies() throws on it', () => {
  for (const text of ['>=3.6', '', '>=3,<4', '==3.*', '=== anything', '~=1.0', '>= 3.6 , < 4'])
    assert.equal(isSpecifier(text), true, text)
  for (const text of ['3.6', '>=3.*', '~=1', '=>3', '>=1.0+x', '>=', '==1.0a1.*', '==1.0+x.*', '>=3 <4', '^1', '==*']) {
    assert.equal(isSpecifier(text), false, text)
    assert.throws(() => satisfies('1.0', text), SyntaxError, text)
  }
})

test('satisfies() and isSpecifier() end with nothing but their documented error on any text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, specifier) => {
      if (isSpecifier(specifier)) satisfies(text, specifier)
      else assert.throws(() => satisfies(text, specifier), SyntaxError)
    }),
  )
})
