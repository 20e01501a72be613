import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BAD_SDISTS } from '../../test/builders/bad-sdists.ts'
import { acmeWheel, BAD_WHEELS } from '../../test/builders/bad-wheels.ts'
import { rawTarGz } from '../../test/builders/raw-tar.ts'
import { type RawMember, rawZip } from '../../test/builders/raw-zip.ts'
import { sdist, wheel } from '../../test/builders/wheels.ts'
import { zip } from '../../test/builders/zip.ts'
import { MetadataError } from '../pep/metadata.ts'
import { type ExaminedArchive, examineArchive } from './examine.ts'
import { faultsOf } from './fault.ts'
import { METADATA_RULES } from './metadata-rules.ts'
import { SDIST_RULES } from './sdist-rules.ts'
import { ArchiveError, type ArchiveSource } from './source.ts'
import { TAR_RULES } from './tar-rules.ts'
import { WHEEL_RULES } from './wheel-rules.ts'
import { ZIP_RULES } from './zip-rules.ts'

const LIMITS = { metadataBytes: 1024 * 1024, recordBytes: 1024 * 1024, members: 1000 }
const WHEEL = 'acme-1.0-py3-none-any.whl'
const PKG_INFO = 'Metadata-Version: 2.2\nName: acme\nVersion: 1.0\n'

function sourceOf(bytes: Uint8Array): ArchiveSource & { taken: number } {
  return {
    size: bytes.length,
    taken: 0,
    async *read(start, end) {
      this.taken += end - start
      for (let at = start; at < end; at += 1000) yield bytes.subarray(at, Math.min(at + 1000, end))
    },
  }
}
const examine = (filename: string, bytes: Uint8Array, limits = LIMITS) =>
  examineArchive(filename, sourceOf(bytes), limits)
const whats = (examined: ExaminedArchive | undefined) => examined?.faults.map(({ what }) => what)

const file = (more: Partial<RawMember>): RawMember => ({ name: 'acme/x.py', content: 'x'.repeat(200), ...more })
/** Sizes and checksum behind the bytes, as packers that cannot go back write them. */
function described({ hasMark }: { readonly hasMark: boolean }): Buffer {
  const flags = 0x808
  const behind = Buffer.alloc(hasMark ? 16 : 12)
  return acmeWheel({
    add: [
      file({ both: { flags }, local: { crc: 0, packedBytes: 0, sizeBytes: 0 } }),
      file({ name: 'acme/y', before: behind }),
    ],
  })
}

for (const [what, filename, bytes] of [
  ['a wheel', WHEEL, acmeWheel()],
  ['a wheel made otherwise', WHEEL, wheel({ name: 'acme', version: '1.0' }).bytes],
  ['a wheel with folders', WHEEL, acmeWheel({ add: [{ name: 'acme/', content: '', stored: true }, file({})] })],
  ['a wheel whose sizes stand behind the bytes', WHEEL, described({ hasMark: true })],
  ['a wheel whose sizes stand behind the bytes without a mark', WHEEL, described({ hasMark: false })],
  ['a wheel with a member packed with Zstandard', WHEEL, acmeWheel({ add: [file({ both: { method: 93 } })] })],
  ['a wheel with a name beyond ASCII', WHEEL, acmeWheel({ add: [file({ name: 'acme/naïve.py' })] })],
  ['an sdist', 'acme-1.0.tar.gz', sdist({ name: 'acme', version: '1.0' }).bytes],
  ['an sdist that is a zip', 'acme-1.0.zip', rawZip([{ name: 'acme-1.0/PKG-INFO', content: PKG_INFO }])],
  ['a zip64', 'acme-1.0.zip', zip([{ name: 'acme-1.0/PKG-INFO', content: PKG_INFO }], { zip64: true })],
  [
    'an sdist packed by hand, without a folder',
    'acme-1.0.tar.gz',
    rawTarGz([
      { path: 'PKG-INFO', content: PKG_INFO },
      { path: 'content', content: 'x' },
    ]),
  ],
  [
    'an sdist with folders, links within it and another spelling',
    'acme-1.0.tgz',
    rawTarGz([
      { path: './', kind: '5' },
      { path: './ACME-1.0.0/', kind: '5' },
      { path: './ACME-1.0.0/PKG-INFO', content: PKG_INFO },
      { path: './ACME-1.0.0/docs/link', kind: '2', linkTo: '../PKG-INFO' },
      { path: './ACME-1.0.0/hard', kind: '1', linkTo: './ACME-1.0.0/PKG-INFO' },
      { path: './ACME-1.0.0/long', content: 'x', pax: { path: `ACME-1.0.0/${'long/'.repeat(40)}x`, mtime: '1.5' } },
    ]),
  ],
] as const) {
  test(`examineArchive() finds nothing wrong with ${what}, and reads its metadata`, async () => {
    const examined = await examine(filename, bytes)
    assert.deepEqual(whats(examined), [])
    assert.equal(examined?.metadata?.name, 'acme')
    assert.match(examined.bytes!.toString(), /^Metadata-Version/)
  })
}

