import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addProgram, loggedIn } from '../../../test/world/client-bench.ts'
import { versionAsked } from './version.ts'

test('refresh posts for each project, goes on after a refusal and then ends with 1', async () => {
  await using bench = await loggedIn()
  bench.answers['POST /root/prod/+simple/acme/refresh'] = {
    status: 302,
    headers: { Location: '/root/prod/+simple/acme/' },
  }
  bench.answers['GET /root/prod/+simple/acme/'] = {}
  assert.deepEqual(await bench.run(['refresh', 'nope', 'acme']), {
    code: 1,
    out: ["Couldn't refresh nope via URL/root/prod/+simple/nope/refresh: 404 Not Found", 'Refreshed acme'],
    err: [],
  })
  assert.deepEqual(await bench.lines('refresh', 'acme'), ['Refreshed acme'])
  assert.deepEqual((await bench.run(['refresh', '--json', 'acme'])).out, ['[', '    "acme"', ']'])
})

test('patchjson sends a file or stdin, and shows the answer', async () => {
  await using bench = await loggedIn()
  bench.answers['PATCH /root/prod'] = { json: { type: 'indexconfig', result: {} } }
  writeFileSync(bench.path('change.json'), '["title=x"]')
  const shown = ['PATCH REQUEST sent to URL/root/prod', '{', '    "result": {},', '    "type": "indexconfig"', '}']
  assert.deepEqual(await bench.lines('patchjson', '/root/prod', 'change.json'), shown)
  assert.equal(String(bench.seen.at(-1)?.body), '["title=x"]')
  assert.deepEqual((await bench.run(['patchjson', '/root/prod', '-'], '{"a": "ä"}')).out, shown)
  assert.deepEqual(JSON.parse(String(bench.seen.at(-1)?.body)), { a: 'ä' })
  const broken = await bench.run(['patchjson', '/root/prod', '-'], '{')
  assert.match(`${broken.code} ${broken.out}`, /^1 Cannot read "-": it is not JSON/)
  assert.match((await bench.run(['patchjson', '/root/prod', 'gone.json'])).err.join(), /ENOENT/)
})

test('install runs pip with the index in use, the login in its environment alone', async () => {
  await using bench = await loggedIn()
  const log = bench.path('pip.log')
  addProgram(
    bench,
    'pip',
    `case "$1" in --version) echo "pip \${PIP:-26.0.1} from x";; esac; echo "$@ $PIP_INDEX_URL $PIP_PRE" >> ${log}`,
  )
  const calls = () => readFileSync(log, 'utf8').trimEnd().split('\n')
  assert.deepEqual(await bench.lines('install', 'acme', 'other>=1'), [
    '--> ~$ ~/bin/pip --version',
    '--> ~$ ~/bin/pip install -U acme other>=1',
  ])
  assert.match(calls().at(-1)!, /^install -U acme other>=1 http:\/\/root:tok-en@127\S*\/root\/prod\/\+simple\/ 1$/)
  await bench.lines('install', '-r', 'requirements.txt')
  assert.match(calls().at(-1)!, /^install -U --requirement requirements\.txt /)
  await bench.lines('install', '-e', '.')
  assert.match(calls().at(-1)!, /^install -U --editable \. /)
  bench.env.PIP = '19.2.3'
  assert.ok((await bench.lines('install', 'acme')).some((line) => line.startsWith('passing of authentication data')))
  assert.match(calls().at(-1)!, /^install -U acme http:\/\/127\S*\/root\/prod\/\+simple\/ 1$/)
  assert.deepEqual((await bench.run(['install', '-e', '.', 'acme'])).out, [
    'cannot specify packagespecs and --editable',
  ])
})

test('install ends with 1 when pip fails or is missing; --venv is remembered', async () => {
  await using bench = await loggedIn()
  addProgram(bench, 'pip', '[ "$1" = --version ] && echo "pip 26.0.1" || exit 3')
  const { code, out } = await bench.run(['install', 'acme'])
  assert.deepEqual([code, out.at(-1)], [1, 'command failed'])
  assert.match((await bench.run(['install', '--venv', 'none', 'acme'])).out.join(''), /^No virtualenv found at: /)
  mkdirSync(bench.path('empty/bin'), { recursive: true })
  const inEmpty = await bench.run(['install', '--venv', 'empty', 'acme'])
  assert.deepEqual([inEmpty.code, inEmpty.out], [1, ['no pip binary found']])
  assert.equal(JSON.parse(readFileSync(bench.path('.devpi/client/current.json'), 'utf8')).venvdir, bench.path('empty'))
})

test('install -l shows what is installed, with --json as data', async () => {
  await using bench = await loggedIn()
  addProgram(bench, 'pip', '[ "$3" = json ] && echo \'[{"name":"acme"}]\' || echo "acme 1.0"; echo noise >&2')
  assert.deepEqual(await bench.lines('install', '-l'), [
    'list of installed packages on None',
    '--> ~$ ~/bin/pip list',
    'acme 1.0',
  ])
  const { out } = await bench.run(['install', '-l', '--json'])
  assert.deepEqual(JSON.parse(out.join('')), [{ name: 'acme' }])
})

test('versionAsked() tells --version before a command from other words', () => {
  assert.deepEqual(versionAsked(['--version']), {})
  assert.deepEqual(versionAsked(['--clientdir', 'x', '--version', '-v']), { clientdir: 'x', verbose: 1 })
  for (const words of [[], ['list', '--version'], ['--nope', '--version'], ['-v']]) {
    assert.equal(versionAsked(words), undefined, words.join(' '))
  }
})
