import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Bench, loggedIn } from '../../../test/world/client-bench.ts'

const CONFIG_LINES = [
  '~/.config/pip/pip.conf: no config file exists',
  '~/.config/uv/uv.toml: no config file exists',
  '~/.pydistutils.cfg: no config file exists',
  '~/.buildout/default.cfg: no config file exists',
  'always-set-cfg: no',
]
const INSECURE = 'Warning: insecure http host, trusted-host will be set for pip'

test('use says which server and index are in use, as devpi does', async () => {
  await using bench = await Bench.open()
  assert.deepEqual(await bench.lines('use'), [
    "no server: type 'devpi use URL' with a URL pointing to a server or directly to an index.",
    ...CONFIG_LINES,
  ])
  assert.deepEqual(await bench.lines('use', 'URL'), [
    INSECURE,
    'using server: URL/ (not logged in)',
    "no current index: type 'devpi use -l' to discover indices",
    ...CONFIG_LINES,
  ])
  assert.deepEqual(await bench.lines('use', 'root/prod'), [
    INSECURE,
    'current devpi index: URL/root/prod (not logged in)',
    'supported features: push-no-docs, server-keyvalue-parsing',
    ...CONFIG_LINES,
  ])
})

test('use fails with a sentence for a server that is not there, speaks no devpi, or refuses', async () => {
  await using bench = await Bench.open()
  const nowhere = await bench.run(['use', 'http://127.0.0.1:1'])
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.out.join('\n'), /^could not connect to 'http:\/\/127\.0\.0\.1:1\/\+api':\n.*ECONNREFUSED/m)
  bench.answers['GET /+api'] = { json: { hello: 'world' } }
  assert.match((await bench.run(['use', 'URL'])).out.join('\n'), /does not speak devpi's protocol/)
  const missing = await bench.run(['use', 'URL/root/nope'])
  assert.deepEqual(
    [missing.code, missing.out.slice(1)],
    [1, ['GET URL/root/nope/+api', '404 Not Found: no answer for GET /root/nope/+api']],
  )
  assert.deepEqual((await bench.run(['use', 'ftp://x/y'])).out, ['invalid URL: ftp://x/y/'])
})

test('login keeps the token for its owner alone and never says it', async () => {
  await using bench = await Bench.open()
  await bench.lines('use', 'URL')
  assert.deepEqual(await bench.lines('login', 'root', '--password', 'secret'), [
    "logged in 'root', credentials valid for 10.00 hours",
  ])
  assert.deepEqual(JSON.parse(bench.seen.at(-1)!.body.toString()), { user: 'root', password: 'secret' })
  assert.match(readFileSync(bench.path('.devpi/client/auth.json'), 'utf8'), /tok-en/)
  const fromPipe = await bench.run(['login', 'root'], 'päss\n')
  assert.deepEqual([fromPipe.code, fromPipe.err], [0, []])
  assert.deepEqual(JSON.parse(bench.seen.at(-1)!.body.toString()), { user: 'root', password: 'päss' })
  bench.answers['POST /+login'] = { status: 401, json: { message: "user 'root' could not be authenticated" } }
  assert.deepEqual(await bench.run(['login', 'root', '--password', 'wrong']), {
    code: 1,
    out: ['POST URL/+login', "401 Unauthorized: user 'root' could not be authenticated"],
    err: [],
  })
  assert.deepEqual(await bench.lines('logoff'), ['login information deleted'])
  assert.deepEqual(await bench.lines('logout'), ['not logged in'])
})

test('index -c prints the options in order; PATCH carries the words when the server takes them', async () => {
  await using bench = await loggedIn()
  const shown = [
    'URL/root/prod?no_projects=:',
    '  type=stage',
    '  bases=root/pypi',
    '  volatile=True',
    '  acl_upload=root',
    '  mirror_whitelist=',
  ]
  assert.deepEqual(await bench.lines('index', '-c', 'prod', 'bases=root/pypi'), shown)
  const put = bench.seen.find(({ line }) => line === 'PUT /root/prod')
  assert.deepEqual(JSON.parse(String(put?.body)), { bases: 'root/pypi' })
  assert.equal(put?.headers['x-devpi-auth'], Buffer.from('root:tok-en').toString('base64'))
  assert.deepEqual(await bench.lines('index', 'volatile=False', 'acl_upload+=bob'), [
    '/root/prod volatile=False',
    '/root/prod acl_upload+=bob',
    ...shown,
  ])
  const patch = bench.seen.find(({ line }) => line === 'PATCH /root/prod')
  assert.deepEqual(JSON.parse(String(patch?.body)), ['volatile=False', 'acl_upload+=bob'])
  bench.answers['PUT /root/prod'] = { status: 409, json: { message: "index 'root/prod' exists" } }
  assert.deepEqual(await bench.run(['index', '-c', 'prod']), {
    code: 1,
    out: ['PUT URL/root/prod', "409 Conflict: index 'root/prod' exists"],
    err: [],
  })
})

