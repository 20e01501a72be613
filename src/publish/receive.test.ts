import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { type FormPart, multipart } from '../../test/builders/multipart.ts'
import { MemoryBlobs } from '../../test/world/memory-blobs.ts'
import { collect } from '../lib/streams.ts'
import type { Problem } from '../model/errors.ts'
import { receive, type UploadForm } from './receive.ts'

const LIMITS = { uploadBytes: 10_000, formFieldBytes: 1000, formFields: 20, smallForms: 2 }
const FILE: FormPart = { name: 'content', filename: 'acme-1.0.tar.gz', content: 'f'.repeat(5000) }
const NAME: FormPart = { name: 'name', content: 'acme' }
const VERSION: FormPart = { name: 'version', content: '1.0' }

interface Received extends AsyncDisposable {
  readonly form: UploadForm
  readonly content: string | undefined
  readonly blobs: MemoryBlobs
}

/** `pieceBytes`: how the body is cut on its way. */
async function received(parts: readonly FormPart[], pieceBytes = 1000): Promise<Received> {
  const { contentType, body } = multipart(parts)
  const blobs = new MemoryBlobs()
  const form = await receive({ 'content-type': contentType }, pieces(body, pieceBytes), blobs, LIMITS)
  const draft = form.content?.draft
  const content = draft && (await collect(draft.read({ start: 0, end: draft.sizeBytes }), 1e6)).toString()
  return {
    form,
    content,
    blobs,
    [Symbol.asyncDispose]: async () => {
      await draft?.[Symbol.asyncDispose]()
      assert.equal(blobs.drafts, 0)
    },
  }
}

function pieces(body: Buffer, pieceBytes: number): Readable {
  const cut: Buffer[] = []
  for (let at = 0; at < body.length; at += pieceBytes) cut.push(body.subarray(at, at + pieceBytes))
  return Readable.from(cut)
}

/** Refused with that code, and nothing is left behind. */
async function refused(code: Problem['code'], headers: Record<string, string>, body: Readable): Promise<Problem> {
  const blobs = new MemoryBlobs()
  let problem: Problem | undefined
  await assert.rejects(receive(headers, body, blobs, LIMITS), (error: Problem) => {
    problem = error
    return error.code === code
  })
  assert.equal(blobs.drafts, 0)
  assert.deepEqual(await Array.fromAsync(blobs.list()), [])
  return problem!
}

for (const [what, parts] of [
  ['last', [NAME, VERSION, FILE]],
  ['first', [FILE, NAME, VERSION]],
  ['between', [NAME, FILE, VERSION]],
] as const) {
  for (const pieceBytes of [1, 7, 1000, 1_000_000]) {
    test(`receive() takes a form with the file ${what}, in pieces of ${pieceBytes}`, async () => {
      await using got = await received(parts, pieceBytes)
      assert.deepEqual(
        [...got.form.fields],
        [
          ['name', ['acme']],
          ['version', ['1.0']],
        ],
      )
      assert.equal(got.form.content!.filename, 'acme-1.0.tar.gz')
      assert.equal(got.content, FILE.content)
    })
  }
}

test('receive() holds so many small forms whole, and reads the others as streams', async () => {
  const { contentType, body } = multipart([{ name: 'md5_digest', content: '0'.repeat(32) }, FILE])
  const headers = { 'content-type': contentType, 'content-length': String(body.length) }
  const blobs = new MemoryBlobs()
  const sent = Array.from({ length: 3 }, () => new PassThrough())
  const forms = sent.map((stream) => receive(headers, stream, blobs, LIMITS))
  for (const stream of sent) stream.write(body.subarray(0, 100))
  const isHeld = async (form: Promise<UploadForm>) => {
    const { draft, hashes } = (await form).content!
    assert.equal(draft.sizeBytes, 5000)
    await draft[Symbol.asyncDispose]()
    // Of what is read as a stream the hash is made on the way.
    return hashes.md5 === undefined
  }
  for (const stream of sent) stream.end(body.subarray(100))
  assert.deepEqual(await Promise.all(forms.map(isHeld)), [true, true, false])
  assert.equal(await isHeld(receive(headers, Readable.from([body]), blobs, LIMITS)), true)
})

test('receive() gives every value of a field that is sent several times, in order', async () => {
  await using got = await received([{ name: 'c', content: '1' }, NAME, { name: 'c', content: '2' }])
  assert.deepEqual(got.form.fields.get('c'), ['1', '2'])
  assert.equal(got.form.content, undefined)
})

