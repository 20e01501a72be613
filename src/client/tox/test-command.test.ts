import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addProgram, type Bench, loggedIn, sdist } from '../../../test/world/client-bench.ts'

const SDIST = '/root/prod/+f/1/acme-1.0.tar.gz'
const WHEEL = '/root/prod/+f/2/acme-1.0-py2.py3-none-any.whl'
const LINUX = '/root/prod/+f/3/acme-1.0-cp312-cp312-linux_x86_64.whl'
const POSTED = { json: { type: 'toxresultpath', result: 'root/prod/+f/1/r' } }

/** acme 1.0 with an sdist and two wheels on root/prod, and programs that stand in for Python's unpacking and for tox. */
async function withRelease(toxExit = 0, files: Record<string, string> = { 'tox.ini': '[tox]\n' }): Promise<Bench> {
  const bench = await loggedIn()
  const archive = await sdist('acme', '1.0', files)
  const link = (href: string) => ({ rel: 'releasefile', href })
  const hashes = { sha256: createHash('sha256').update(archive).digest('hex') }
  const links = [{ ...link(SDIST), hashes }, link(WHEEL), link(LINUX), { rel: 'doczip', href: '/d.zip' }]
  const result = { '0.9': { '+links': [link('/old.tar.gz')] }, '1.0': { '+links': links } }
  bench.answers['GET /root/prod/acme/'] = { json: { type: 'projectconfig', result } }
  bench.answers[`GET ${SDIST}`] = { body: archive }
  for (const path of [WHEEL, LINUX]) bench.answers[`GET ${path}`] = { body: Buffer.from('wheel') }
  for (const path of [SDIST, WHEEL, LINUX]) bench.answers[`POST ${path}`] = POSTED
  addProgram(bench, 'python3', 'exec tar -xzf "$3" -C "$4"')
  const log = `echo "$PWD" "$@" >> ${bench.path('tox.log')}; echo "$PIP_INDEX_URL $UV_DEFAULT_INDEX" > ${bench.path('index')}`
  const report = 'while [ "$1" != --result-json ]; do shift; done; echo \'{"host":"h"}\' > "$2"'
  addProgram(bench, 'tox', `${log}; ${report}; echo testing; exit ${toxExit}`)
  return bench
}

/** The words of each run of tox, its folders left out. */
function toxRuns(bench: Bench): string[] {
  const text = readFileSync(bench.path('tox.log'), 'utf8')
  return text
    .trimEnd()
    .replaceAll(/\S*devpi-test-[^/\s]+/g, '#')
    .split('\n')
}

function posts(bench: Bench): string[] {
  return bench.seen.filter(({ line }) => line.startsWith('POST /root')).map(({ line, body }) => `${line} ${body}`)
}

test('test runs tox on sdist and universal wheel from within the sdist, and posts the reports', async () => {
  await using bench = await withRelease()
  const out = await bench.lines('test', '-e', 'py3', '--tox-args', "-q -- -k 'a b'", 'acme')
  assert.deepEqual(toxRuns(bench), [
    '#/0/source/acme-1.0 --installpkg #/0/acme-1.0.tar.gz --recreate --result-json #/0/acme-1.0.tar.gz.toxreport.json -epy3 -c #/0/source/acme-1.0/tox.ini -q -- -k a b',
    '#/0/source/acme-1.0 --installpkg #/0/acme-1.0-py2.py3-none-any.whl --recreate --result-json #/0/acme-1.0-py2.py3-none-any.whl.toxreport.json -epy3 -c #/0/source/acme-1.0/tox.ini -q -- -k a b',
  ])
  assert.deepEqual(posts(bench), [`POST ${SDIST} {"host":"h"}`, `POST ${WHEEL} {"host":"h"}`])
  const [pip, uv] = readFileSync(bench.path('index'), 'utf8').trim().split(' ')
  assert.match(pip!, /^http:\/\/root:tok-en@127\.0\.0\.1:\d+\/root\/prod\/\+simple\/$/)
  assert.equal(uv, pip)
  const talk = out.join('\n')
  assert.doesNotMatch(talk, /tok-en/)
  assert.match(talk, /^only universal wheels supported, found acme-1\.0-cp312-cp312-linux_x86_64\.whl$/m)
  assert.match(talk, /^testing$/m)
  assert.match(talk, /^posting tox result data to URL\/root\/prod\/\+f\/1\/acme-1\.0\.tar\.gz\nsuccess$/m)
  assert.equal(
    bench.seen.find(({ line }) => line === `GET ${SDIST}`)?.headers['x-devpi-auth'],
    Buffer.from('root:tok-en').toString('base64'),
  )
})

