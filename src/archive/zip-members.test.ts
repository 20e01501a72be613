import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type ZipMember, zip } from '../../test/builders/zip.ts'
import { collect } from '../lib/streams.ts'
import { ArchiveError } from './read-metadata.ts'
import type { ArchiveSource } from './source.ts'
import { listZipMembers, readZipMember } from './zip-members.ts'

const LIMITS = { members: 100, memberBytes: 1024 * 1024 }
const BIG = 10 * 1024 * 1024

function sourceOf(bytes: Uint8Array): ArchiveSource & { taken: number } {
  return {
    size: bytes.length,
    taken: 0,
    async *read(start, end) {
      this.taken += end - start
      yield bytes.subarray(start, end)
    },
  }
}

async function contentOf(bytes: Buffer, path: string, range?: { start: number; end: number }): Promise<string> {
  const source = sourceOf(bytes)
  const { members } = await listZipMembers(source, LIMITS)
  const member = members.get(path)
  assert.ok(member !== undefined, `${path} is a member`)
  return (await collect(readZipMember(source, member, range), BIG)).toString()
}

const refused = (fault: ArchiveError['fault']) => (error: unknown) => {
  assert.ok(error instanceof ArchiveError, String(error))
  assert.equal(error.fault, fault)
  return true
}

test('listZipMembers() gives every file by its path, and no folder', async () => {
  const bytes = zip([
    { name: 'index.html', content: '<h1>' },
    { name: 'a/', content: '', stored: true },
    { name: './a/b c.html', content: 'b' },
    { name: 'ünï.txt', content: 'u' },
  ])
  const { members, faults } = await listZipMembers(sourceOf(bytes), LIMITS)
  assert.deepEqual([...members.keys()], ['index.html', 'a/b c.html', 'ünï.txt'])
  assert.deepEqual(faults, [])
})

for (const [what, member] of [
  ['a name that climbs out', { name: '../outside.html', content: '' }],
  ['a name that climbs out further down', { name: 'a/../../outside.html', content: '' }],
  ['an absolute name', { name: '/etc/passwd', content: '' }],
  ['a drive letter', { name: 'C:/windows.html', content: '' }],
  ['a backslash', { name: 'a\\..\\b.html', content: '' }],
  ['a control character', { name: 'a\0.html', content: '' }],
  ['a symbolic link', { name: 'link.html', content: '/etc/passwd', lies: { mode: 0o120777 } }],
  ['an encrypted file', { name: 'secret.html', content: '', lies: { flags: 0x801 } }],
  ['an unknown way of packing', { name: 'packed.html', content: 'x', lies: { method: 14 } }],
  ['a name that is there already', { name: 'index.html', content: 'second' }],
] as const satisfies readonly (readonly [string, ZipMember])[]) {
  test(`listZipMembers() leaves out ${what}, and says so`, async () => {
    const bytes = zip([{ name: 'index.html', content: 'first' }, member])
    const { members, faults } = await listZipMembers(sourceOf(bytes), LIMITS)
    assert.deepEqual([...members.keys()], ['index.html'])
    assert.equal(faults.length, 1)
    assert.match(faults[0]!, /^its member ".*" (has|is)/)
    assert.equal(await contentOf(bytes, 'index.html'), 'first')
  })
}

for (const [what, bytes, fault] of [
  ['text', Buffer.from('this is no zip at all, but long enough'), 'not-an-archive'],
  ['nothing', Buffer.alloc(0), 'not-an-archive'],
  ['a zip cut short', zip([{ name: 'a', content: randomBytes(2000) }]).subarray(0, 1500), 'damaged'],
  ['too many members', zip(Array.from({ length: 101 }, (_, at) => ({ name: `${at}`, content: '' }))), 'too-big'],
  ['a member that is too large', zip([{ name: 'a', content: Buffer.alloc(LIMITS.memberBytes + 1) }]), 'too-big'],
] as const) {
  test(`listZipMembers() refuses ${what}`, async () => {
    await assert.rejects(listZipMembers(sourceOf(bytes), LIMITS), refused(fault))
  })
}

test('listZipMembers() refuses a compression bomb by what its directory says', async () => {
  const bytes = zip([{ name: 'a', content: 'x', lies: { unpackedBytes: 500 * 1024 * 1024 } }])
  await assert.rejects(listZipMembers(sourceOf(bytes), { ...LIMITS, memberBytes: 1024 ** 3 }), refused('too-big'))
})

test('readZipMember() reads one member and not the rest of the zip', async () => {
  const other = { name: 'big.bin', content: randomBytes(500_000), stored: true }
  const source = sourceOf(zip([other, { name: 'index.html', content: 'hello' }, { ...other, name: 'big2.bin' }]))
  const { members } = await listZipMembers(source, LIMITS)
  source.taken = 0
  assert.equal((await collect(readZipMember(source, members.get('index.html')!), BIG)).toString(), 'hello')
  assert.ok(source.taken < 200, `${source.taken} bytes were read`)
})

for (const stored of [true, false]) {
  test(`readZipMember() gives a range of a member that is ${stored ? 'stored' : 'deflated'}`, async () => {
    const content = Array.from({ length: 50_000 }, (_, at) => `line ${at}\n`).join('')
    const bytes = zip([{ name: 'a', content, stored }])
    for (const [start, end] of [
      [0, content.length],
      [0, 1],
      [100_000, 100_010],
      [content.length - 5, content.length],
    ] as const) {
      assert.equal(await contentOf(bytes, 'a', { start, end }), content.slice(start, end))
    }
  })
}

test('readZipMember() ends with an error where the packed bytes are none', async () => {
  const bytes = zip([{ name: 'a', content: randomBytes(100), stored: true, lies: { method: 8 } }])
  await assert.rejects(contentOf(bytes, 'a'), refused('damaged'))
})

test('readZipMember() passes on the failure of its source', async () => {
  const source = sourceOf(zip([{ name: 'a', content: 'hello' }]))
  const { members } = await listZipMembers(source, LIMITS)
  const broken: ArchiveSource = {
    size: source.size,
    async *read(start, end) {
      if (end - start !== 30) throw new Error('the disk is gone')
      yield* source.read(start, end)
    },
  }
  await assert.rejects(collect(readZipMember(broken, members.get('a')!), BIG), /the disk is gone/)
})

test('readZipMember() gives an empty member', async () => {
  assert.equal(await contentOf(zip([{ name: 'a', content: '', stored: true }]), 'a'), '')
  assert.equal(await contentOf(zip([{ name: 'a', content: '' }]), 'a'), '')
})

test('readZipMember() stops at the size the directory promised, and never ends well', async () => {
  const content = Buffer.alloc(LIMITS.memberBytes, 'a')
  const source = sourceOf(zip([{ name: 'a', content, lies: { unpackedBytes: 1000 } }]))
  const { members } = await listZipMembers(source, LIMITS)
  let seen = 0
  const reading = (async () => {
    for await (const chunk of readZipMember(source, members.get('a')!)) seen += chunk.length
  })()
  await assert.rejects(reading, refused('damaged'))
  assert.ok(seen <= 1000)
})

for (const [what, lies] of [
  ['another checksum', { crc: 1 }],
  ['a larger size', { unpackedBytes: 6 }],
  ['a smaller size', { unpackedBytes: 4 }],
] as const) {
  test(`readZipMember() ends with an error where the directory says ${what}`, async () => {
    const bytes = zip([{ name: 'a', content: 'hello', lies }])
    await assert.rejects(contentOf(bytes, 'a'), refused('damaged'))
  })
}
