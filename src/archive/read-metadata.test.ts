import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { cutShort, notAZip, sdist, tarMember, wheel } from '../../test/builders/wheels.ts'
import { zip } from '../../test/builders/zip.ts'
import { parseMetadata } from '../pep/metadata.ts'
import { ArchiveError, type ArchiveSource, readArchiveMetadata } from './read-metadata.ts'

const LIMITS = { metadataBytes: 1024 * 1024, members: 1000 }

/** Bytes in memory, given in small chunks; counts what was read. */
function source(bytes: Uint8Array, chunkBytes = 1000): ArchiveSource & { readBytes: number } {
  return {
    size: bytes.length,
    readBytes: 0,
    async *read(start: number, end: number) {
      assert.ok(0 <= start && start <= end && end <= bytes.length, `${start} to ${end} of ${bytes.length}`)
      for (let at = start; at < end; at += chunkBytes) {
        const chunk = bytes.subarray(at, Math.min(at + chunkBytes, end))
        this.readBytes += chunk.length
        yield chunk
      }
    },
  }
}

async function read(filename: string, bytes: Uint8Array, limits = LIMITS) {
  return await readArchiveMetadata(filename, source(bytes), limits)
}

async function refused(
  filename: string,
  bytes: Uint8Array,
  fault: string,
  message: RegExp,
  limits = LIMITS,
): Promise<void> {
  await assert.rejects(read(filename, bytes, limits), (error) => {
    assert.ok(error instanceof ArchiveError, String(error))
    assert.equal(error.fault, fault, error.message)
    assert.match(error.message, message)
    return true
  })
}

function tarGz(members: Record<string, string>): Buffer {
  return gzipSync(
    Buffer.concat([
      ...Object.entries(members).map(([path, text]) => tarMember(path, Buffer.from(text))),
      Buffer.alloc(1024),
    ]),
  )
}

const PKG_INFO = 'Metadata-Version: 2.2\nName: acme\nVersion: 1.0\n'

test('readArchiveMetadata() finds METADATA in a wheel, unchanged', async () => {
  const { filename, bytes } = wheel({ name: 'Acme.Tools', version: '1.0', summary: 'x', description: 'Long\r\ntext' })
  const found = await read(filename, bytes)
  assert.equal(found?.path, 'acme_tools-1.0.dist-info/METADATA')
  assert.equal(
    found.bytes.toString(),
    'Metadata-Version: 2.1\nName: Acme.Tools\nVersion: 1.0\nSummary: x\n\nLong\r\ntext',
  )
  assert.equal(parseMetadata(found.bytes).name, 'Acme.Tools')
})

test('readArchiveMetadata() reads little of a large wheel', async () => {
  const large = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`acme/${i}.bin`, noise(50_000, i)]))
  const { filename, bytes } = wheel({ name: 'acme', version: '1.0', files: large })
  const counted = source(bytes)
  assert.ok(await readArchiveMetadata(filename, counted, LIMITS))
  assert.ok(bytes.length > 1_000_000 && counted.readBytes < 400_000, `${counted.readBytes} of ${bytes.length}`)
})

test('readArchiveMetadata() finds PKG-INFO in sdists', async () => {
  const built = sdist({ name: 'acme', version: '1.0' })
  assert.equal((await read(built.filename, built.bytes))?.path, 'acme-1.0/PKG-INFO')
  const egg = { 'acme-1.0/PKG-INFO': PKG_INFO, 'acme-1.0/acme.egg-info/PKG-INFO': 'other' }
  assert.equal((await read('acme-1.0.tgz', tarGz(egg)))?.bytes.toString(), PKG_INFO)
  assert.equal((await read('acme-1.0.tar.gz', tarGz({ './acme-1.0/PKG-INFO': PKG_INFO })))?.path, 'acme-1.0/PKG-INFO')
  assert.equal((await read('acme-1.0.tar.gz', tarGz({ 'PKG-INFO': PKG_INFO, content: 'x' })))?.path, 'PKG-INFO')
  const zipped = zip(Object.entries(egg).map(([name, content]) => ({ name, content })))
  assert.equal((await read('acme-1.0.zip', zipped))?.bytes.toString(), PKG_INFO)
})

