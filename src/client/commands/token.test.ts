import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedIn } from '../../../test/world/client-bench.ts'

const TOKEN = { id: 3, user: 'root', note: 'nightly', actions: ['read', 'upload'], created: '2026-01-02T03:04:05.000Z' }
const SECRET = `airlock-${'x'.repeat(43)}`

test('token create sends the scopes, and puts the secret alone on stdout', async () => {
  await using bench = await loggedIn()
  bench.answers['POST /root/+tokens'] = { status: 201, json: { type: 'token', result: { ...TOKEN, token: SECRET } } }
  const scopes = ['--index', 'prod', '--index', 'ann/dev', '--project', 'acme', '--action', 'upload']
  const { code, out, err } = await bench.run(['token', 'create', ...scopes, '--expires', '30d', '--note', 'nightly'])
  assert.deepEqual([code, out], [0, [SECRET]])
  assert.match(
    err.join('\n'),
    /^3: nightly \(read,upload; every index; every project\), without end, never used\nhint: /,
  )
  assert.deepEqual(JSON.parse(String(bench.seen.at(-1)?.body)), {
    indexes: ['root/prod', 'ann/dev'],
    projects: ['acme'],
    actions: ['upload'],
    expires_in: 30 * 86_400,
    note: 'nightly',
  })
  const json = await bench.run(['token', 'create', '--json'])
  assert.equal(JSON.parse(json.out.join('')).token, SECRET)
  assert.deepEqual(JSON.parse(String(bench.seen.at(-1)?.body)), {})
  assert.equal((await bench.run(['token', 'create', '--expires', 'soon'])).code, 2)
})

test('token list and revoke work on the tokens of a user', async () => {
  await using bench = await loggedIn()
  const used = {
    ...TOKEN,
    indexes: ['root/prod'],
    expires: '2027-01-01T00:00:00.000Z',
    last_used: '2026-02-02T00:00:00Z',
  }
  bench.answers['GET /root/+tokens'] = { json: { type: 'list:token', result: [used] } }
  bench.answers['DELETE /ann/+tokens/3'] = { json: { message: 'done' } }
  assert.deepEqual(await bench.lines('token', 'list'), [
    '3: nightly (read,upload; root/prod; every project), until 2027-01-01T00:00:00.000Z, last used 2026-02-02T00:00:00Z',
  ])
  assert.deepEqual(JSON.parse((await bench.run(['token', 'list', '--json'])).out.join('')), [used])
  assert.deepEqual(await bench.lines('token', 'revoke', '3', '--user', 'ann'), ['token revoked: 3'])
  assert.equal((await bench.run(['token', 'revoke', '4'])).code, 1)
})

test('publisher add puts the identity together for each kind', async () => {
  await using bench = await loggedIn()
  const result = { id: 1, kind: 'oidc', issuer: 'https://ci.example', claims: { sub: 'a=b' }, all_projects: true }
  bench.answers['POST /root/prod/+publishers'] = { status: 201, json: { type: 'publisher', result } }
  for (const [words, sent] of [
    [
      [
        '--github',
        'octo/acme',
        '--workflow',
        'release.yml',
        '--environment',
        'pypi',
        '--project',
        'a',
        '--project',
        'b',
      ],
      {
        kind: 'github',
        owner: 'octo',
        repository: 'acme',
        workflow: 'release.yml',
        environment: 'pypi',
        projects: ['a', 'b'],
      },
    ],
    [
      ['--gitlab', 'group/sub/acme', '--ci-config', 'ci.yml', '--issuer', 'https://git.example', '--all-projects'],
      {
        kind: 'gitlab',
        namespace: 'group/sub',
        project: 'acme',
        ci_config_path: 'ci.yml',
        issuer: 'https://git.example',
        all_projects: true,
      },
    ],
    [
      ['--oidc', 'https://ci.example', '--claim', 'sub=a=b', '--claim', 'team=7', '--project', 'a'],
      { kind: 'oidc', issuer: 'https://ci.example', claims: { sub: 'a=b', team: '7' }, projects: ['a'] },
    ],
  ] as const) {
    const lines = await bench.lines('publisher', 'add', ...words)
    assert.deepEqual(lines, ['1: oidc sub=a=b by https://ci.example (every project)'])
    assert.deepEqual(JSON.parse(String(bench.seen.at(-1)?.body)), sent)
  }
  for (const words of [[], ['--github', 'a/b', '--gitlab', 'a/b']]) {
    assert.equal((await bench.run(['publisher', 'add', ...words])).code, 1)
  }
})

test('publisher list and remove work on the index in use, or another', async () => {
  await using bench = await loggedIn()
  const github = { id: 7, kind: 'github', issuer: 'https://i.example', owner: 'octo', repository: 'acme' }
  const shown = { ...github, workflow: 'release.yml', environment: 'pypi', projects: ['acme', 'tools'] }
  bench.answers['GET /root/prod/+publishers'] = { json: { type: 'list:publisher', result: [shown] } }
  bench.answers['DELETE /root/prod/+publishers/7'] = { json: { message: 'done' } }
  const line = '7: github octo/acme release.yml, environment=pypi by https://i.example (acme,tools)'
  assert.deepEqual(await bench.lines('publisher', 'list'), [line])
  assert.deepEqual(await bench.lines('publisher', 'list', '--index', 'root/prod'), [line])
  assert.deepEqual(JSON.parse((await bench.run(['publisher', 'list', '--json'])).out.join('')), [shown])
  assert.deepEqual(await bench.lines('publisher', 'remove', '7'), ['publisher removed: 7'])
})
