import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addProgram, type Bench, loggedIn, sdist } from '../../../test/world/client-bench.ts'

test('upload sends files in the order of their paths, with what their metadata says', async () => {
  await using bench = await loggedIn()
  for (const name of ['beta', 'acme']) writeFileSync(bench.path(`${name}-1.0.tar.gz`), await sdist(name, '1.0'))
  assert.deepEqual(await bench.lines('upload', 'beta-1.0.tar.gz', 'acme-1.0.tar.gz', './acme-1.0.tar.gz'), [
    'file_upload of acme-1.0.tar.gz to URL/root/prod/',
    'file_upload of beta-1.0.tar.gz to URL/root/prod/',
  ])
  const [first] = bench.seen.filter(({ line }) => line === 'POST /root/prod/')
  const form = await new Response(new Uint8Array(first!.body), {
    headers: { 'content-type': first!.headers['content-type']! },
  }).formData()
  const { content, ...fields } = Object.fromEntries(form)
  assert.equal((content as File).name, 'acme-1.0.tar.gz')
  assert.deepEqual(form.getAll('classifiers'), ['A', 'B'])
  assert.match(String(fields.sha256_digest), /^[0-9a-f]{64}$/)
  delete fields.sha256_digest
  assert.deepEqual(fields, {
    ':action': 'file_upload',
    classifiers: 'B',
    description: 'Wörds\n',
    filetype: 'sdist',
    metadata_version: '2.1',
    name: 'acme',
    protocol_version: '1',
    pyversion: 'source',
    version: '1.0',
  })
  assert.equal(first!.headers['x-devpi-auth'], Buffer.from('root:tok-en').toString('base64'))
})

test('upload shows the reason phrase of a refusal, and takes nothing but 200 for success', async () => {
  await using bench = await loggedIn()
  writeFileSync(bench.path('acme-1.0.tar.gz'), await sdist('acme', '1.0'))
  for (const status of [409, 201]) {
    bench.answers['POST /root/prod/'] = { status, reason: 'acme-1.0.tar.gz already exists in non-volatile index' }
    assert.deepEqual(await bench.run(['upload', 'acme-1.0.tar.gz']), {
      code: 1,
      out: [
        `${status} FAIL file_upload of acme-1.0.tar.gz to URL/root/prod/`,
        'acme-1.0.tar.gz already exists in non-volatile index',
        'POST to URL/root/prod/ FAILED',
      ],
      err: [],
    })
  }
})

test('upload sends nothing when one path is wrong, and says which', async () => {
  await using bench = await loggedIn()
  writeFileSync(bench.path('acme-1.0.tar.gz'), await sdist('acme', '1.0'))
  writeFileSync(bench.path('notes.txt'), 'no')
  writeFileSync(bench.path('cut-1.0.tar.gz'), (await sdist('cut', '1.0')).subarray(0, 40))
  const rows = [
    ['nope.whl', 'path does not exist: nope.whl'],
    ['.', '.: is a directory but --from-dir not specified'],
    ['notes.txt', 'Cannot upload "notes.txt": it is no wheel, sdist or egg; name distribution files'],
  ] as const
  for (const [path, message] of rows) {
    const { code, out } = await bench.run(['upload', 'acme-1.0.tar.gz', path])
    assert.deepEqual([code, out], [1, [message]])
  }
  const cut = await bench.run(['upload', 'cut-1.0.tar.gz'])
  assert.match(`${cut.code} ${cut.out}`, /^1 Cannot upload "cut-1\.0\.tar\.gz": Cannot read archive/)
  assert.equal(
    bench.seen.some(({ line }) => line === 'POST /root/prod/'),
    false,
  )
})

test('upload to a mirror is refused before anything is sent', async () => {
  await using bench = await loggedIn()
  await bench.lines('use', 'root/pypi')
  assert.deepEqual(await bench.run(['upload', 'x']), {
    code: 1,
    out: ['The current index URL/root/pypi does not support upload.', 'Most likely, it is a mirror.'],
    err: [],
  })
})