test('readArchiveMetadata() gives nothing for kinds that carry none', async () => {
  for (const name of [
    'a-1.0-py2.7.egg',
    'a-1.0.win32.exe',
    'a-1.0.tar.bz2',
    'a-1.0-1.noarch.rpm',
    'a-1.0.linux-x86_64.tar.gz',
    'a.txt',
  ]) {
    assert.equal(await read(name, notAZip()), undefined, name)
  }
})

test('readArchiveMetadata() takes spellings of the folder that differ from the filename', async () => {
  const member = (folder: string) => zip([{ name: `${folder}/METADATA`, content: PKG_INFO, stored: true }])
  for (const folder of ['Acme.Tools-1.0.dist-info', 'acme-tools-1.0.0.dist-info', 'ACME_tools-1.0.dist-info']) {
    assert.ok(await read('acme_tools-1.0-py3-none-any.whl', member(folder)), folder)
  }
  for (const folder of ['acme-1.0.dist-info', 'acme_tools-1.1.dist-info', 'acme_tools.dist-info']) {
    await refused('acme_tools-1.0-py3-none-any.whl', member(folder), 'no-metadata', /belongs to another release/)
  }
})

test('readArchiveMetadata() refuses a wheel that is not one', async () => {
  const { filename, bytes } = wheel({ name: 'acme', version: '1.0' })
  await refused(filename, notAZip(), 'not-an-archive', /does not begin as a zip/)
  await refused(filename, Buffer.alloc(0), 'not-an-archive', /does not begin as a zip/)
  await refused(filename, cutShort(bytes), 'damaged', /no zip, or was cut short/)
  await refused(filename, Buffer.concat([Buffer.from('#!/bin/sh\n'), bytes]), 'not-an-archive', /does not begin/)
  await refused(filename, Buffer.concat([bytes.subarray(0, 30), bytes.subarray(60)]), 'damaged', /./)
  await refused(filename, wheel({ name: 'acme', version: '1.0', metadata: null }).bytes, 'no-metadata', /no METADATA/)
  const two = zip(['a-1', 'acme-1.0'].map((stem) => ({ name: `${stem}.dist-info/METADATA`, content: PKG_INFO })))
  await refused(filename, two, 'no-metadata', /more than one METADATA/)
})

test('readArchiveMetadata() refuses any wheel that lost its end', async () => {
  const { filename, bytes } = wheel({ name: 'acme', version: '1.0' })
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(read(filename, bytes.subarray(0, length)), ArchiveError, String(length))
  }
})

test('readArchiveMetadata() refuses zips that lie', async () => {
  const name = 'acme-1.0.dist-info/METADATA'
  const lying = (lies: object) => zip([{ name, content: PKG_INFO, lies }])
  const wheelName = 'acme-1.0-py3-none-any.whl'
  await refused(wheelName, lying({ crc: 1 }), 'damaged', /does not match its checksum/)
  await refused(wheelName, lying({ unpackedBytes: 5 }), 'damaged', /no complete zip/)
  await refused(wheelName, lying({ unpackedBytes: 2 ** 31 }), 'too-big', /compression bombs/)
  await refused(wheelName, lying({ method: 12 }), 'damaged', /method that installers do not know/)
  await refused(wheelName, lying({ flags: 0x801 }), 'damaged', /encrypted/)
  await refused(wheelName, zip([{ name: '../a', content: '' }]), 'damaged', /no complete zip/)
  await refused(wheelName, zip([{ name: 'a\\b', content: '' }]), 'damaged', /no complete zip/)
  await refused(
    wheelName,
    zip([
      { name, content: PKG_INFO },
      { name, content: 'x' },
    ]),
    'damaged',
    /twice/,
  )
  const overlapping = zip([
    { name: 'b', content: 'x', stored: true },
    { name, content: PKG_INFO },
  ])
  // The second directory entry's offset (its last field before the name) is set to the first member.
  overlapping.writeUInt32LE(0, overlapping.lastIndexOf(name) - 4)
  await refused(wheelName, overlapping, 'damaged', /overlap/)
})

