/** Wrong, expired and made-up login tokens on every way of writing: the right refusal each time, nothing written. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { type Ask, startWorld } from '../world/world.ts'

const world = await startWorld()
const elsewhere = await startWorld()
after(async () => {
  await world[Symbol.asyncDispose]()
  await elsewhere[Symbol.asyncDispose]()
})
const { alice, root, stranger } = world
const bob = await world.person('bob')
await bob.asks('/bob/dev', { method: 'PUT', json: {} })
const file = wheel({ name: 'acme', version: '1.0' })
await alice.uploads(file, 'alice/dev')

const tokenOf = (who: { credentials: Readonly<Record<string, string>> }) =>
  Buffer.from(who.credentials['x-devpi-auth']!, 'base64').toString().split(':')[1]!
const token = tokenOf(alice)
const [prefix, payload, signature] = token.split('.') as [string, string, string]
const base64url = (text: string) => Buffer.from(text).toString('base64url')
const signed = (text: string, secret: string) =>
  `${prefix}.${base64url(text)}.${createHmac('sha256', secret)
    .update(`${prefix}.${base64url(text)}`)
    .digest('base64url')}`
const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, string, number]
// Logged in long ago: what the clock then goes on to makes these expire, and alice and bob log in anew.
const expired = { alice: token, root: tokenOf(root) }
world.passes(36_001_000)
const login = async (user: string, password: string) =>
  (await stranger.asks('/+login', { json: { user, password } })).json<{ result: { password: string } }>().result
    .password
const fresh = { alice: await login('alice', 'password of alice'), bob: await login('bob', 'password of bob') }

/** User and secret, as `X-Devpi-Auth` and as HTTP Basic. */
const CREDENTIALS: readonly (readonly [what: string, user: string, secret: string])[] = [
  ['a wrong password', 'alice', 'not this one'],
  ['the empty password', 'alice', ''],
  ['another user’s token', 'alice', fresh.bob],
  ['an expired token', 'alice', expired.alice],
  ['root’s expired token', 'root', expired.root],
  ['a token of another server', 'alice', tokenOf(elsewhere.alice)],
  ['a token cut short', 'alice', fresh.alice.slice(0, -1)],
  ['a token with more behind', 'alice', `${fresh.alice}A`],
  ['a token without signature', 'alice', `${prefix}.${payload}.`],
  ['a token with another’s payload', 'alice', `${prefix}.${fresh.bob.split('.')[1]}.${fresh.alice.split('.')[2]}`],
  [
    'a token made root’s',
    'root',
    `${prefix}.${base64url(JSON.stringify(['root', claims[1], claims[2] * 2]))}.${signature}`,
  ],
  ['a token signed with nothing', 'root', signed(JSON.stringify(['root', claims[1], 9_999_999_999]), '')],
  ['a token signed with a guess', 'root', signed(JSON.stringify(['root', claims[1], 9_999_999_999]), 'secret')],
  ['a payload that is no list', 'alice', signed('{"user":"alice"}', 'x')],
  ['devpi’s own form', 'alice', '["alice", [], true].awKqOQ.hHGK0123456789abcdef'],
  ['devpi’s own form for root', 'root', '["root", ["admins"], false].awKqOQ.hHGK0123456789abcdef'],
  ['a JSON web token without a signature', 'alice', `${base64url('{"alg":"none"}')}.${base64url('{"sub":"alice"}')}.`],
  ['NUL', 'alice', '\0'],
  ['an emoji', 'alice', '🐍'],
  ['10,000 characters', 'alice', 'x'.repeat(10_000)],
]

const upload = () => {
  const form = multipart([
    ...fieldParts({ ':action': 'file_upload', name: 'acme', version: '2.0' }),
    {
      name: 'content',
      ...wheel({ name: 'acme', version: '2.0' }),
      content: wheel({ name: 'acme', version: '2.0' }).bytes,
    },
  ])
  return { body: form.body, headers: { 'content-type': form.contentType } }
}
const address = `/alice/dev/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}/${file.filename}`
const push = { name: 'acme', version: '1.0', targetindex: 'bob/dev' }
await alice.asks('/alice/dev', { method: 'PATCH', json: [] })
const WRITES: readonly (readonly [what: string, path: string, ask: Ask, status: number])[] = [
  ['upload', '/alice/dev/', upload(), 401],
  ['push', '/alice/dev', { json: push }, 401],
  ['a change of the user', '/alice', { method: 'PATCH', json: { email: 'x@example.org' } }, 403],
  ['a new password', '/alice', { method: 'PATCH', json: { password: 'mine' } }, 403],
  ['the end of the user', '/alice', { method: 'DELETE' }, 403],
  ['a new index', '/alice/new', { method: 'PUT', json: {} }, 403],
  ['a change of the index', '/alice/dev', { method: 'PATCH', json: ['volatile=False'] }, 403],
  ['the end of the index', '/alice/dev', { method: 'DELETE' }, 403],
  ['the end of a project', '/alice/dev/acme', { method: 'DELETE' }, 403],
  ['the end of a version', '/alice/dev/acme/1.0', { method: 'DELETE' }, 403],
  ['the end of a file', address, { method: 'DELETE' }, 403],
  ['a group', '/+groups/g', { method: 'PUT', json: { members: ['alice'] } }, 403],
]

for (const [what, user, secret] of CREDENTIALS) {
  test(`${what} writes nothing anywhere`, async () => {
    const before = { serial: await world.server.stores.catalog.latestSerial(), blobs: await world.blobs() }
    const pair = Buffer.from(`${user}:${secret}`).toString('base64')
    const forms: Record<string, string>[] = [{ 'x-devpi-auth': pair }, { authorization: `Basic ${pair}` }]
    for (const [form, credentials] of forms.entries()) {
      for (const [place, [way, path, ask, status]] of WRITES.entries()) {
        if (place % 2 !== form) continue
        const headers = { ...ask.headers, ...credentials }
        const answer = await stranger.asks(path, { ...ask, headers })
        assert.equal(answer.status, status, `${way}: ${answer.text}`)
        if (way === 'upload') assert.equal(answer.headers['www-authenticate'], 'Basic realm="pypi"')
        assert.ok(!answer.text.includes(secret) || secret.length < 2, 'the secret is not told back')
      }
      const status = await stranger.asks('/+api', { headers: credentials })
      assert.equal(status.json<{ result: { authstatus: unknown[] } }>().result.authstatus[0], 'noauth')
    }
    assert.deepEqual({ serial: await world.server.stores.catalog.latestSerial(), blobs: await world.blobs() }, before)
    assert.deepEqual(await world.drafts(), [])
    const logged = JSON.stringify(world.logged)
    assert.ok(secret.length < 6 || !logged.includes(secret), 'the secret is not logged')
  })
}

test('what was refused is done at once for the right token', async () => {
  const headers = { 'x-devpi-auth': Buffer.from(`alice:${fresh.alice}`).toString('base64') }
  const answer = await stranger.asks('/alice/new', { method: 'PUT', json: {}, headers })
  assert.equal(answer.status, 200)
})
