import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compressPiece, GZIP_HEAD, GZIP_TAIL_BYTES, GzipSum, storePiece } from './gzip-pieces.ts'

async function joined(texts: readonly string[]): Promise<Buffer> {
  const sum = new GzipSum()
  const parts: Buffer[] = [GZIP_HEAD]
  for (const [place, text] of texts.entries()) {
    const plain = Buffer.from(text)
    const piece = place % 2 === 0 ? storePiece(plain) : await compressPiece(plain)
    sum.add(piece)
    parts.push(piece.bytes)
  }
  const tail = sum.end()
  assert.equal(tail.length, GZIP_TAIL_BYTES)
  return Buffer.concat([...parts, tail])
}

test('pieces in any number and of any size are one gzip stream of all their text', async () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constant('a line again\n'.repeat(12_000)), fc.constant(''))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (texts) => {
      assert.equal(gunzipSync(await joined(texts)).toString(), texts.join(''))
    }),
    { numRuns: 60 },
  )
})

test('GzipSum is the sum of the whole, also as sums of sums', async () => {
  const texts = ['one', '', 'two and more', 'x'.repeat(100_000)]
  const [all, first, rest] = [new GzipSum(), new GzipSum(), new GzipSum()]
  for (const [place, text] of texts.entries()) {
    const piece = await compressPiece(Buffer.from(text))
    ;(place < 2 ? first : rest).add(piece)
  }
  all.add(first)
  all.add(rest)
  assert.equal(all.crc, crc32(texts.join('')))
  assert.equal(all.plainBytes, texts.join('').length)
})

test('a stream with one piece too few is refused by who reads it', async () => {
  const one = await compressPiece(Buffer.from('one'))
  const sum = new GzipSum()
  sum.add(one)
  sum.add(one)
  assert.throws(() => gunzipSync(Buffer.concat([GZIP_HEAD, one.bytes, sum.end()])), /incorrect (data|length) check/)
})
