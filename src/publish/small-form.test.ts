import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FormPart, fieldParts, multipart } from '../../test/builders/multipart.ts'
import { MemoryBlobs } from '../../test/world/memory-blobs.ts'
import { Problem } from '../model/errors.ts'
import { receive } from './receive.ts'
import { readSmallForm, smallBoundary } from './small-form.ts'

const LIMITS = { uploadBytes: 3000, formFieldBytes: 100, formFields: 8, smallForms: 2 }
const WHEEL = { name: 'content', filename: 'acme-1.0-py3-none-any.whl', content: Buffer.from([0, 13, 10, 45, 45, 255]) }
const FIELDS = fieldParts({
  ':action': 'file_upload',
  name: 'acme',
  summary: 'größer',
  classifiers: ['a', 'b'],
  home_page: '',
})

/** What comes of it, as plain data, with the length told or not: then it is read as a stream. */
async function outcome(contentType: string, body: Buffer, isTold: boolean): Promise<unknown> {
  const headers = { 'content-type': contentType, ...(isTold && { 'content-length': String(body.length) }) }
  try {
    const { fields, content } = await receive(headers, Readable.from([body]), new MemoryBlobs(), LIMITS)
    return { fields: [...fields], filename: content?.filename, digest: content?.draft.digest() }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { code: error.code, message: error.message }
  }
}

async function assertSame(contentType: string, body: Buffer): Promise<void> {
  assert.deepEqual(
    await outcome(contentType, body, true),
    await outcome(contentType, body, false),
    body.toString('latin1'),
  )
}

test('readSmallForm() reads the forms of uploaders as the reader of streams does', async () => {
  for (const parts of [
    FIELDS,
    [...FIELDS, WHEEL],
    [WHEEL, ...FIELDS],
    [WHEEL],
    [...FIELDS, { ...WHEEL, content: Buffer.alloc(0) }],
  ]) {
    const { contentType, body } = multipart(parts)
    const boundary = smallBoundary({ 'content-type': contentType, 'content-length': String(body.length) })
    assert.equal(readSmallForm(body, boundary!, LIMITS)?.length, parts.length)
    await assertSame(contentType, body)
  }
})

test('smallBoundary() is that of a form that is short by what it says', () => {
  const type = 'multipart/form-data; boundary=abc'
  assert.equal(smallBoundary({ 'content-type': type, 'content-length': '1000' }), 'abc')
  assert.equal(
    smallBoundary({ 'content-type': 'multipart/form-data; boundary="a b"', 'content-length': '1' }),
    undefined,
  )
  assert.equal(smallBoundary({ 'content-type': type }), undefined)
  assert.equal(smallBoundary({ 'content-type': type, 'content-length': '1000000' }), undefined)
  assert.equal(smallBoundary({ 'content-length': '1000' }), undefined)
})

test('receive() says the same of a form whose length is told and of one that comes as a stream', async () => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('', '\r\n', '--', '\r\n--', 'ä', 'x'.repeat(101)))
  const name = fc.oneof(fc.constantFrom('name', 'content', 'md5_digest', ':action'), fc.string({ maxLength: 5 }))
  const part: fc.Arbitrary<FormPart> = fc.oneof(
    fc.record({ name, content: text }),
    fc.record({
      name,
      filename: fc.oneof(fc.constantFrom('a.whl', '', '../a', 'a b.zip', 'a"b'), fc.string({ maxLength: 5 })),
      content: fc.oneof(text, fc.constant('y'.repeat(3001))),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 10 }), async (parts) => {
      const { contentType, body } = multipart(parts)
      await assertSame(contentType, body)
    }),
    { numRuns: 500 },
  )
})

test('receive() says the same of a damaged form, too', async () => {
  const { contentType, body } = multipart([...FIELDS, WHEEL])
  const boundary = /boundary=(.*)/.exec(contentType)![1]!
  const inserted = fc.constantFrom(
    '',
    '\r\n',
    '\n',
    '-',
    '--',
    `\r\n--${boundary}`,
    `\r\n--${boundary}--`,
    '"',
    ';',
    ' ',
    '\0',
    'é',
  )
  const change = fc.record({ at: fc.nat(body.length), gone: fc.nat(3), inserted })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
      let damaged = body
      for (const { at, gone, inserted } of changes) {
        damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from(inserted), damaged.subarray(at + gone)])
      }
      await assertSame(contentType, damaged)
    }),
    { numRuns: 1500 },
  )
})