test('receive() reads past files that are not the content', async () => {
  await using got = await received([{ name: 'gpg_signature', filename: 'x.asc', content: 'sig' }, FILE, NAME])
  assert.equal(got.content, FILE.content)
  assert.equal(got.form.fields.has('gpg_signature'), false)
})

test('receive() keeps text in UTF-8 and odd field names as they are', async () => {
  await using got = await received([
    { name: 'summary', content: 'Grüße 🐍' },
    { name: '__proto__', content: 'x' },
  ])
  assert.deepEqual(got.form.fields.get('summary'), ['Grüße 🐍'])
  assert.deepEqual(got.form.fields.get('__proto__'), ['x'])
})

test('receive() takes an empty file', async () => {
  await using got = await received([{ ...FILE, content: '' }, NAME])
  assert.equal(got.content, '')
})

test('receive() reads content without a filename as text: it is no file', async () => {
  await using got = await received([{ name: 'content', content: 'x' }, NAME])
  assert.equal(got.form.content, undefined)
})

test('receive() gives a filename without its folders', async () => {
  await using got = await received([{ ...FILE, filename: '../../etc/acme-1.0.tar.gz' }])
  assert.doesNotMatch(got.form.content!.filename, /^\/|^\.\.$/)
})

for (const [what, code, parts, sentence] of [
  ['two files called content', 'bad-request', [FILE, NAME, FILE], /more than one file/],
  ['a field too many', 'too-large', [FILE, ...Array.from({ length: 21 }, () => NAME)], /more than 20 fields/],
  [
    'a field too large',
    'too-large',
    [FILE, { name: 'description', content: 'd'.repeat(1001) }],
    /field "description": it has more than 1000 bytes/,
  ],
  [
    'a field too large before the file',
    'too-large',
    [{ name: 'description', content: 'd'.repeat(1001) }, FILE],
    /field "description"/,
  ],
  ['a file too large', 'too-large', [NAME, { ...FILE, content: 'f'.repeat(10_001) }], /more than 10000 bytes/],
] as const satisfies readonly (readonly [string, Problem['code'], readonly FormPart[], RegExp])[]) {
  for (const pieceBytes of [500, 1_000_000]) {
    test(`receive() refuses ${what}, in pieces of ${pieceBytes}`, async () => {
      const { contentType, body } = multipart(parts)
      const problem = await refused(code, { 'content-type': contentType }, pieces(body, pieceBytes))
      assert.match(problem.message, sentence)
    })
  }
}

test('receive() takes a file and a field of exactly the allowed size', async () => {
  await using got = await received([
    { ...FILE, content: 'f'.repeat(10_000) },
    { name: 'd', content: 'd'.repeat(999) },
  ])
  assert.equal(got.content!.length, 10_000)
})

test('receive() refuses a form that ends early, wherever it was cut', async () => {
  const { contentType, body } = multipart([NAME, FILE, VERSION])
  for (let at = 1; at < body.length - 4; at += 97) {
    await refused('upload-incomplete', { 'content-type': contentType }, Readable.from([body.subarray(0, at)]))
  }
})

test('receive() refuses a form that is cut inside a file it has no use for', async () => {
  const { contentType, body } = multipart([
    NAME,
    { name: 'gpg_signature', filename: 'x.asc', content: 's'.repeat(500) },
  ])
  for (const at of [250, 400, body.length - 40]) {
    await refused('upload-incomplete', { 'content-type': contentType }, pieces(body.subarray(0, at), 60))
  }
})

test('receive() refuses a form whose sender breaks off', async () => {
  const { contentType, body } = multipart([NAME, FILE, VERSION])
  async function* broken() {
    yield body.subarray(0, 2000)
    throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
  }
  await refused('upload-incomplete', { 'content-type': contentType }, Readable.from(broken()))
})

for (const [what, contentType] of [
  ['no boundary', 'multipart/form-data'],
  ['no type', ''],
  ['another type', 'application/json'],
] as const) {
  test(`receive() refuses a form with ${what}`, async () => {
    const { body } = multipart([NAME])
    await refused('bad-request', contentType === '' ? {} : { 'content-type': contentType }, Readable.from([body]))
  })
}

test('receive() refuses a body of another boundary', async () => {
  const { body } = multipart([NAME, FILE])
  await refused('upload-incomplete', { 'content-type': 'multipart/form-data; boundary=other' }, Readable.from([body]))
})
