import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Bench, loggedIn } from '../../../test/world/client-bench.ts'
import { readRepository } from '../installers/pypirc.ts'

const ROWS = [
  [200, 'register', 'acme', '1.0', '->', 'root/other'],
  [200, 'store_releasefile', 'root/other/+f/1/acme-1.0.tar.gz'],
]

const PYPIRC = `[distutils]
index-servers = company

[company]
repository: https://packages.example/upload/
username: builder
password: pä=ss # word

[public]
username = builder

[asks]
repository = https://packages.example/upload/
username = builder
`

function pushed(bench: Bench): unknown {
  const seen = bench.seen.findLast(({ line }) => line === 'PUSH /root/prod')
  return seen && JSON.parse(String(seen.body))
}

test('push sends name, version and target with PUSH, and shows what the server did', async () => {
  await using bench = await loggedIn()
  bench.answers['PUSH /root/prod'] = { json: { type: 'actionlog', result: ROWS } }
  assert.deepEqual(await bench.lines('push', 'acme==1.0', 'root/other'), [
    '   200 register acme 1.0 -> root/other',
    '   200 store_releasefile root/other/+f/1/acme-1.0.tar.gz',
  ])
  assert.deepEqual(pushed(bench), { name: 'acme', version: '1.0', targetindex: 'root/other' })
  const { headers } = bench.seen.at(-1)!
  assert.equal(headers['x-devpi-auth'], Buffer.from('root:tok-en').toString('base64'))
  assert.equal(headers['content-type'], 'application/json')
  const { code, out, err } = await bench.run(['push', '--json', '--no-docs', 'acme==1.0', 'root/other'])
  assert.deepEqual([code, JSON.parse(out.join('')), err.length], [0, ROWS, 2])
  assert.deepEqual(pushed(bench), { name: 'acme', version: '1.0', targetindex: 'root/other', no_docs: true })
})

test('push reads the former way to name a release, and says so', async () => {
  await using bench = await loggedIn()
  bench.answers['PUSH /root/prod'] = { json: { type: 'actionlog', result: [] } }
  assert.deepEqual(await bench.lines('push', 'acme-tools-1.0', 'root/other'), [
    'Old style package specification is deprecated, use this form: your-pkg-name==your.version.specifier',
  ])
  assert.deepEqual(pushed(bench), { name: 'acme-tools', version: '1.0', targetindex: 'root/other' })
})

test('push refuses before it asks the server what the server could not do', async () => {
  await using bench = await loggedIn()
  const form = 'The release specification needs to be of this form: name==version'
  const rows = [
    [['acme', 'root/other'], form],
    [['acme-tools', 'root/other'], form],
    [['acme>=1', 'root/other'], form],
    [['acme==1,==2', 'root/other'], form],
    [['acme==1.0', 'other'], "target 'other' not of form USER/NAME or pypi:REPONAME"],
    [['acme==1.0', 'a/b/c'], "target 'a/b/c' not of form USER/NAME or pypi:REPONAME"],
    [['--no-docs', '--only-docs', 'acme==1', 'a/b'], "Can't use '--no-docs' and '--only-docs' together."],
    [
      ['--only-docs', 'acme==1', 'a/b'],
      "The server doesn't support the '--only-docs' option, 6.14.0 or newer required.",
    ],
    [['acme==1', 'pypi:company'], 'no pypirc file found at: ~/.pypirc'],
  ] as const
  for (const [words, message] of rows) {
    const { code, out } = await bench.run(['push', ...words])
    assert.deepEqual([code, out], [1, [message]], words.join(' '))
  }
  assert.equal(pushed(bench), undefined)
})

test('push ends with 1 when the server refuses, or one of its rows tells of a failure', async () => {
  await using bench = await loggedIn()
  bench.answers['PUSH /root/prod'] = { status: 409, json: { message: 'acme-1.0.tar.gz already exists' } }
  assert.deepEqual(await bench.run(['push', 'acme==1.0', 'root/other']), {
    code: 1,
    out: ['PUSH URL/root/prod', '409 Conflict: acme-1.0.tar.gz already exists'],
    err: [],
  })
  bench.answers['PUSH /root/prod'] = {
    json: {
      type: 'actionlog',
      result: [
        [410, 'x'],
        [500, 'upload', 'no\ndisk'],
      ],
    },
  }
  assert.deepEqual(await bench.run(['push', 'acme==1.0', 'root/other']), {
    code: 1,
    out: ['   410 x', '   500 upload no', '   disk', 'Failure during upload'],
    err: [],
  })
})

test('push to a repository outside takes address and password from .pypirc', async () => {
  await using bench = await loggedIn()
  writeFileSync(bench.path('.pypirc'), PYPIRC)
  bench.answers['PUSH /root/prod'] = { status: 502, json: { type: 'actionlog', result: [[403, 'upload', 'f', 'no']] } }
  assert.deepEqual(await bench.run(['push', 'acme==1.0', 'pypi:company']), {
    code: 1,
    out: [
      'using pypirc ~/.pypirc',
      'PUSH URL/root/prod',
      '502 Bad Gateway',
      '   403 upload f no',
      'Failure during upload',
    ],
    err: [],
  })
  const outside = { name: 'acme', version: '1.0', posturl: 'https://packages.example/upload/', username: 'builder' }
  assert.deepEqual(pushed(bench), { ...outside, password: 'pä=ss # word' })
  bench.answers['PUSH /root/prod'] = { json: { type: 'actionlog', result: [[200, 'upload', 'f']] } }
  await bench.run(['push', 'acme==1.0', 'pypi:asks'], 'typed\n')
  assert.deepEqual(pushed(bench), { ...outside, password: 'typed' })
  assert.deepEqual((await bench.run(['push', '--register-project', 'acme==1.0', 'pypi:company'])).out, [
    'using pypirc ~/.pypirc',
    "The server doesn't support the '--register-project' option, 6.14.0 or newer required.",
  ])
})

test('readRepository() takes the public index where the section names no place', () => {
  const { url, isDefault, username, password } = readRepository(PYPIRC, 'public')
  assert.match(url.href, /^https:\/\/upload\.[^/]+\/legacy\/$/)
  assert.deepEqual([isDefault, username, password], [true, 'builder', undefined])
})

test('readRepository() says what a section lacks', () => {
  assert.throws(() => readRepository(PYPIRC, 'nowhere'), /there is no \[nowhere\] with a username/)
  assert.throws(() => readRepository(PYPIRC, 'distutils'), /there is no \[distutils\] with a username/)
  assert.throws(() => readRepository('[a]\nusername=u\nrepository=x', 'a'), /"x" is no http or https address/)
})
