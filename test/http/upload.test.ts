import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { cutShort, notAZip, sdist, wheel } from '../builders/wheels.ts'
import { startWorld } from '../world/world.ts'

const world = await startWorld({ limits: { uploadBytes: 100_000 }, settings: { may_mirror: 'alice' } })
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
const bob = await world.person('bob')
await alice.asks('/alice/prod', { method: 'PUT', json: { volatile: false } })
await alice.asks('/alice/far', { method: 'PUT', json: { type: 'mirror', mirror_url: 'http://localhost:1/' } })
await alice.asks('/alice/open', { method: 'PUT', json: { acl_upload: [':ANONYMOUS:'] } })

const filesOf = async (index: string, project: string) => {
  const answer = await stranger.asks(`/${index}/+simple/${project}/`, { accept: 'application/vnd.pypi.simple.v1+json' })
  if (answer.status === 404) return []
  return answer.json<{ files: { filename: string; hashes: { sha256: string } }[] }>().files
}
const dataOf = async (index: string, project: string, version: string) =>
  (await stranger.asks(`/${index}/${project}/${version}`, { accept: 'application/json' })).json<{
    result: Record<string, unknown> & { '+links': { log: { what: string; who?: string; count?: number }[] }[] }
  }>().result

test('an upload is 200, to the address with and without final slash', async () => {
  const one = await alice.uploads(wheel({ name: 'one', version: '1.0' }), 'alice/dev')
  assert.equal(one.status, 200)
  const file = wheel({ name: 'one', version: '2.0' })
  const form = multipart([
    ...fieldParts({ ':action': 'file_upload', name: 'one', version: '2.0' }),
    { name: 'content', filename: file.filename, content: file.bytes },
  ])
  const two = await alice.asks('/alice/dev', { body: form.body, headers: { 'content-type': form.contentType } })
  assert.equal(two.status, 200)
  assert.equal((await filesOf('alice/dev', 'one')).length, 2)
})