test('list shows names, or the files of a project, newest version first', async () => {
  await using bench = await loggedIn()
  assert.deepEqual(await bench.lines('list'), ['acme', 'b-b'])
  assert.deepEqual(JSON.parse((await bench.lines('list', '--json')).join('')), ['acme', 'b-b'])
  const link = (version: string) => ({ rel: 'releasefile', href: `root/prod/+f/1/acme-${version}.tar.gz` })
  const result = Object.fromEntries(
    ['1.9', '1.10', '1.8', '1.7', '1.6'].map((version) => [
      version,
      { '+links': [{ ...link(version), href: `/${link(version).href}` }] },
    ]),
  )
  bench.answers['GET /root/prod/acme/'] = { json: { type: 'projectconfig', result } }
  const files = (...versions: string[]) => versions.map((version) => `URL/${link(version).href}`)
  assert.deepEqual(await bench.lines('list', 'acme'), [
    ...files('1.10', '1.9', '1.8'),
    '2 older versions not shown, use --all to see',
  ])
  assert.deepEqual(await bench.lines('list', '--all', 'acme<1.9'), files('1.8', '1.7', '1.6'))
  assert.deepEqual(await bench.run(['list', 'nope']), {
    code: 1,
    out: ['GET URL/root/prod/nope/', '404 Not Found: no answer for GET /root/prod/nope/'],
    err: [],
  })
})

test('a 401 with a Location drops the login; another 401 does not', async () => {
  await using bench = await loggedIn()
  bench.answers['GET /root/prod'] = { status: 401, json: { message: 'no' } }
  assert.deepEqual((await bench.run(['list'])).out, ['GET URL/root/prod', '401 Unauthorized: no'])
  bench.answers['GET /root/prod'] = { status: 401, headers: { Location: '/+login' } }
  assert.deepEqual((await bench.run(['list'])).out, [
    'removed expired authentication information',
    'GET URL/root/prod',
    '401 Unauthorized',
  ])
  assert.deepEqual(await bench.lines('logoff'), ['not logged in'])
})

test('use --set-cfg writes the configuration of pip and uv', async () => {
  await using bench = await loggedIn()
  const said = await bench.lines('use', '--set-cfg')
  assert.ok(said.includes('~/.config/uv/uv.toml: URL/root/prod/+simple/'), said.join('\n'))
  assert.match(
    readFileSync(bench.path('.config/pip/pip.conf'), 'utf8'),
    /^\[global\]\nindex_url = http:\/\/127[^\n]*\/root\/prod\/\+simple\/\ntrusted-host = 127\.0\.0\.1\n\[search\]\nindex = http[^\n]*\/root\/prod\/\n$/,
  )
  assert.match(
    readFileSync(bench.path('.config/uv/uv.toml'), 'utf8'),
    /^index-url = "http.*\/root\/prod\/\+simple\/"\n$/,
  )
})

test('DEVPI_INDEX and --index choose an index for one command only', async () => {
  await using bench = await loggedIn()
  bench.answers['GET /root/pypi'] = { json: { type: 'indexconfig', result: { projects: ['p'] } } }
  assert.deepEqual(await bench.lines('list', '--index', 'root/pypi'), ['p'])
  bench.env.DEVPI_INDEX = 'root/pypi'
  assert.deepEqual(await bench.lines('list'), ['Using DEVPI_INDEX from environment: root/pypi', 'p'])
  delete bench.env.DEVPI_INDEX
  assert.deepEqual(await bench.lines('list'), ['acme', 'b-b'])
})

test('commands without a server or index say what to do', async () => {
  await using bench = await Bench.open()
  const rows = [
    [['list'], "not connected to an index, see 'devpi use'"],
    [['upload', 'x'], "not connected to an index, see 'devpi use'"],
    [['login', 'root', '--password', ''], "not connected to a server, see 'devpi use'"],
    [['user', '-l'], "not connected to a server, see 'devpi use'"],
    [['user', '-c'], 'need to specify a username'],
    [['index', '-c', 'x', 'novalue'], "arguments must be format NAME=VALUE: ['novalue']"],
    [['getjson', '/'], 'no server currently selected'],
  ] as const
  for (const [words, message] of rows) {
    const { code, out } = await bench.run(words)
    assert.deepEqual([code, out], [1, [message]], words.join(' '))
  }
})

test('wrong usage ends with 2 and a hint', async () => {
  await using bench = await Bench.open()
  const unknown = await bench.run(['lits'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.err.join('\n'), /Did you mean list\?/)
  assert.equal((await bench.run(['use', '--nope'])).code, 2)
  assert.equal((await bench.run(['user', '-c', '--delete', 'x'])).code, 2)
})
