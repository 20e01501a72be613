import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blake2b256 } from './blake2b.ts'

const KNOWN = [
  ['', '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8'],
  ['abc', 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'],
] as const

for (const [text, digest] of KNOWN) {
  test(`blake2b256() gives the known hash of "${text}"`, async () => {
    const hash = await blake2b256()
    hash.update(Buffer.from(text))
    assert.equal(hash.digest(), digest)
  })
}

test('blake2b256() gives the same for bytes in any pieces, and keeps two apart', async () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, place) => place % 251))
  const [whole, pieces] = [await blake2b256(), await blake2b256()]
  for (let at = 0; at < bytes.length; at += 77) {
    pieces.update(bytes.subarray(at, at + 77))
    if (at === 0) whole.update(bytes)
  }
  assert.equal(pieces.digest(), whole.digest())
})
