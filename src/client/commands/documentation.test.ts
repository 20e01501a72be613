import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addProgram, type Bench, loggedIn, sdist } from '../../../test/world/client-bench.ts'
import { documentationName } from '../build/documentation.ts'

test('documentationName() reads the names that devpi knows', () => {
  const rows = [
    ['acme-1.0.doc.zip', 'acme', '1.0', 'acme-1.0.doc.zip', false],
    ['acme-tools-1.0rc1.docs.zip', 'acme-tools', '1.0rc1', 'acme-tools-1.0rc1.docs.zip', false],
    ['acme-1.0.docs.tgz', 'acme', '1.0', 'acme-1.0.doc.zip', true],
    ['acme-1.0.DOC.tar.gz', 'acme', '1.0', 'acme-1.0.doc.zip', true],
    ['acme.doc.zip', 'acme', undefined, 'acme.doc.zip', false],
    ['acme.doc.tgz', 'acme', undefined, 'acme.doc.zip', true],
  ] as const
  for (const [filename, name, version, packedAs, isForeign] of rows) {
    assert.deepEqual(documentationName(filename), { name, version, packedAs, isForeign }, filename)
  }
  for (const filename of ['acme-1.0.zip', 'acme-1.0.doc.tar', '.doc.zip', 'doc.zip']) {
    assert.equal(documentationName(filename), undefined, filename)
  }
})

test('upload packs documentation as a zip when it comes otherwise, and leaves an unknown version to the server', async () => {
  await using bench = await loggedIn()
  addProgram(bench, 'python3', 'case "$2" in *make_archive*) echo "zip of $3" > "$4";; *) mkdir "$4";; esac')
  writeFileSync(bench.path('acme-1.0.docs.tgz'), 'tar')
  const out = await bench.lines('upload', 'acme-1.0.docs.tgz')
  assert.deepEqual(out.slice(1), [
    'repackaged acme-1.0.docs.tgz to acme-1.0.doc.zip',
    'doc_upload of acme-1.0.doc.zip to URL/root/prod/',
  ])
  const sent = await form(bench)
  assert.deepEqual([sent.get(':action'), sent.get('name'), sent.get('version')], ['doc_upload', 'acme', '1.0'])
  const content = sent.get('content') as File
  assert.equal(content.name, 'acme-1.0.doc.zip')
  assert.match(await content.text(), /^zip of /)
  writeFileSync(bench.path('acme.doc.zip'), 'zip')
  await bench.lines('upload', 'acme.doc.zip')
  assert.equal((await form(bench)).has('version'), false)
})

test('upload --with-docs builds documentation beside the archives, --only-docs nothing else', async () => {
  await using bench = await loggedIn()
  const [build, identity, pack] = [
    'while [ "$1" != --outdir ]; do shift; done; cp acme-1.0.tar.gz "$2"',
    'echo building; echo identity acme 1.0',
    'echo zip > "$4"',
  ]
  addProgram(
    bench,
    'python3',
    `case "$*" in *"-m build"*) ${build};; *project_wheel*) ${identity};; *make_archive*) ${pack};; esac`,
  )
  addProgram(bench, 'sphinx-build', `echo "$@" > ${bench.path('sphinx.log')}`)
  writeFileSync(bench.path('pyproject.toml'), '')
  const missing = await bench.run(['upload', '--no-vcs', '--only-docs'])
  assert.match(`${missing.code} ${missing.out.at(-1)}`, /^1 Cannot build documentation: there is no conf\.py/)
  mkdirSync(bench.path('docs/source'), { recursive: true })
  writeFileSync(bench.path('docs/source/conf.py'), '')
  assert.deepEqual((await bench.lines('upload', '--no-vcs', '--only-docs')).slice(-2), [
    'built: ~/dist/acme-1.0.doc.zip [sphinx docs] 0kb',
    'doc_upload of acme-1.0.doc.zip to URL/root/prod/',
  ])
  writeFileSync(bench.path('acme-1.0.tar.gz'), await sdist('acme', '1.0'))
  assert.deepEqual((await bench.lines('upload', '--no-vcs', '--with-docs')).slice(-2), [
    'file_upload of acme-1.0.tar.gz to URL/root/prod/',
    'doc_upload of acme-1.0.doc.zip to URL/root/prod/',
  ])
  assert.match(readFileSync(bench.path('sphinx.log'), 'utf8'), /^-E \S+\/docs\/source \S+\/html$/m)
})

test('upload --formats builds the former kinds with setup.py, and says what is better', async () => {
  await using bench = await loggedIn()
  addProgram(bench, 'python3', `echo "$@" >> ${bench.path('python.log')}`)
  writeFileSync(bench.path('setup.py'), '')
  const { code, out } = await bench.run(['upload', '--no-vcs', '--formats', 'sdist.zip,bdist_egg,sdist'])
  assert.deepEqual([code, out.at(-1)], [1, 'nothing built!'])
  assert.ok(out.some((line) => line.startsWith('The --formats option is deprecated, replace it with --sdist')))
  const dist = bench.path('dist')
  assert.deepEqual(readFileSync(bench.path('python.log'), 'utf8').trimEnd().split('\n'), [
    `-m build --outdir ${dist} --sdist`,
    `setup.py bdist_egg --dist-dir ${dist}`,
    `setup.py sdist --formats zip --dist-dir ${dist}`,
  ])
  assert.match(
    (await bench.run(['upload', '--no-vcs', '--formats', 'sdist.7z'])).out.at(-1)!,
    /^Cannot build "sdist\.7z"/,
  )
})

/** The form that the server got last. */
async function form(bench: Bench): Promise<FormData> {
  const seen = bench.seen.findLast(({ line }) => line === 'POST /root/prod/')!
  const headers = { 'content-type': seen.headers['content-type']! }
  return await new Response(new Uint8Array(seen.body), { headers }).formData()
}
