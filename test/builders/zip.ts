/** Small zip files made in memory, whole or wrong on purpose. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipMember {
  readonly name: string
  readonly content: string | Uint8Array
  /** Stored without compression. */
  readonly stored?: boolean
  /** Written to the directory in place of the true value. */
  readonly lies?: {
    readonly unpackedBytes?: number
    readonly crc?: number
    readonly method?: number
    readonly flags?: number
    /** Kind and rights of a Unix file: `0o120777` is a symbolic link. */
    readonly mode?: number
  }
}

/** A zip with these members, in order. The time of every member is 1 January 1980, so equal members make equal bytes. */
export function zip(
  members: readonly ZipMember[],
  { comment = '', zip64 = false }: { readonly comment?: string; readonly zip64?: boolean } = {},
): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const member of members) {
    const name = Buffer.from(member.name)
    const content = Buffer.from(member.content)
    const data = member.stored ? content : deflateRawSync(content)
    const fields = header(member, content, data.length, name.length)
    const local = Buffer.concat([signature(0x04034b50), fields, name, data])
    const place = Buffer.alloc(14)
    // Regular file, rw-r--r--, in the upper half of the external attributes.
    place.writeUInt32LE((member.lies?.mode ?? 0o100644) * 0x10000, 6)
    place.writeUInt32LE(offset, 10)
    // "Version made by" 3.20: Unix, whose attributes these are.
    directory.push(signature(0x02014b50), Buffer.from([20, 3]), fields, place, name)
    parts.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(zip64 ? 0xffff : members.length, 8)
  end.writeUInt16LE(zip64 ? 0xffff : members.length, 10)
  end.writeUInt32LE(zip64 ? 0xffffffff : list.length, 12)
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16)
  end.writeUInt16LE(comment.length, 20)
  const wide = zip64 ? [wideEnd(members.length, list.length, offset)] : []
  return Buffer.concat([...parts, list, ...wide, end, Buffer.from(comment, 'latin1')])
}

/** The end record for counts of any size, and its locator. */
function wideEnd(members: number, listBytes: number, listAt: number): Buffer {
  const both = Buffer.alloc(56 + 20)
  both.writeUInt32LE(0x06064b50, 0)
  both.writeUInt32LE(44, 4)
  both.writeUInt16LE(45, 12)
  both.writeUInt16LE(45, 14)
  both.writeUInt32LE(members, 24)
  both.writeUInt32LE(members, 32)
  both.writeUInt32LE(listBytes, 40)
  both.writeUInt32LE(listAt, 48)
  both.writeUInt32LE(0x07064b50, 56)
  both.writeUInt32LE(listAt + listBytes, 64)
  both.writeUInt32LE(1, 72)
  return both
}

/** The 26 bytes that a local header and a directory entry share. */
function header({ stored, lies }: ZipMember, content: Buffer, packedBytes: number, nameBytes: number): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(lies?.flags ?? 0x800, 2)
  fields.writeUInt16LE(lies?.method ?? (stored ? 0 : 8), 4)
  fields.writeUInt16LE(0x21, 8)
  fields.writeUInt32LE(lies?.crc ?? crc32(content), 10)
  fields.writeUInt32LE(packedBytes, 14)
  fields.writeUInt32LE(lies?.unpackedBytes ?? content.length, 18)
  fields.writeUInt16LE(nameBytes, 22)
  return fields
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
