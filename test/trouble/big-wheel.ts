/** A valid wheel of any size that is made while it is read, so that it costs the test no memory and no disk. */
import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { generatedFile } from '../builders/content.ts'

export interface BigWheel {
  readonly name: string
  readonly version: string
  readonly filename: string
  readonly sizeBytes: number
  read(): AsyncIterable<Uint8Array>
}

interface Member {
  readonly name: string
  readonly sizeBytes: number
  readonly crc: number
  readonly read: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** `contentBytes` of noise in one stored member, the metadata behind it, as build tools write wheels. At most 4 GiB. */
export async function bigWheel(name: string, version: string, contentBytes: number): Promise<BigWheel> {
  const noise = await generatedFile(contentBytes, name)
  let crc = 0
  const hash = sha256()
  for await (const chunk of noise.read()) {
    crc = crc32(chunk, crc)
    hash.update(chunk)
  }
  const info = `${name}-${version}.dist-info`
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\n`
  const wheel = 'Wheel-Version: 1.0\nGenerator: airlock-tests 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n'
  const record = [
    `${name}/noise.bin,sha256=${hash.digest('base64url')},${contentBytes}`,
    recorded(`${info}/METADATA`, metadata),
    recorded(`${info}/WHEEL`, wheel),
    `${info}/RECORD,,`,
  ]
  const members: Member[] = [
    { name: `${name}/noise.bin`, sizeBytes: contentBytes, crc, read: () => noise.read() },
    small(`${info}/METADATA`, metadata),
    small(`${info}/WHEEL`, wheel),
    small(`${info}/RECORD`, `${record.join('\n')}\n`),
  ]
  const directory: Buffer[] = []
  let offset = 0
  for (const member of members) {
    directory.push(entry(member, offset))
    offset += 30 + member.name.length + member.sizeBytes
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(members.length, 8)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(offset, 16)
  return {
    name,
    version,
    filename: `${name}-${version}-py3-none-any.whl`,
    sizeBytes: offset + list.length + end.length,
    async *read() {
      for (const member of members) {
        yield Buffer.concat([signature(0x04034b50), fields(member), Buffer.from(member.name)])
        yield* member.read()
      }
      yield list
      yield end
    },
  }
}

/** What `read()` gives, on its way into a hash. */
export async function* hashed(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
}

export function sha256(): Hash {
  return createHash('sha256')
}

/** A line of RECORD. */
function recorded(path: string, text: string): string {
  return `${path},sha256=${sha256().update(text).digest('base64url')},${Buffer.byteLength(text)}`
}

function small(name: string, text: string): Member {
  const bytes = Buffer.from(text)
  return { name, sizeBytes: bytes.length, crc: crc32(bytes), read: () => [bytes] }
}

function entry(member: Member, offset: number): Buffer {
  const place = Buffer.alloc(14)
  place.writeUInt32LE(offset, 10)
  return Buffer.concat([signature(0x02014b50), Buffer.from([20, 3]), fields(member), place, Buffer.from(member.name)])
}

/** The 26 bytes that a local header and a directory entry share: stored, 1 January 1980. */
function fields({ name, sizeBytes, crc }: Member): Buffer {
  const bytes = Buffer.alloc(26)
  bytes.writeUInt16LE(20, 0)
  bytes.writeUInt16LE(0x800, 2)
  bytes.writeUInt16LE(0x21, 8)
  bytes.writeUInt32LE(crc, 10)
  bytes.writeUInt32LE(sizeBytes, 14)
  bytes.writeUInt32LE(sizeBytes, 18)
  bytes.writeUInt16LE(name.length, 22)
  return bytes
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
