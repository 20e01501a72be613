import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  asFilename,
  candidates,
  filename,
  fileTypeOf,
  matchesProject,
  matchesVersion,
  parseFilename,
  pythonTagOf,
  versionOf,
} from './filename.ts'
import { projectName } from './name.ts'

test('filename() takes the names that archives have', () => {
  for (const text of [
    'a-1.0.tar.gz',
    'torch-2.9.0+cu128-cp313-cp313-linux_x86_64.whl',
    'a-1!2.0.zip',
    'a 1~rc@x(1).zip',
  ]) {
    assert.equal(filename(text), text)
  }
})

test('filename() refuses what is unsafe as a file, in a header or in a URL', () => {
  const wrong = [
    '',
    '.',
    '..',
    '.hidden',
    'a/b',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\x7f',
    'é.whl',
    'a"b',
    'a<b',
    'a#b',
    'a?b',
    'a%2fb',
    'a ',
    'C:a',
  ]
  for (const text of [...wrong, 'a'.repeat(256)]) {
    assert.throws(() => filename(text), /^SyntaxError: Cannot use filename/, JSON.stringify(text))
    assert.equal(asFilename(text), undefined)
  }
  assert.equal(filename('a'.repeat(255)).length, 255)
})

test('parseFilename() reads wheels (PEP 427), also as producers should not write them', () => {
  const tags = { pythonTag: 'py3', abiTag: 'none', platformTag: 'any' }
  const rows: [string, unknown][] = [
    ['a-1.0-py3-none-any.whl', { kind: 'wheel', project: 'a', version: '1.0', ...tags }],
    [
      'Zope.Interface-1.0.RC1-py3-none-any.whl',
      { kind: 'wheel', project: 'zope-interface', version: '1.0.RC1', ...tags },
    ],
    ['a_b-1.0-2local-py3-none-any.whl', { kind: 'wheel', project: 'a-b', version: '1.0', build: '2local', ...tags }],
    ['a-1.0_1-py3-none-any.whl', { kind: 'wheel', project: 'a', version: '1.0-1', ...tags }],
    ['a-1.0+cu128-py3-none-any.WHL', { kind: 'wheel', project: 'a', version: '1.0+cu128', ...tags }],
    [
      'a-1.0-py3-none-any-x86_64_v3.whl',
      { kind: 'wheel', project: 'a', version: '1.0', ...tags, variant: 'x86_64_v3' },
    ],
    [
      'a-1.0-1-py3-none-any-null.whl',
      { kind: 'wheel', project: 'a', version: '1.0', build: '1', ...tags, variant: 'null' },
    ],
    ['a-1.0-py3-none-any-x-y.whl', { kind: 'other', extension: 'whl' }],
    ['a-1.0-py3-none.whl', { kind: 'other', extension: 'whl' }],
    ['a--py3-none-any.whl', { kind: 'other', extension: 'whl' }],
    ['é-1.0-py3-none-any.whl', { kind: 'other', extension: 'whl' }],
  ]
  for (const [text, expected] of rows) assert.deepEqual(parseFilename(text), expected, text)
})

test('parseFilename() reads sdists (PEP 625 and before) and leaves the older kinds as they are', () => {
  const rows: [string, unknown][] = [
    ['foo_bar-1.0.tar.gz', { kind: 'sdist', project: 'foo-bar', version: '1.0', format: 'tar.gz' }],
    ['foo-bar-1.0.zip', { kind: 'sdist', project: 'foo-bar', version: '1.0', format: 'zip' }],
    ['foo-2-1.0rc1.tgz', { kind: 'sdist', project: 'foo-2', version: '1.0rc1', format: 'tgz' }],
    ['foo-1.0-1.tar.bz2', { kind: 'sdist', project: 'foo', version: '1.0-1', format: 'tar.bz2' }],
    ['pytz-2004d.tar.gz', { kind: 'sdist', project: 'pytz', version: '2004d', format: 'tar.gz' }],
    ['foo-dev.zip', { kind: 'sdist', project: 'foo', version: 'dev', format: 'zip' }],
    ['foo.zip', { kind: 'other', extension: 'zip' }],
    ['foo-1.0.linux-x86_64.tar.gz', { kind: 'other', extension: 'tar.gz' }],
    ['foo-1.0.win32.exe', { kind: 'other', extension: 'exe' }],
    ['foo-1.0-py2.7.egg', { kind: 'other', extension: 'egg' }],
    ['foo.linux-1.0.tar.gz', { kind: 'sdist', project: 'foo-linux', version: '1.0', format: 'tar.gz' }],
    ['my-py3-tool-1.0.zip', { kind: 'sdist', project: 'my-py3-tool', version: '1.0', format: 'zip' }],
    ['foo-1.0-1.noarch.rpm', { kind: 'other', extension: 'rpm' }],
  ]
  for (const [text, expected] of rows) assert.deepEqual(parseFilename(text), expected, text)
  for (const text of [
    'foo-1.0.txt',
    'foo',
    '',
    '.whl',
    '.tar.gz',
    'foo-1.0.tar.gz.asc',
    'foo-1.0-variants.json',
    'index.html',
  ]) {
    assert.equal(parseFilename(text), undefined, text)
  }
})

