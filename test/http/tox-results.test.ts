import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { wheel } from '../wheels.ts'
import { type Answer, type Ask, startWorld } from '../world.ts'

const world = await startWorld({ limits: { toxResultBytes: 1000 } })
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
const file = wheel({ name: 'acme', version: '1.0' })
const at = (index: string) => `/${index}/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}/${file.filename}`
await alice.uploads(file, 'alice/dev')

// Odd spacing on purpose: the bytes are kept, not the meaning.
const BODY = '{"testenvs":  {"py": {"test": []}}}'
const post = (path: string, body: string, who = stranger, more: Ask = {}) =>
  who.asks(path, {
    method: 'POST',
    body,
    accept: 'application/json',
    ...more,
    headers: { 'content-type': 'application/json', ...more.headers },
  })
const tell = (answer: Answer) => [answer.status, answer.json<{ message?: string }>().message]

interface Link {
  rel: string
  href: string
  for_href?: string
  hash_spec: string
  log: { what: string; dst: string }[]
}
const links = async (): Promise<Link[]> =>
  (await stranger.asks('/alice/dev/acme/1.0', { accept: 'application/json' })).json<{ result: { '+links': Link[] } }>()
    .result['+links']

test('POST to a file stores a test result, byte by byte, and shows it among the links', async () => {
  const answer = await post(at('alice/dev'), BODY)
  assert.equal(answer.status, 200)
  const { type, result } = answer.json<{ type: string; result: string }>()
  assert.equal(type, 'toxresultpath')
  const [, path, hash] = /^(.*)#sha256=([0-9a-f]{64})$/.exec(result)!
  assert.match(path!, new RegExp(`^${at('alice/dev').slice(1).replace(/[+.]/g, '\\$&')}\\.toxresult-\\d{14}-0$`))
  const kept = await stranger.asks(`/${path}`)
  assert.equal(kept.text, BODY)
  assert.equal(kept.headers.etag, `"${hash}"`)
  const [release, tox] = await links()
  assert.equal(release?.rel, 'releasefile')
  assert.deepEqual(
    [tox?.rel, tox?.for_href, tox?.hash_spec, tox?.log.map((each) => [each.what, each.dst])],
    ['toxresult', release?.href, `sha256=${hash}`, [['upload', 'alice/dev']]],
  )
  assert.ok(tox?.href.endsWith(path!))
})

test('two results within one second are two', async () => {
  const before = (await links()).length
  const [one, two] = [await post(at('alice/dev'), '{"a": 1}'), await post(at('alice/dev'), '{"a": 2}', alice)]
  assert.notEqual(one.json<{ result: string }>().result, two.json<{ result: string }>().result)
  assert.equal((await links()).length, before + 2)
})

for (const [what, body, status, message] of [
  ['no JSON', 'not json', 400, 'Bad request: could not decode json'],
  ['nothing', '', 400, 'Bad request: could not decode json'],
  ['too much', JSON.stringify('x'.repeat(2000)), 413, 'The body is too large'],
] as const) {
  test(`a test result that is ${what} is refused with ${status} and not kept`, async () => {
    const before = await links()
    assert.deepEqual(tell(await post(at('alice/dev'), body)), [status, message])
    assert.deepEqual(await links(), before)
  })
}

test('a test result of what is not there is 404', async () => {
  const gone = at('alice/dev').replace('acme-1.0', 'acme-2.0')
  assert.deepEqual(tell(await post(gone, BODY)), [404, `no release file found at ${gone.slice(1)}`])
  assert.equal((await post(at('alice/none'), BODY)).status, 404)
  const [, tox] = await links()
  assert.equal((await post(new URL(tox!.href).pathname, BODY)).status, 404)
})

test('acl_toxresult_upload says who may', async () => {
  await alice.asks('/alice/dev', { method: 'PATCH', json: ['acl_toxresult_upload=alice'] })
  const refused =
    'No permission to upload tox results. You can use the devpi test --no-upload option to skip the upload.'
  assert.deepEqual(tell(await post(at('alice/dev'), BODY)), [403, refused])
  assert.equal((await post(at('alice/dev'), BODY, alice)).status, 200)
})

test('a test result goes with its file, and can be deleted alone', async () => {
  const [, tox] = await links()
  const path = new URL(tox!.href).pathname
  const before = (await links()).length
  assert.equal((await alice.asks(path, { method: 'DELETE' })).status, 200)
  assert.equal((await links()).length, before - 1)
  assert.equal((await stranger.asks(path)).status, 410)
  const [, other] = await links()
  assert.equal((await alice.asks(at('alice/dev'), { method: 'DELETE' })).status, 200)
  assert.equal((await stranger.asks(new URL(other!.href).pathname)).status, 410)
})
