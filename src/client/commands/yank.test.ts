import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bench, loggedIn } from '../../../test/world/client-bench.ts'

/** acme 0.9 without files, 1.0 and 2.0 with one each. */
async function withReleases(): Promise<Bench> {
  const bench = await loggedIn()
  const file = (version: string) => ({
    '+links': [{ rel: 'releasefile', href: `/root/prod/+f/1/acme-${version}.whl` }],
  })
  const result = { '2.0': file('2.0'), '1.0': file('1.0'), '0.9': {} }
  bench.answers['GET /root/prod/acme/?ignore_bases='] = { json: { type: 'projectconfig', result } }
  for (const what of ['yank', 'unyank']) {
    const yanked = what === 'yank' ? 'bad' : false
    const changed = [{ filename: 'acme-1.0.whl', version: '1.0', yanked }]
    bench.answers[`POST /root/prod/+${what}`] = { json: { type: 'yankedfiles', result: changed } }
  }
  bench.seen.length = 0
  return bench
}
const sent = (bench: Bench) =>
  bench.seen.filter(({ line }) => line.startsWith('POST')).map(({ body }) => JSON.parse(String(body)))

test('yank sends the release and the reason, and says which files changed', async () => {
  await using bench = await withReleases()
  assert.deepEqual(await bench.lines('yank', 'acme==1.0', '--reason', 'bad'), ['yanked acme-1.0.whl'])
  assert.deepEqual(sent(bench), [{ project: 'acme', version: '1.0', reason: 'bad' }])
  const data = await bench.run(['yank', '--json', 'acme==1.0'])
  assert.deepEqual(JSON.parse(data.out.join('')), [{ filename: 'acme-1.0.whl', version: '1.0', yanked: 'bad' }])
})

test('unyank takes no reason', async () => {
  await using bench = await withReleases()
  assert.deepEqual(await bench.lines('unyank', 'acme==1.0'), ['unyanked acme-1.0.whl'])
  assert.equal((await bench.run(['unyank', 'acme==1.0', '--reason', 'x'])).code, 2)
})

test('yank asks before it yanks several releases, and leaves out those without files', async () => {
  await using bench = await withReleases()
  const no = await bench.run(['yank', 'acme<9'], 'no\n')
  assert.deepEqual([no.code, no.out.at(-1)], [0, 'nothing is yanked'])
  assert.deepEqual(sent(bench), [])
  await bench.lines('yank', '-y', 'acme<9')
  assert.deepEqual(sent(bench), [
    { project: 'acme', version: '1.0' },
    { project: 'acme', version: '2.0' },
  ])
})

test('yank --file sends each file, of a release where one is named', async () => {
  await using bench = await withReleases()
  await bench.lines('yank', 'acme', '--file', 'a.whl', '--file', 'b.whl')
  await bench.lines('yank', 'acme==2.0', '--file', 'c.whl')
  assert.deepEqual(sent(bench), [
    { project: 'acme', filename: 'a.whl' },
    { project: 'acme', filename: 'b.whl' },
    { project: 'acme', version: '2.0', filename: 'c.whl' },
  ])
})

test('yank ends with 1 where nothing says what to yank, or nothing is there', async () => {
  await using bench = await withReleases()
  for (const [args, said] of [
    [['acme'], /name a release such as "pytest==2\.3\.5", or add --file NAME/],
    [['a b'], /^Cannot yank "a b"/],
    [['acme==7'], /^No releases found matching 'acme==7'/],
    [['acme<9', '--file', 'a.whl'], /Cannot tell of which release the files are/],
  ] as const) {
    const got = await bench.run(['yank', ...args])
    assert.equal(got.code, 1)
    assert.match(got.out.join('\n'), said)
  }
  bench.answers['POST /root/prod/+yank'] = { status: 403, json: { message: 'no permission' } }
  const refused = await bench.run(['yank', 'acme==1.0'])
  assert.deepEqual([refused.code, /403 Forbidden: no permission/.test(refused.out.join('\n'))], [1, true])
})

test('yank says where all was yanked already', async () => {
  await using bench = await withReleases()
  bench.answers['POST /root/prod/+yank'] = { json: { type: 'yankedfiles', result: [] } }
  assert.deepEqual(await bench.lines('yank', 'acme==1.0'), ['nothing to yank: it was so already'])
})

test('status shows what a project is, and sets it', async () => {
  await using bench = await withReleases()
  const answer = { json: { type: 'projectstatus', result: { project: 'acme', status: 'archived', reason: 'done' } } }
  bench.answers['GET /root/prod/+status/acme'] = answer
  bench.answers['PUT /root/prod/+status/acme'] = answer
  bench.answers['GET /root/pypi/+status/acme'] = {
    json: { type: 'projectstatus', result: { project: 'acme', status: 'active' } },
  }
  assert.deepEqual(await bench.lines('status', 'acme'), ['acme: archived (done)'])
  assert.deepEqual(await bench.lines('status', '--index', 'root/pypi', 'acme'), ['acme: active'])
  assert.deepEqual(await bench.lines('status', 'acme', 'archived', '--reason', 'done'), ['acme: archived (done)'])
  assert.deepEqual(JSON.parse(String(bench.seen.at(-1)?.body)), { status: 'archived', reason: 'done' })
  const data = await bench.run(['status', '--json', 'acme'])
  assert.deepEqual(JSON.parse(data.out.join('')), { project: 'acme', status: 'archived', reason: 'done' })
  const alone = await bench.run(['status', 'acme', '--reason', 'x'])
  assert.deepEqual([alone.code, /Cannot set a reason alone/.test(alone.out.join(''))], [1, true])
})
