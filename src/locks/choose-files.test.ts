import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import { chooseFiles } from './choose-files.ts'
import type { Hash, WantedRelease } from './wanted.ts'

const ACME = projectName('acme')
const hash = (letter: string, algorithm = 'sha256'): Hash => ({ algorithm, hex: letter.repeat(4) })

function file(filename: string, more: Partial<DistributionFile> = {}): DistributionFile {
  return { filename, url: `http://x.example/${filename}`, hashes: {}, ...more }
}

const page = (...files: DistributionFile[]): ProjectDetail => ({ name: ACME, files, versions: [] })
const PAGE = page(
  file('acme-1.0-py3-none-any.whl', { hashes: { sha256: 'aaaa' } }),
  file('acme-1.0.tar.gz', { hashes: { sha256: 'bbbb' } }),
  file('acme-1.9.tar.gz'),
  file('acme-1.10.tar.gz'),
  file('acme-1.11.tar.gz', { yanked: 'broken' }),
  file('acme-2.0rc1.tar.gz'),
  file('unrelated-9.tar.gz'),
)

function choose(wanted: Partial<WantedRelease>, from = PAGE, onlyWheels = false) {
  const { files, missing, newest } = chooseFiles({ project: ACME, specifier: '', files: [], ...wanted }, from, {
    onlyWheels,
  })
  return {
    files: files.map((each) => each.file.filename),
    unchecked: files.flatMap((each) => each.unchecked.map(({ hex }) => hex)),
    missing: missing.map((each) => `${each.filename ?? each.version ?? ''}: ${each.reason}`),
    newest,
  }
}

const pin = (version: string) => ({ specifier: `==${version}`, version })
const BOTH = ['acme-1.0-py3-none-any.whl', 'acme-1.0.tar.gz']

test('chooseFiles() takes all files of a pinned version, however it is spelt', () => {
  for (const version of ['1.0', '1', '1.0.0', 'v1.0']) assert.deepEqual(choose(pin(version)).files, BOTH)
  assert.deepEqual(choose(pin('1.11')).files, ['acme-1.11.tar.gz'])
  assert.deepEqual(choose(pin('3')), {
    files: [],
    unchecked: [],
    missing: ['3: the index lists no file of this version'],
    newest: undefined,
  })
})

test('chooseFiles() leaves out sdists where wheels are enough, and only there', () => {
  assert.deepEqual(choose(pin('1.0'), PAGE, true).files, ['acme-1.0-py3-none-any.whl'])
  assert.deepEqual(choose(pin('1.9'), PAGE, true).files, ['acme-1.9.tar.gz'])
  assert.deepEqual(choose({ ...pin('1.0'), files: [{ filename: 'acme-1.0.tar.gz' }] }, PAGE, true).files, [
    'acme-1.0.tar.gz',
  ])
})

for (const [specifier, newest, why] of [
  ['', '1.10', 'by PEP 440, without yanked files and pre-releases'],
  ['<1.10', '1.9', 'that matches'],
  ['>=2.0rc1', '2.0rc1', 'a pre-release where one is asked for'],
  ['>1.11', '2.0rc1', 'a pre-release where there is nothing else'],
  ['==1.*', '1.10', 'of a series'],
] as const) {
  test(`chooseFiles() takes the newest version for "${specifier}": ${why}`, () => {
    const chosen = choose({ specifier })
    assert.deepEqual([chosen.newest, chosen.files], [newest, [`acme-${newest}.tar.gz`]])
  })
}

test('chooseFiles() takes pre-releases where all are admitted', () => {
  assert.equal(choose({ admitsPrereleases: true }).newest, '2.0rc1')
})

test('chooseFiles() says what matches nothing, or contradicts itself', () => {
  assert.deepEqual(choose({ specifier: '>5' }).missing, [': the index lists no version that matches ">5"'])
  assert.deepEqual(choose({}, page()).missing, [': the index lists no version'])
  assert.deepEqual(choose({ specifier: '==1.0,<1', version: '1.0' }).missing, [
    '1.0: the requirement contradicts itself: "==1.0,<1"',
  ])
})

test('chooseFiles() takes the files that are named, and tells those that are not there or are others', () => {
  const chosen = choose({
    ...pin('1.0'),
    files: [
      { filename: 'acme-1.0.tar.gz', hash: hash('b') },
      { filename: 'acme-1.0-py3-none-any.whl', hash: hash('f') },
      { filename: 'acme-1.0-cp39-cp39-win32.whl', hash: hash('c') },
    ],
  })
  assert.deepEqual(chosen.files, ['acme-1.0.tar.gz'])
  assert.deepEqual(chosen.missing, [
    'acme-1.0-py3-none-any.whl: the index lists it with sha256:aaaa, and sha256:ffff is wanted',
    'acme-1.0-cp39-cp39-win32.whl: the index does not list it',
  ])
})

test('chooseFiles() takes files by hash alone', () => {
  const chosen = choose({ ...pin('1.0'), files: [{ hash: hash('a') }, { hash: hash('d') }] })
  assert.deepEqual(chosen.files, ['acme-1.0-py3-none-any.whl'])
  assert.deepEqual(chosen.missing, ['1.0: the index lists no file with sha256:dddd'])
})

test('chooseFiles() leaves to the bytes what the page cannot tell', () => {
  const named = choose({ ...pin('1.9'), files: [{ filename: 'acme-1.9.tar.gz', hash: hash('e') }] })
  assert.deepEqual([named.files, named.unchecked, named.missing], [['acme-1.9.tar.gz'], ['eeee'], []])
  const byHash = choose({ ...pin('1.0'), files: [{ hash: hash('e', 'sha512') }] })
  assert.deepEqual([byHash.files, byHash.unchecked, byHash.missing], [BOTH, ['eeee', 'eeee'], []])
})