test('test ends with 1 when tox fails, and posts its report all the same', async () => {
  await using bench = await withRelease(1)
  const { code, out } = await bench.run(['test', '-s', 'tar', '--json', 'acme'])
  const file = 'URL/root/prod/+f/1/acme-1.0.tar.gz'
  assert.deepEqual([code, JSON.parse(out.join(''))], [1, [{ file, passed: false, result: 'root/prod/+f/1/r' }]])
  assert.equal(posts(bench).length, 1)
})

test('test posts nothing when tox itself could not run, or with --no-upload', async () => {
  for (const [exit, words, code] of [
    [2, [], 1],
    [0, ['--no-upload'], 0],
  ] as const) {
    await using bench = await withRelease(exit)
    assert.equal((await bench.run(['test', ...words, 'acme'])).code, code)
    assert.deepEqual(posts(bench), [])
  }
})

test('test ends with 1 when the server refuses a report', async () => {
  await using bench = await withRelease()
  bench.answers[`POST ${SDIST}`] = { status: 403, json: { message: 'No permission' } }
  const { code, out } = await bench.run(['test', '-s', 'tar', 'acme'])
  assert.equal(code, 1)
  assert.deepEqual(out.slice(-3), [
    'POST URL/root/prod/+f/1/acme-1.0.tar.gz',
    '403 Forbidden: No permission',
    'could not post tox result data to: URL/root/prod/+f/1/acme-1.0.tar.gz',
  ])
})

test('test --list shows what would be tested, and fetches nothing', async () => {
  await using bench = await withRelease()
  assert.deepEqual((await bench.lines('test', '--list', '--select', 'linux|tar', 'acme')).slice(1), [
    'would test:',
    `   URL${SDIST}`,
    `   URL${LINUX}`,
  ])
  assert.equal(
    bench.seen.some(({ line }) => line === `GET ${SDIST}`),
    false,
  )
})

test('test refuses a file that is not what the server said, and names what is missing', async () => {
  await using bench = await withRelease()
  assert.match((await bench.run(['test', 'acme>2'])).out.join('\n'), /^could not find\/receive links for acme>2$/m)
  assert.match((await bench.run(['test', 'gone'])).out.join('\n'), /404 Not Found.*\n.*links for gone$/)
  assert.match((await bench.run(['test', '-s', '(', 'acme'])).out.join('\n'), /^Cannot select by "\("/)
  assert.match((await bench.run(['test', '--tox-args', '"', 'acme'])).out.join('\n'), /^Cannot read --tox-args/m)
  bench.answers[`GET ${SDIST}`] = { body: Buffer.from('another') }
  assert.match((await bench.run(['test', 'acme'])).out.join('\n'), /^Cannot use http\S*: its sha256 is /m)
  bench.answers[`GET ${SDIST}`] = { status: 403 }
  assert.match((await bench.run(['test', 'acme'])).out.join('\n'), /^could not receive http\S*: 403 Forbidden$/m)
})

test('test looks for the configuration of tox where devpi does', async () => {
  const cases = [
    [{ 'pyproject.toml': '[tool.tox]\n', 'setup.cfg': '[tox:tox]\n' }, [], 'source/acme-1.0/pyproject.toml'],
    [{ 'pyproject.toml': '[project]\n', 'setup.cfg': '[tox:tox]\n' }, [], 'source/acme-1.0/setup.cfg'],
    [{ 'tox.ini': '' }, ['-c', 'mine.ini'], 'mine.ini'],
    [{}, ['--fallback-ini', 'mine.ini'], 'mine.ini'],
    [{ 'sub/tox.ini': '' }, ['--fallback-ini', 'sub/tox.ini'], 'source/acme-1.0/sub/tox.ini'],
  ] as const
  for (const [files, words, expected] of cases) {
    await using bench = await withRelease(0, files)
    writeFileSync(bench.path('mine.ini'), '')
    await bench.lines('test', '-s', 'tar', ...words, 'acme')
    assert.match(toxRuns(bench)[0]!, new RegExp(`/${RegExp.escape(expected)}$`))
  }
  await using bench = await withRelease(0, {})
  assert.match(
    (await bench.run(['test', 'acme'])).out.at(-1)!,
    /^no tox\.ini\/pyproject\.toml\/setup\.cfg file found in /,
  )
  assert.equal((await bench.run(['test', '-c', 'no.ini', 'acme'])).out.at(-1), 'file does not exist: ~/no.ini')
})
