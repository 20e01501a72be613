/** Compressed project pages: which encoding, the same content, and each its own tag. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { JSON_TYPE } from '../../src/pep/simple.ts'
import { wheel } from '../builders/wheels.ts'
import { startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
for (let minor = 0; minor < 8; minor++)
  await world.alice.uploads(wheel({ name: 'acme', version: `1.${minor}` }), 'alice/dev')
await world.alice.uploads(wheel({ name: 'small', version: '1.0' }), 'alice/dev')

for (const [header, encoding] of [
  [undefined, undefined],
  ['identity', undefined],
  ['*', undefined],
  ['gzip', 'gzip'],
  ['gzip, deflate', 'gzip'],
  ['gzip, deflate, zstd', 'zstd'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['zstd;q=0.5, gzip', 'gzip'],
  ['zstd;q=0, gzip;q=0', undefined],
  ['br', undefined],
] as const) {
  for (const type of [JSON_TYPE, 'text/html']) {
    test(`Accept-Encoding ${header ?? 'absent'}, ${type}: ${encoding ?? 'as it is'}`, async () => {
      const plain = await world.stranger.asks('/alice/dev/+simple/acme/', { accept: type })
      const headers = { accept: type, ...(header !== undefined && { 'accept-encoding': header }) }
      const answer = await world.stranger.asks('/alice/dev/+simple/acme/', { headers })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-encoding'], encoding)
      assert.match(String(answer.headers.vary), /\bAccept-Encoding\b/)
      const bytes =
        encoding === 'gzip'
          ? gunzipSync(answer.bytes)
          : encoding === 'zstd'
            ? zstdDecompressSync(answer.bytes)
            : answer.bytes
      assert.equal(bytes.toString(), plain.text)
      assert.equal(answer.headers.etag === plain.headers.etag, encoding === undefined)
      const again = { ...headers, 'if-none-match': String(answer.headers.etag) }
      assert.equal((await world.stranger.asks('/alice/dev/+simple/acme/', { headers: again })).status, 304)
    })
  }
}

test('a page that fits one packet is not compressed', async () => {
  const headers = { accept: JSON_TYPE, 'accept-encoding': 'gzip' }
  const answer = await world.stranger.asks('/alice/dev/+simple/small/', { headers })
  assert.equal(answer.headers['content-encoding'], undefined)
})

test('the compressed page of before is not sent for the one of now', async () => {
  const headers = { accept: JSON_TYPE, 'accept-encoding': 'zstd' }
  const before = await world.stranger.asks('/alice/dev/+simple/acme/', { headers })
  await world.alice.uploads(wheel({ name: 'acme', version: '2.0' }), 'alice/dev')
  const later = await world.stranger.asks('/alice/dev/+simple/acme/', {
    headers: { ...headers, 'if-none-match': String(before.headers.etag) },
  })
  assert.equal(later.status, 200)
  assert.match(zstdDecompressSync(later.bytes).toString(), /acme-2\.0/)
})
