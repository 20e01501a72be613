import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { acmeWheel, BAD_WHEELS } from '../../test/builders/bad-wheels.ts'
import { rawZip } from '../../test/builders/raw-zip.ts'
import { wheel } from '../../test/builders/wheels.ts'
import { zip } from '../../test/builders/zip.ts'
import { listSmallZip } from './small-zip.ts'
import { WatchedSource } from './source.ts'
import { listZip, type ZipListing } from './zip-listing.ts'
import { openZip } from './zip-opener.ts'

const MEMBERS_MOST = 100

async function listed(bytes: Buffer): Promise<ZipListing> {
  const source = new WatchedSource({
    size: bytes.length,
    async *read(start, end) {
      yield bytes.subarray(start, end)
    },
  })
  const zip = await openZip(source, { decodeStrings: false, strictFileNames: true })
  return await listZip(zip, source, MEMBERS_MOST)
}

const WHEELS = [
  acmeWheel(),
  wheel({ name: 'acme', version: '1.0' }).bytes,
  acmeWheel({ add: [{ name: 'acme/', content: '', stored: true }] }),
  acmeWheel({
    add: [{ name: 'acme/x', content: 'x', both: { flags: 0x808 }, local: { crc: 0, packedBytes: 0, sizeBytes: 0 } }],
  }),
  rawZip([{ name: 'a', content: 'a' }]),
].map((bytes) => Buffer.from(bytes))

test('listSmallZip() lists wheels as listZip() does', async () => {
  for (const bytes of WHEELS) {
    const small = listSmallZip(bytes, MEMBERS_MOST)
    assert.ok(small !== undefined)
    assert.deepEqual(small, await listed(bytes))
  }
})

test('listSmallZip() leaves what is not plain to listZip()', () => {
  const plain = { name: 'a', content: 'a' }
  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['no zip', Buffer.alloc(100)],
    ['zip64', zip([plain], { zip64: true })],
    ['a comment', Buffer.concat([rawZip([plain]).subarray(0, -2), Buffer.from('\x01\0x')])],
    ['a name beyond ASCII', rawZip([{ name: 'ä', content: 'a' }])],
    ['another way of packing', rawZip([{ ...plain, both: { method: 93 } }])],
    ['encryption', rawZip([{ ...plain, both: { flags: 1 } }])],
    ['bytes before the directory that it does not tell of', Buffer.concat([Buffer.from('x'), rawZip([plain])])],
    ['much in little', rawZip([{ name: 'a', content: 'a'.repeat(100_000) }])],
  ] as const) {
    assert.equal(listSmallZip(Buffer.from(bytes), MEMBERS_MOST), undefined, what)
  }
  assert.equal(listSmallZip(rawZip([plain, { ...plain, name: 'b' }]), 1), undefined, 'too many members')
})

test('listSmallZip() gives what listZip() does, or nothing, of damaged and hostile zips', async () => {
  for (const { bytes } of BAD_WHEELS) {
    const small = listSmallZip(Buffer.from(bytes), MEMBERS_MOST)
    if (small !== undefined) assert.deepEqual(small, await listed(Buffer.from(bytes)))
  }
  const change = fc.record({
    at: fc.oneof(fc.nat(10_000), fc.integer({ min: -400, max: -1 })),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0xff)),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...WHEELS),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async (bytes, changes) => {
        const damaged = Buffer.from(bytes)
        for (const { at, value } of changes) damaged[(at < 0 ? damaged.length + at : at) % damaged.length] = value
        const small = listSmallZip(damaged, MEMBERS_MOST)
        if (small !== undefined) assert.deepEqual(small, await listed(damaged))
      },
    ),
    { numRuns: 3000 },
  )
})