test('upload --from-dir passes over what is no distribution; --only-latest leaves older versions out', async () => {
  await using bench = await loggedIn()
  mkdirSync(bench.path('dist/deep'), { recursive: true })
  for (const version of ['1.9', '1.10']) {
    writeFileSync(bench.path(`dist/deep/acme-${version}.tar.gz`), await sdist('acme', version))
  }
  writeFileSync(bench.path('dist/notes.txt'), 'not looked at')
  writeFileSync(bench.path('dist/data.zip'), 'no zip')
  assert.deepEqual(await bench.lines('upload', '--from-dir', '--only-latest', '--dry-run', 'dist'), [
    'data.zip: does not contain PKGINFO, skipping',
    'skipped: file_upload of acme-1.10.tar.gz to URL/root/prod/',
  ])
})

test('upload sends documentation after release files, and not with --no-docs', async () => {
  await using bench = await loggedIn()
  writeFileSync(bench.path('acme-1.0.doc.zip'), 'zip')
  writeFileSync(bench.path('zulu-1.0.tar.gz'), await sdist('zulu', '1.0'))
  const paths = ['acme-1.0.doc.zip', 'zulu-1.0.tar.gz']
  assert.deepEqual(await bench.lines('upload', '--dry-run', ...paths), [
    'skipped: file_upload of zulu-1.0.tar.gz to URL/root/prod/',
    'skipped: doc_upload of acme-1.0.doc.zip to URL/root/prod/',
  ])
  assert.equal((await bench.lines('upload', '--dry-run', '--no-docs', ...paths)).length, 1)
})

test('upload without paths builds what is there, and uploads what was built', async () => {
  await using bench = await loggedIn()
  assert.match((await bench.run(['upload'])).out.join(''), /has no pyproject\.toml or setup\.py; name the files/)
  await preparePython(bench)
  writeFileSync(bench.path('pyproject.toml'), '[tool.devpi.upload]\nsdist = true\n')
  assert.deepEqual(await bench.lines('upload', '--no-isolation', '--no-vcs'), [
    'detected tool.devpi.upload section in ~/pyproject.toml',
    'Got sdist=True from pyproject.toml [tool.devpi.upload].',
    'pre-build: cleaning ~/dist',
    '--> ~$ ~/bin/python3 -m build --outdir ~/dist --sdist --no-isolation',
    'built: ~/dist/acme-1.0.tar.gz 0kb',
    'file_upload of acme-1.0.tar.gz to URL/root/prod/',
  ])
})

test('upload without paths shows what a failing build said', async () => {
  await using bench = await loggedIn()
  await preparePython(bench, 'echo no such backend; exit 3')
  writeFileSync(bench.path('setup.py'), '')
  const { code, out } = await bench.run(['upload', '--no-vcs'])
  assert.equal(code, 1)
  assert.equal(out.at(-2), 'no such backend')
  assert.match(out.at(-1)!, /^command failed: .* ended with 3$/)
})

test('upload without paths builds from a copy of the files that Git knows', async () => {
  await using bench = await loggedIn()
  await preparePython(bench, 'ls > "$SEEN_BY_BUILD"')
  bench.env.SEEN_BY_BUILD = bench.path('seen.list')
  mkdirSync(bench.path('work'))
  for (const name of ['pyproject.toml', 'known.py', 'stray.py']) writeFileSync(bench.path(`work/${name}`), '')
  mkdirSync(bench.path('work/.git'))
  const list = `*--deleted*) ;; *ls-files*) printf 'pyproject.toml\\0known.py\\0' ;;`
  addProgram(bench, 'git', `case "$*" in *--show-toplevel*) echo "${bench.path('work')}" ;; ${list} esac`)
  bench.cwd = bench.path('work')
  assert.ok((await bench.lines('upload', '--dry-run')).at(-1)?.startsWith('skipped: file_upload of acme-1.0.tar.gz'))
  assert.deepEqual(readFileSync(bench.path('seen.list'), 'utf8').trim().split('\n'), ['known.py', 'pyproject.toml'])
})

/** Puts a `python3` on PATH that runs `script` and then "builds" an sdist. */
async function preparePython(bench: Bench, script = ''): Promise<void> {
  const copy = 'while [ "$1" != --outdir ]; do shift; done; cp "$(dirname "$0")/acme-1.0.tar.gz" "$2"'
  addProgram(bench, 'python3', `${script}\n${copy}`)
  writeFileSync(bench.path('bin/acme-1.0.tar.gz'), await sdist('acme', '1.0'))
}