test('credentials go as HTTP Basic, as twine sends them', async () => {
  const file = wheel({ name: 'basic', version: '1.0' })
  const form = multipart([
    ...fieldParts({ ':action': 'file_upload', name: 'basic', version: '1.0' }),
    { name: 'content', filename: file.filename, content: file.bytes },
  ])
  const send = (pair: string) =>
    stranger.asks('/alice/dev/', {
      body: form.body,
      headers: { 'content-type': form.contentType, authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    })
  assert.equal((await send('alice:wrong')).status, 401)
  assert.equal((await send('alice:password of alice')).status, 200)
})

for (const [what, who, index, status, reason, says] of [
  // devpi's own word, which its client shows to people, before the sentence.
  [
    'a stranger',
    stranger,
    'alice/dev',
    401,
    'Unauthorized: no permission to submit to alice/dev without login',
    'no permission to submit to alice/dev without login',
  ],
  ['somebody else', bob, 'alice/dev', 403, 'no permission to submit', undefined],
  ['the owner of a mirror', alice, 'alice/far', 404, 'cannot submit to mirror index', undefined],
  ['anybody, to an unknown index', alice, 'alice/none', 404, 'The stage alice/none could not be found.', undefined],
] as const) {
  test(`an upload by ${what} is ${status}, and the reason stands in the status line`, async () => {
    const before = await world.blobs()
    const answer = await who.uploads(wheel({ name: 'refused', version: '1.0' }), index)
    assert.equal(answer.status, status)
    assert.equal(answer.reason, reason)
    assert.ok(answer.text.startsWith(says ?? reason), answer.text)
    assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Basic realm="pypi"' : undefined)
    assert.equal(answer.headers.location, undefined)
    assert.deepEqual(await world.blobs(), before)
  })
}

test('anybody may upload where acl_upload says so', async () => {
  assert.equal((await stranger.uploads(wheel({ name: 'free', version: '1.0' }), 'alice/open')).status, 200)
})

const good = wheel({ name: 'bad', version: '1.0' })
for (const [what, file, fields, status, reason] of [
  ['no :action', good, { ':action': [] }, 400, ':action field not found'],
  ['an unknown action', good, { ':action': 'foo' }, 400, "action 'foo' not supported"],
  [
    'a filename of another version',
    good,
    { version: '3.0' },
    400,
    "filename 'bad-1.0-py3-none-any.whl' does not contain version '3.0'",
  ],
  [
    'a filename of another project',
    good,
    { name: 'other' },
    400,
    "filename 'bad-1.0-py3-none-any.whl' does not match project name 'other'",
  ],
  [
    'a name that is no archive',
    { ...good, filename: 'bad-1.0.txt' },
    { name: 'bad', version: '1.0' },
    400,
    "'bad-1.0.txt' is not a valid archive name",
  ],
  [
    'a wrong sha256',
    good,
    { sha256_digest: 'a'.repeat(64) },
    400,
    `sha256 of the file is ${good.sha256}, the form declares`,
  ],
  ['a wrong md5', good, { md5_digest: 'a'.repeat(32) }, 400, 'md5 of the file is'],
  ['no name', good, { name: '' }, 400, 'invalid metadata: the form has no name'],
  [
    'no name and no version',
    good,
    { name: [], version: [] },
    400,
    'invalid metadata: the form has no name and no version',
  ],
  ['a name with odd characters', good, { name: '<b>' }, 400, "invalid metadata: '<b>' is not a valid project name"],
  ['no version of PEP 440', good, { version: 'one' }, 400, "invalid metadata: 'one' is not a valid version (PEP 440)"],
  [
    'another requires_python',
    good,
    { requires_python: '>=99' },
    400,
    'invalid metadata: the archive says requires_python',
  ],
  ['a wheel cut short', { ...good, bytes: cutShort(good.bytes) }, {}, 400, 'Cannot read'],
  ['a login page', { ...good, bytes: notAZip() }, {}, 400, 'Cannot read'],
  ['no bytes', { ...good, bytes: Buffer.alloc(0) }, {}, 400, "file 'bad-1.0-py3-none-any.whl' is empty"],
  [
    'a path as filename',
    { ...good, filename: '../../bad-1.0-py3-none-any.whl' },
    { name: 'bad', version: '1.0' },
    undefined,
    undefined,
  ],
] as const) {
  test(`an upload with ${what} is refused and leaves nothing`, async () => {
    const serial = (await stranger.asks('/+api')).headers['x-devpi-serial']
    const answer = await alice.uploads(file, 'alice/dev', fields as Record<string, string>)
    if (status === undefined) {
      // The path is cut off or refused; it is never followed.
      assert.ok(answer.status === 400 || answer.status === 200, answer.text)
      if (answer.status === 200)
        assert.deepEqual(
          (await filesOf('alice/dev', 'bad')).map((each) => each.filename),
          [good.filename],
        )
      return
    }
    assert.equal(answer.status, status, answer.text)
    assert.ok(answer.reason.startsWith(reason), answer.reason)
    assert.ok(answer.text.startsWith(reason), answer.text)
    assert.deepEqual(await filesOf('alice/dev', 'bad'), [])
    assert.deepEqual(await world.drafts(), [])
    assert.equal((await stranger.asks('/+api')).headers['x-devpi-serial'], serial)
  })
}

test('a file past the limit is 413 and says which setting allows it', async () => {
  const { randomBytes } = await import('node:crypto')
  const big = wheel({ name: 'big', version: '1.0', files: { 'big/x': randomBytes(120_000) } })
  const answer = await alice.uploads(big, 'alice/dev')
  assert.equal(answer.status, 413)
  assert.match(answer.text, /^Cannot accept the file: it has more than 100000 bytes\nhint: .*max_request_body_size/)
  assert.deepEqual(await world.drafts(), [])
})

test('all that is wrong is told at once', async () => {
  const answer = await alice.uploads(good, 'alice/dev', { version: '3.0', md5_digest: 'a'.repeat(32) })
  assert.match(answer.text, /does not contain version '3\.0'; md5 of the file/)
})

test('what is no form is 400', async () => {
  for (const [type, body] of [
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=x', 'x'],
    ['application/x-www-form-urlencoded', ':action=file_upload'],
    ['text/plain', 'x'],
  ] as const) {
    const answer = await alice.asks('/alice/dev/', { body, headers: { 'content-type': type } })
    assert.ok(answer.status >= 400 && answer.status < 500, `${type}: ${answer.status} ${answer.text}`)
  }
  assert.deepEqual(await world.drafts(), [])
})

test('a form without a file is 400', async () => {
  const form = multipart(fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' }))
  const answer = await alice.asks('/alice/dev/', { body: form.body, headers: { 'content-type': form.contentType } })
  assert.deepEqual([answer.status, answer.reason], [400, 'content file field not found'])
})

test('a volatile index replaces a file and writes it down', async () => {
  const first = wheel({ name: 'again', version: '1.0' })
  const second = wheel({ name: 'again', version: '1.0', files: { 'again/new': 'x' } })
  await alice.uploads(first, 'alice/dev')
  await alice.uploads(second, 'alice/dev')
  const [file, ...more] = await filesOf('alice/dev', 'again')
  assert.equal(more.length, 0)
  assert.equal(file!.hashes.sha256, second.sha256)
  const log = (await dataOf('alice/dev', 'again', '1.0'))['+links'][0]!.log
  assert.deepEqual(
    log.map((entry) => [entry.what, entry.who, entry.count]),
    [
      ['overwrite', 'alice', 1],
      ['upload', 'alice', undefined],
    ],
  )
})

test('a non-volatile index takes the same file again, and no other under its name', async () => {
  const first = wheel({ name: 'kept', version: '1.0', summary: 'First' })
  const other = wheel({ name: 'kept', version: '1.0', summary: 'Second' })
  assert.equal((await alice.uploads(first, 'alice/prod', { summary: 'First' })).status, 200)
  const same = await alice.uploads(first, 'alice/prod')
  assert.deepEqual([same.status, same.reason], [200, 'Upload of identical file to non volatile index.'])
  const refused = await alice.uploads(other, 'alice/prod', { summary: 'Second' })
  assert.equal(refused.status, 409)
  assert.equal(refused.reason, 'kept-1.0-py3-none-any.whl already exists in non-volatile index')
  assert.equal((await filesOf('alice/prod', 'kept'))[0]!.hashes.sha256, first.sha256)
  assert.equal((await dataOf('alice/prod', 'kept', '1.0')).summary, 'First')
})

test('of two uploads of different content at once a non-volatile index takes exactly one', async () => {
  const contents = Array.from({ length: 6 }, (_, each) =>
    wheel({ name: 'race', version: '1.0', files: { 'race/n': String(each) } }),
  )
  const answers = await Promise.all(contents.map((each) => alice.uploads(each, 'alice/prod')))
  const statuses = answers.map((answer) => answer.status).sort()
  assert.deepEqual(statuses, [200, 409, 409, 409, 409, 409])
  const winner = contents[answers.findIndex((answer) => answer.status === 200)]!
  assert.deepEqual(
    (await filesOf('alice/prod', 'race')).map((each) => each.hashes.sha256),
    [winner.sha256],
  )
})

test('metadata comes from the file, whatever the form leaves out', async () => {
  const file = sdist({
    name: 'told',
    version: '1.0',
    summary: 'From the file',
    requiresPython: '>=3.9',
    requiresDist: ['acme'],
  })
  assert.equal((await alice.uploads(file, 'alice/dev')).status, 200)
  const data = await dataOf('alice/dev', 'told', '1.0')
  assert.equal(data.summary, 'From the file')
  assert.equal(data.requires_python, '>=3.9')
  assert.deepEqual(data.requires_dist, ['acme'])
})

test('submit registers a release without a file and replaces its metadata', async () => {
  assert.equal((await alice.registers('noted', '1.0', 'alice/dev', { summary: 'One' })).status, 200)
  assert.equal((await dataOf('alice/dev', 'noted', '1.0')).summary, 'One')
  assert.equal((await alice.registers('noted', '1.0', 'alice/dev', { summary: 'Two' })).status, 200)
  assert.equal((await dataOf('alice/dev', 'noted', '1.0')).summary, 'Two')
})

test('JSON to an upload address is no form', async () => {
  const answer = await alice.asks('/alice/dev', { json: { name: 'x' } })
  assert.equal(answer.status, 400)
})

test('an upload that breaks off leaves nothing', async () => {
  const file = wheel({ name: 'broken', version: '1.0' })
  const form = multipart([
    ...fieldParts({ ':action': 'file_upload', name: 'broken', version: '1.0' }),
    { name: 'content', filename: file.filename, content: file.bytes },
  ])
  const head = [
    'POST /alice/dev/ HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    `X-Devpi-Auth: ${alice.credentials['x-devpi-auth']}`,
    `Content-Type: ${form.contentType}`,
    `Content-Length: ${form.body.length}`,
  ]
  const half = form.body.subarray(0, form.body.length - 200)
  await world.raw(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), half]), { isCut: true })
  for (let wait = 0; wait < 500 && (await world.drafts()).length > 0; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.deepEqual(await world.drafts(), [])
  assert.deepEqual(await filesOf('alice/dev', 'broken'), [])
})