test('readArchiveMetadata() keeps to its limits', async () => {
  const { filename, bytes } = wheel({ name: 'acme', version: '1.0', description: 'x'.repeat(1000) })
  await refused(filename, bytes, 'too-big', /METADATA is larger than 100 bytes/, { ...LIMITS, metadataBytes: 100 })
  await refused(filename, bytes, 'too-big', /more than 2 members/, { ...LIMITS, members: 2 })
  const source = sdist({ name: 'acme', version: '1.0', description: 'x'.repeat(1000) })
  await refused(source.filename, source.bytes, 'too-big', /PKG-INFO is larger than 100 bytes/, {
    ...LIMITS,
    metadataBytes: 100,
  })
  await refused(source.filename, source.bytes, 'too-big', /more than 2 members/, { ...LIMITS, members: 2 })
})

test('readArchiveMetadata() refuses an sdist that is damaged, wherever', async () => {
  const { filename, bytes } = sdist({ name: 'acme', version: '1.0' })
  await refused(filename, notAZip(), 'damaged', /no complete tar\.gz/)
  await refused(filename, cutShort(bytes), 'damaged', /no complete tar\.gz/)
  for (let length = 0; length < bytes.length; length += 7) {
    await assert.rejects(read(filename, bytes.subarray(0, length)), ArchiveError, String(length))
  }
  await refused(filename, gzipSync(Buffer.alloc(700, 'x')), 'damaged', /no complete tar\.gz/)
  const whole = Buffer.concat([
    tarMember('acme-1.0/PKG-INFO', Buffer.from(PKG_INFO)),
    tarMember('acme-1.0/x', Buffer.alloc(600)),
  ])
  await refused(filename, gzipSync(whole.subarray(0, -600)), 'damaged', /no complete tar\.gz/)
  await refused(filename, tarGz({ 'acme-1.0/x': '', 'acme-1.0/x/PKG-INFO': PKG_INFO }), 'no-metadata', /no PKG-INFO/)
  await refused(
    filename,
    tarGz({ 'a/PKG-INFO': PKG_INFO, 'b/PKG-INFO': PKG_INFO }),
    'no-metadata',
    /more than one PKG-INFO/,
  )
})

test('readArchiveMetadata() stops a compression bomb', async () => {
  const bomb = gzipSync(
    Buffer.concat([
      tarMember('acme-1.0/PKG-INFO', Buffer.from(PKG_INFO)),
      tarMember('acme-1.0/x', Buffer.alloc(70 * 1024 * 1024)),
    ]),
  )
  await refused('acme-1.0.tar.gz', bomb, 'too-big', /compression bombs/)
})

test('readArchiveMetadata() passes on the failure of its source, which is none of the archive', async () => {
  for (const { filename, bytes } of [
    wheel({ name: 'acme', version: '1.0' }),
    sdist({ name: 'acme', version: '1.0' }),
  ]) {
    const failing: ArchiveSource = {
      size: bytes.length,
      async *read(start, end) {
        yield bytes.subarray(start, Math.min(end, start + 2))
        throw new RangeError('disk on fire')
      },
    }
    await assert.rejects(readArchiveMetadata(filename, failing, LIMITS), /^RangeError: disk on fire$/)
    const short: ArchiveSource = {
      size: bytes.length + 10,
      read: (start, end) => source(bytes).read(start, Math.min(end, bytes.length)),
    }
    await assert.rejects(readArchiveMetadata(filename, short, LIMITS), /^Error: Cannot read bytes .* too few came$/)
  }
})

test('readArchiveMetadata() ends with nothing but its documented error on damaged archives', async () => {
  const archives = [wheel({ name: 'acme', version: '1.0' }), sdist({ name: 'acme', version: '1.0' })]
  const damage = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...archives), damage, async ({ filename, bytes }, changes) => {
      const damaged = Buffer.from(bytes)
      for (const [at, value] of changes) damaged[at % damaged.length] = value
      try {
        await read(filename, damaged)
      } catch (error) {
        assert.ok(error instanceof ArchiveError, String(error))
      }
    }),
    { numRuns: 300 },
  )
})

/** Bytes that do not compress, the same for the same seed. */
function noise(length: number, seed: number): Buffer {
  let state = seed + 1
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 16
    }),
  )
}
