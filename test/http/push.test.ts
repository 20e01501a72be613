import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { type BuiltFile, sdist, wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { startServer } from '../programs/server-process.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { type Answer, type Ask, type Person, startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
const uploadTime = '2024-05-06T07:08:09.000000Z'
const glue = [wheel({ name: 'glue', version: '0.3', summary: 'Sticks' }), sdist({ name: 'glue', version: '0.3' })]
for (const file of glue) upstream.add('glue', { ...file, uploadTime, yanked: 'too strong', requiresPython: '>=3.7' })
upstream.add('glue', wheel({ name: 'glue', version: '0.4' }))
for (const tag of ['cp310', 'cp311', 'cp312']) {
  const { bytes } = wheel({ name: 'bulky', version: '1.0', summary: tag })
  upstream.add('bulky', { filename: `bulky-1.0-${tag}-none-any.whl`, bytes })
}
for (const tag of ['py3-none-any', 'py3-none-linux_x86_64', 'py3-none-win_amd64']) {
  const { path } = upstream.add('rope', wheel({ name: 'rope', version: '1.0', tag }))
  if (tag.includes('win')) upstream.misbehave(path, { kind: 'status', status: 404 })
}
const world = await startWorld({ upstream, settings: { may_push_out: 'alice' } })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice, stranger } = world
const bob = await world.person('bob')
for (const [name, options] of [
  ['prod', { volatile: false }],
  ['test', {}],
  ['secret', { acl_pkg_read: ['alice'] }],
] as const) {
  await alice.asks(`/alice/${name}`, { method: 'PUT', json: options })
}

const ACME = { name: 'acme', version: '1.0' }
const acmeWheel = wheel({ ...ACME, summary: 'Anvils', requiresPython: '>=3.9' })
const acmeSource = sdist({ ...ACME, summary: 'Anvils', requiresPython: '>=3.9' })
const documentation: BuiltFile = {
  ...acmeWheel,
  filename: 'acme-1.0.doc.zip',
  bytes: zip([{ name: 'index.html', content: 'Anvils' }]),
}
const placeOf = ({ sha256, filename }: BuiltFile) => `+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${filename}`

await alice.uploads(acmeWheel, 'alice/dev')
await alice.uploads(acmeSource, 'alice/dev')
await alice.uploads(documentation, 'alice/dev', { ':action': 'doc_upload', ...ACME })
const tested = await alice.asks(`/alice/dev/${placeOf(acmeWheel)}`, { json: { testenvs: {} } })
const resultName = /[^/]+\.toxresult-\d+-0/.exec(tested.text)![0]

type Row = [number, ...string[]]
interface VersionData {
  readonly [key: string]: unknown
  readonly '+links': readonly { rel: string; href: string; log: { what: string; src?: string; dst?: string }[] }[]
}

function push(sent: object, who: Person = alice, path = '/alice/dev', more: Ask = {}): Promise<Answer> {
  return who.asks(path, { method: 'POST', json: { ...ACME, targetindex: 'alice/test', ...sent }, ...more })
}
const rowsOf = (answer: Answer): Row[] => {
  const { type, result } = answer.json<{ type: string; result: Row[] }>()
  assert.equal(type, 'actionlog', answer.text)
  return result
}
const dataOf = async (index: string, project: string, version: string): Promise<VersionData> => {
  const answer = await alice.asks(`/${index}/${project}/${version}?ignore_bases`, { accept: 'application/json' })
  return answer.json<{ result: VersionData }>().result
}

test('+api says that pushes take documentation, or leave it, and register', async () => {
  const { result } = (await stranger.asks('/alice/dev/+api')).json<{ result: { features: string[] } }>()
  for (const feature of ['push-no-docs', 'push-only-docs', 'push-register-project']) {
    assert.ok(result.features.includes(feature), feature)
  }
  assert.deepEqual(result.features, [...result.features].sort())
})

