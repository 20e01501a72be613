import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { acmeForm, BAD_FORMS } from '../builders/bad-forms.ts'
import { BAD_SDISTS } from '../builders/bad-sdists.ts'
import { acmeWheel, BAD_WHEELS } from '../builders/bad-wheels.ts'
import { type FormPart, multipart } from '../builders/multipart.ts'
import { type Answer, startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice, stranger } = world
/** What each was told, without hints. */
const told = new Map<string, string>()

const CASES = [
  ...[...BAD_WHEELS, ...BAD_SDISTS].map(({ what, filename, bytes, says }) => ({
    what,
    says,
    parts: acmeForm({}, [{ name: 'content', filename, content: bytes }]),
  })),
  ...BAD_FORMS,
]

async function sends(parts: readonly FormPart[]): Promise<Answer> {
  const form = multipart(parts)
  return await alice.asks('/alice/dev/', { body: form.body, headers: { 'content-type': form.contentType } })
}
const serial = async () => (await stranger.asks('/+api')).headers['x-devpi-serial']

test('the wheel that they are made from is accepted elsewhere', async () => {
  await alice.asks('/alice/good', { method: 'PUT', json: {} })
  const form = multipart(acmeForm())
  const headers = { 'content-type': form.contentType }
  assert.equal((await alice.asks('/alice/good/', { body: form.body, headers })).status, 200)
})

for (const { what, says, parts } of CASES) {
  test(`${what} is refused, and nothing is kept`, async () => {
    const [before, blobs] = [await serial(), await world.blobs()]
    const answer = await sends(parts)
    assert.equal(answer.status, 400, answer.text)
    const sentence = answer.text.split('\nhint: ')[0]!
    assert.ok(sentence.includes(says), answer.text)
    assert.ok(sentence.length < 1000, sentence)
    told.set(what, sentence)
    assert.equal(await serial(), before)
    assert.deepEqual(await world.blobs(), blobs)
    assert.deepEqual(await world.drafts(), [])
    assert.equal((await stranger.asks('/alice/dev/+simple/acme/')).status, 404)
  })
}

test('more than sixty were refused, each with a sentence of its own', () => {
  assert.ok(CASES.length > 60)
  assert.equal(new Set(CASES.map(({ what }) => what)).size, CASES.length)
  const sentences = new Map<string, string[]>()
  for (const [what, sentence] of told) sentences.set(sentence, [...(sentences.get(sentence) ?? []), what])
  assert.deepEqual(
    [...sentences].filter(([, whats]) => whats.length > 1),
    [],
  )
})

test('all that is wrong with form, archive and metadata is told at once, with what to do', async () => {
  const METADATA = 'Metadata-Version: 2.4\nName: acme\nVersion: 1.0\nRequires-Dist: a b\nLicense-File: LICENCE\n'
  const content = acmeWheel({ METADATA, WHEEL: 'Wheel-Version: 9.0\n' })
  const filename = 'acme-1.0-py3-none-any.whl'
  const { text } = await sends(acmeForm({ pyversion: 'cp39' }, [{ name: 'content', filename, content }]))
  for (const says of ['pyversion', 'Wheel-Version "9.0"', 'licence file "LICENCE"', 'Requires-Dist "a b"']) {
    assert.ok(text.includes(says), text)
  }
  assert.match(text, /\nhint: upload with a current tool.*; build the wheel again/)
})