test('examineArchive() says nothing of kinds that it does not look into', async () => {
  for (const name of ['acme-1.0-py3.11.egg', 'acme-1.0.tar.bz2', 'acme-1.0.tar.xz', 'acme-1.0.win32.exe', 'x.txt']) {
    assert.equal(await examine(name, Buffer.from('anything')), undefined, name)
  }
})

test('every rule for archives and metadata has an archive that breaks it', async () => {
  const seen = new Set<string>()
  for (const { filename, bytes } of [...BAD_WHEELS, ...BAD_SDISTS]) {
    try {
      const examined = await examine(filename, bytes)
      const ofMetadata = examined?.metadata === undefined ? [] : faultsOf(METADATA_RULES, examined.metadata)
      for (const { refuses } of [...(examined?.faults ?? []), ...ofMetadata]) seen.add(refuses)
    } catch (error) {
      assert.ok(error instanceof ArchiveError || error instanceof MetadataError, String(error))
    }
  }
  const rules = [ZIP_RULES, WHEEL_RULES, TAR_RULES, SDIST_RULES, METADATA_RULES].flat()
  assert.deepEqual(
    rules.map(({ refuses }) => refuses).filter((refuses) => !seen.has(refuses)),
    [],
  )
  assert.equal(
    new Set(rules.map(({ refuses }) => refuses)).size + 9,
    rules.length,
    'the nine about names are in two lists',
  )
})

test('examineArchive() tells all that is wrong, in the order of the rules', async () => {
  const examined = await examine(
    WHEEL,
    acmeWheel({ WHEEL: 'Wheel-Version: 2.0\n', RECORD: 'acme/gone.py,sha256=x,1\n' }),
  )
  assert.deepEqual(whats(examined), [
    'its Wheel-Version "2.0" is not 1.x',
    'its RECORD does not list "acme/__init__.py" and 2 more',
    'its RECORD lists "acme/gone.py", and it is not there',
  ])
})

test('examineArchive() reads little of a large wheel', async () => {
  const large = { name: 'acme/large.bin', content: Buffer.alloc(5_000_000, 'x'), stored: true }
  const source = sourceOf(acmeWheel({ add: [large] }))
  assert.deepEqual(whats(await examineArchive(WHEEL, source, LIMITS)), [])
  assert.ok(source.taken < 600_000, `${source.taken} bytes were read`)
})

test('examineArchive() keeps to its limits', async () => {
  const tooBig = (limits: Partial<typeof LIMITS>, says: RegExp, filename = WHEEL, bytes: Uint8Array = acmeWheel()) =>
    assert.rejects(examine(filename, bytes, { ...LIMITS, ...limits }), (error: unknown) => {
      assert.ok(error instanceof ArchiveError)
      assert.equal(error.fault, 'too-big')
      assert.match(error.message, says)
      return true
    })
  const { filename, bytes } = sdist({ name: 'acme', version: '1.0' })
  await tooBig({ members: 3 }, /more than 3 members/)
  await tooBig({ recordBytes: 50 }, /its RECORD is larger than 50 bytes/)
  await tooBig({ metadataBytes: 20 }, /larger than 20 bytes/)
  await tooBig({ members: 2 }, /more than 2 members/, filename, bytes)
  await tooBig({ metadataBytes: 20 }, /its PKG-INFO is larger than 20 bytes/, filename, bytes)
})

test('examineArchive() passes on the failure of its source', async () => {
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
    await assert.rejects(examineArchive(filename, failing, LIMITS), /^RangeError: disk on fire$/)
  }
})

test('examineArchive() ends with nothing but its documented errors on damaged archives', async () => {
  const archives = [
    { filename: WHEEL, bytes: acmeWheel() },
    { filename: 'acme-1.0.zip', bytes: zip([{ name: 'acme-1.0/PKG-INFO', content: PKG_INFO }], { zip64: true }) },
    sdist({ name: 'acme', version: '1.0' }),
    { filename: 'acme-1.0.tar.gz', bytes: rawTarGz([{ path: 'PKG-INFO', content: PKG_INFO, pax: { size: '9' } }]) },
  ]
  const damage = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...archives), damage, async ({ filename, bytes }, changes) => {
      const damaged = Buffer.from(bytes)
      for (const [at, value] of changes) damaged[at % damaged.length] = value
      try {
        await examine(filename, damaged)
      } catch (error) {
        assert.ok(error instanceof ArchiveError || error instanceof MetadataError, String(error))
      }
    }),
    { numRuns: 400 },
  )
})