test('a push is answered with what was stored, and the target has all of it', async () => {
  const answer = await push({ targetindex: 'alice/prod' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.deepEqual(rowsOf(answer), [
    [200, 'register', 'acme', '1.0', '->', 'alice/prod'],
    [200, 'store_releasefile', `alice/prod/${placeOf(acmeWheel)}`],
    [200, 'store_toxresult', `alice/prod/${placeOf(acmeWheel).replace(acmeWheel.filename, resultName)}`],
    [200, 'store_releasefile', `alice/prod/${placeOf(acmeSource)}`],
    [200, 'store_doczip', 'acme', '1.0', '->', 'alice/prod'],
  ])
  const data = await dataOf('alice/prod', 'acme', '1.0')
  assert.equal(data.summary, 'Anvils')
  assert.equal(data['+links'].length, 4)
  for (const { href, log } of data['+links']) {
    assert.deepEqual(
      log.map((each) => [each.what, each.src, each.dst]),
      [
        ['upload', undefined, 'alice/dev'],
        ['push', 'alice/dev', 'alice/prod'],
      ],
    )
    const { pathname } = new URL(href)
    const [here, there] = [pathname, pathname.replace('/alice/prod/', '/alice/dev/')]
    assert.deepEqual((await stranger.asks(here)).bytes, (await stranger.asks(there)).bytes, href)
  }
  const metadata = `${placeOf(acmeWheel)}.metadata`
  assert.equal(
    (await stranger.asks(`/alice/prod/${metadata}`)).text,
    (await stranger.asks(`/alice/dev/${metadata}`)).text,
  )
  const pages = await Promise.all(
    ['alice/dev', 'alice/prod'].map(async (index) => {
      const ask = { accept: 'application/vnd.pypi.simple.v1+json' }
      const { files } = (await stranger.asks(`/${index}/+simple/acme/`, ask)).json<{ files: { url: string }[] }>()
      return files.map(({ url: _url, ...facts }) => facts)
    }),
  )
  assert.deepEqual(pages[1], pages[0])
})

const ORDER = JSON.stringify({ ...ACME, targetindex: 'alice/test' })
for (const [what, path, ask] of [
  ['with a final slash', '/alice/dev/', {}],
  ['with a query', '/alice/dev?x=1', {}],
  ['with a charset', '/alice/dev', { headers: { 'content-type': 'application/json;charset=UTF-8' } }],
  ['in capitals', '/alice/dev', { headers: { 'content-type': 'APPLICATION/JSON' } }],
] as const) {
  test(`a push ${what} is taken`, async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await alice.asks(path, { method: 'POST', body: ORDER, headers, ...ask })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(rowsOf(answer).length, 5)
  })
}

for (const type of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/jsonx',
  'text/plain; application/json',
  '',
]) {
  test(`a push that is called ${type === '' ? 'nothing' : type} is none: pages of elsewhere can have such sent`, async () => {
    const answer = await alice.asks('/alice/dev', { method: 'POST', body: ORDER, headers: { 'content-type': type } })
    assert.equal(answer.status, 415)
    if (type !== '') assert.equal(answer.reason, 'Cannot read the request: its body is not called JSON')
  })
}

for (const path of ['/alice/dev', '/alice/dev/']) {
  test(`PUSH ${path} is taken`, async () => {
    const lines = [
      `PUSH ${path} HTTP/1.1`,
      'host: localhost',
      'connection: close',
      'content-type: application/json',
      `x-devpi-auth: ${alice.credentials['x-devpi-auth']}`,
      `content-length: ${ORDER.length}`,
    ]
    const answer = await world.raw(`${lines.join('\r\n')}\r\n\r\n${ORDER}`)
    assert.match(answer, /^HTTP\/1\.1 200 OK/)
    assert.match(answer, /"store_doczip"/)
  })
}

for (const [what, sent, who, path, status, message] of [
  [
    'to where it is',
    { targetindex: 'alice/prod' },
    alice,
    '/alice/dev',
    409,
    `${acmeWheel.filename} already exists in non-volatile index`,
  ],
  [
    'of no such version',
    { version: '9' },
    alice,
    '/alice/dev',
    400,
    'there are no files for acme 9 on stage alice/dev',
  ],
  ['by who may not upload', {}, bob, '/alice/dev', 401, "user 'bob' cannot upload to 'alice/test'"],
  ['by nobody', {}, stranger, '/alice/dev', 401, "user None cannot upload to 'alice/test'"],
  ['from no index', {}, alice, '/alice/none', 404, 'The stage alice/none could not be found.'],
  ['from where one may not read', {}, bob, '/alice/secret', 403, 'package read forbidden'],
  ['from where strangers may not read', {}, stranger, '/alice/secret', 403, 'package read forbidden'],
  ['of no name', { name: undefined }, alice, '/alice/dev', 400, 'Bad request: no name/version specified'],
  [
    'elsewhere by nobody',
    { targetindex: null, posturl: 'http://127.0.0.1:1/', username: '', password: '' },
    stranger,
    '/alice/dev',
    401,
    'no permission to push elsewhere without login',
  ],
] as const) {
  test(`a push ${what} is refused with ${status}, in JSON`, async () => {
    for (const more of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
      const answer = await push(sent, who, path, more)
      assert.equal(answer.status, status, answer.text)
      assert.equal(answer.json().message, message)
      assert.equal(answer.headers.location, undefined)
    }
  })
}

for (const body of ['', '{', '[]', '3', 'null', 'name=acme']) {
  test(`a push that is ${JSON.stringify(body)} is refused`, async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await alice.asks('/alice/dev', { method: 'POST', body, headers })
    assert.equal(answer.status, 400)
    assert.equal(answer.json().message, 'Bad request: could not decode json')
  })
}