test('candidates() gives every reading of an sdist name, likeliest first', () => {
  assert.deepEqual(candidates('foo-bar-1.0.tar.gz'), [
    { project: 'foo-bar', version: '1.0' },
    { project: 'foo', version: 'bar-1.0' },
  ])
  assert.deepEqual(candidates('foo-1-2.tar.gz')[0], { project: 'foo', version: '1-2' })
  assert.deepEqual(candidates('readme.txt'), [])
})

test('versionOf() finds the version of any kind of archive', () => {
  const rows: [string, string, string | undefined][] = [
    ['foo-1.0.tar.gz', 'foo', '1.0'],
    ['foo-1-2.tar.gz', 'foo-1', '2'],
    ['Foo_Bar-1.0-py3-none-any.whl', 'foo-bar', '1.0'],
    ['foo-1.0-py2.7.egg', 'foo', '1.0'],
    ['foo-1.0-py2.7-linux-x86_64.egg', 'foo', '1.0'],
    ['foo-1.0.win-amd64-py2.7.exe', 'foo', '1.0'],
    ['foo-1.0.win32.msi', 'foo', '1.0'],
    ['my-py3-tool-1.0.zip', 'my-py3-tool', '1.0'],
    ['foo.win32-1.0.tar.gz', 'foo-win32', '1.0'],
    ['foo-1.0.macosx-10.9-x86_64.tar.gz', 'foo', '1.0'],
    ['foo-1.0-1.noarch.rpm', 'foo', '1.0'],
    ['foo-1.0.doc.zip', 'foo', '1.0'],
    ['foo-1.0.tar.gz', 'bar', undefined],
  ]
  for (const [text, project, expected] of rows) assert.equal(versionOf(text, projectName(project)), expected, text)
})

test('matchesProject() compares normalized names up to the version', () => {
  const foo = projectName('foo.Bar')
  for (const text of [
    'foo_bar-1.0.tar.gz',
    'Foo-Bar-1.0.zip',
    'foo.bar-1.0-py3-none-any.whl',
    'foo_bar-1.0-py2.7.egg',
  ]) {
    assert.equal(matchesProject(text, foo), true, text)
  }
  for (const text of [
    'foobar-1.0.tar.gz',
    'foo_bar_baz-1.0-py3-none-any.whl',
    'foo_bar-1.0.whl',
    'foo_bar.tar.gz',
    'bar-1.0.zip',
  ]) {
    assert.equal(matchesProject(text, foo), false, text)
  }
})

test('matchesVersion() takes the version as written, canonical, or escaped', () => {
  const rows: [string, string, boolean][] = [
    ['foo-1.0.tar.gz', '1.0', true],
    ['foo-1.0.0.tar.gz', '1.0', true],
    ['foo-1.0a1.tar.gz', '1.0-alpha.1', true],
    ['foo-1.0_1-py3-none-any.whl', '1.0-1', true],
    ['foo-1.0_local_1.tar.gz', '1.0+local-1', true],
    ['foo-2004d.tar.gz', '2004d', true],
    ['foo-my_branch.tar.gz', 'my-branch', true],
    ['foo-1.0.tar.gz', '1.1', false],
    ['foo-1.10.tar.gz', '1.1', false],
    ['foo-1.0.tar.gz', '', false],
  ]
  for (const [text, version, expected] of rows)
    assert.equal(matchesVersion(text, version), expected, `${text} ${version}`)
})

test('matchesVersion() with a project does not mix two readings of one name', () => {
  assert.equal(matchesVersion('foo-1-2.tar.gz', '1.post2', projectName('foo')), true)
  assert.equal(matchesVersion('foo-1-2.tar.gz', '2', projectName('foo-1')), true)
  assert.equal(matchesVersion('foo-1-2.tar.gz', '2', projectName('foo')), false)
})

test("fileTypeOf() and pythonTagOf() give the upload form's filetype and pyversion", () => {
  const rows: [string, string, string][] = [
    ['a-1-cp313-abi3-any.whl', 'bdist_wheel', 'cp313'],
    ['a-1.tar.gz', 'sdist', 'source'],
    ['a-1-py2.7.egg', 'bdist_egg', '2.7'],
    ['a-1.win32-py2.6.exe', 'bdist_wininst', '2.6'],
    ['a-1.win32.exe', 'bdist_wininst', 'any'],
    ['a-1.win32.msi', 'bdist_msi', 'any'],
    ['a-1-1.noarch.rpm', 'bdist_rpm', 'any'],
    ['a-1.dmg', 'bdist_dmg', 'any'],
    ['a-1.deb', 'bdist_dumb', 'any'],
    ['a-1.linux-x86_64.tar.gz', 'bdist_dumb', 'any'],
  ]
  for (const [text, type, tag] of rows) {
    assert.equal(fileTypeOf(text), type, text)
    assert.equal(pythonTagOf(text), tag, text)
  }
  assert.equal(fileTypeOf('a-1.json'), undefined)
})

test('parseFilename() and candidates() end on any text', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.string({ maxLength: 30 }), fc.constantFrom('.whl', '.tar.gz', '.zip', '.egg', '.exe'))
      .map((parts) => parts.join('')),
    fc
      .array(fc.constantFrom('-', '.', '_', 'a', '1', 'py3', '-py2.7', '.win32'), { maxLength: 20 })
      .map((parts) => `${parts.join('')}.zip`),
  )
  fc.assert(
    fc.property(text, (name) => {
      parseFilename(name)
      candidates(name)
      fileTypeOf(name)
      pythonTagOf(name)
    }),
  )
})