test('a release of a mirror is fetched first, and keeps its upload time, its yank and its metadata', async () => {
  const answer = await push({ name: 'Glue', version: '0.3' }, alice, '/root/pypi')
  assert.deepEqual(rowsOf(answer), [
    [200, 'register', 'Glue', '0.3', '->', 'alice/test'],
    ...glue.map((file) => [200, 'store_releasefile', `alice/test/${placeOf(file)}`]),
  ])
  const ask = { accept: 'application/vnd.pypi.simple.v1+json' }
  const page = (await stranger.asks('/alice/test/+simple/glue/', ask)).json<{ files: Record<string, unknown>[] }>()
  assert.deepEqual(
    page.files.map((file) => [new Date(file['upload-time'] as string).getTime(), file.yanked, file['requires-python']]),
    glue.map(() => [new Date(uploadTime).getTime(), 'too strong', '>=3.7']),
  )
  assert.equal((await dataOf('alice/test', 'glue', '0.3')).summary, 'Sticks')
  assert.equal((await stranger.asks(`/alice/test/${placeOf(glue[0]!)}.metadata`)).status, 200)
  assert.equal(upstream.count('/packages/*'), 2)
})

test('a release larger than all that its mirror may keep is pushed whole', async () => {
  await world.root.asks('/root/pypi', { method: 'PATCH', json: ['mirror_cache_size=1000'] })
  const answer = await push({ name: 'bulky', version: '1.0' }, alice, '/root/pypi')
  await world.root.asks('/root/pypi', { method: 'PATCH', json: ['mirror_cache_size=unlimited'] })
  assert.equal(rowsOf(answer).filter(([status, what]) => status === 200 && what === 'store_releasefile').length, 3)
})

test('a push of a mirror whose file cannot be had changes nothing', async () => {
  const answer = await push({ name: 'rope' }, alice, '/root/pypi')
  assert.equal(answer.status, 502, answer.text)
  assert.match(String(answer.json().message), /404/)
  assert.equal((await stranger.asks('/alice/test/rope', { accept: 'application/json' })).status, 404)
  const unknown = await push({ name: 'nowhere' }, alice, '/root/pypi')
  assert.equal(unknown.status, 400, unknown.text)
})

test('a release that a form without files registers is there', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ ':action': 'submit', name: 'wile', version: '0.9', summary: 'E.' }).toString()
  const answer = await alice.asks('/alice/dev', { method: 'POST', body, headers })
  assert.equal(answer.status, 200, answer.text)
  assert.equal((await dataOf('alice/dev', 'wile', '0.9')).summary, 'E.')
  assert.equal((await bob.asks('/alice/dev', { method: 'POST', body, headers })).status, 403)
})

test('a push goes to another server, whole, and no credentials are logged', async () => {
  await using folder = await tempFolder()
  const args = ['serve', '--serverdir', `${folder.path}/there`, '--no-root-pypi']
  await using there = await startServer({ program: 'bin/airlock', args })
  const ask = async (path: string, method: string, json: object) => {
    const headers = { 'content-type': 'application/json', authorization: `Basic ${btoa('wile:roadrunner')}` }
    const response = await fetch(there.url + path, { method, headers, body: JSON.stringify(json) })
    assert.ok(response.ok, await response.text())
  }
  await ask('/wile', 'PUT', { password: 'roadrunner' })
  await ask('/wile/shop', 'PUT', { volatile: false })
  const sent = { targetindex: undefined, posturl: `${there.url}/wile/shop/`, username: 'wile', password: 'roadrunner' }
  const answer = await push({ ...sent, register_project: true })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(rowsOf(answer), [
    [200, 'register', 'acme', '1.0'],
    [200, 'upload', `alice/dev/${placeOf(acmeWheel)}`, ''],
    [200, 'upload', `alice/dev/${placeOf(acmeSource)}`, ''],
    [200, 'docfile', 'acme'],
  ])
  const found = await fetch(`${there.url}/wile/shop/acme/1.0`, { headers: { accept: 'application/json' } })
  const { result } = (await found.json()) as { result: VersionData }
  assert.equal(result.summary, 'Anvils')
  assert.deepEqual(result['+links'].map((link) => link.rel).sort(), ['doczip', 'releasefile', 'releasefile'])
  const file = await fetch(`${there.url}/wile/shop/${placeOf(acmeSource)}`)
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), acmeSource.bytes)

  const other = wheel({ ...ACME, files: { other: 'content' } })
  await push({ targetindex: 'alice/test' })
  await alice.uploads(other, 'alice/test')
  const refused = await push({ ...sent, no_docs: true }, alice, '/alice/test')
  assert.equal(rowsOf(refused)[0]![0], 409, refused.text)
  assert.match(rowsOf(refused)[0]![3]!, /already exists in non-volatile index/)
  const wrong = await push({ ...sent, password: 'coyote', no_docs: true })
  assert.equal(wrong.status, 502)
  assert.equal(rowsOf(wrong)[0]![0], 401)
  assert.ok(!/roadrunner|coyote/.test(JSON.stringify(world.logged)))
})

test('a form without an action is no push', async () => {
  const form = multipart(fieldParts({ name: 'acme', version: '1.0' }))
  const answer = await alice.asks('/alice/dev', { body: form.body, headers: { 'content-type': form.contentType } })
  assert.equal(answer.status, 400)
})
