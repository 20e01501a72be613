/** Zips with every field under the control of a test: what no packer would write. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface RawHeader {
  readonly name?: string | Buffer
  readonly flags?: number
  readonly method?: number
  readonly crc?: number
  readonly packedBytes?: number
  readonly sizeBytes?: number
  readonly extra?: Buffer
}

export interface RawMember {
  readonly name: string | Buffer
  readonly content: string | Uint8Array
  readonly stored?: boolean
  /** Differences of both headers from the truth, and of each. */
  readonly both?: RawHeader
  readonly local?: RawHeader
  readonly central?: RawHeader & { readonly comment?: string; readonly headerAt?: number; readonly mode?: number }
  /** Bytes that stand before it and belong to nothing. */
  readonly before?: Buffer
}

export interface RawEnd {
  readonly comment?: string
  readonly members?: number
  readonly directoryBytes?: number
  readonly directoryAt?: number
  readonly disk?: number
  /** Behind the end record. */
  readonly after?: Buffer
  /** Between directory and end record. */
  readonly between?: Buffer
}

const UTF8 = 0x800

export function rawZip(members: readonly RawMember[], end: RawEnd = {}): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, content, stored = false, both, local, central, before = Buffer.alloc(0) } of members) {
    const bytes = Buffer.from(content)
    const data = stored ? bytes : deflateRawSync(bytes)
    const truth = {
      name,
      flags: UTF8,
      method: stored ? 0 : 8,
      crc: crc32(bytes),
      packedBytes: data.length,
      sizeBytes: bytes.length,
      extra: Buffer.alloc(0),
      ...both,
    }
    const headerAt = at + before.length
    const head = header({ ...truth, ...local }, 0x04034b50, Buffer.alloc(0), Buffer.alloc(0))
    parts.push(before, head, data)
    const place = Buffer.alloc(14)
    const comment = Buffer.from(central?.comment ?? '')
    place.writeUInt16LE(comment.length, 0)
    place.writeUInt32LE((central?.mode ?? 0o100644) * 0x10000, 6)
    place.writeUInt32LE(central?.headerAt ?? headerAt, 10)
    directory.push(header({ ...truth, ...central }, 0x02014b50, place, comment))
    at = headerAt + head.length + data.length
  }
  const list = Buffer.concat(directory)
  const record = Buffer.alloc(22)
  record.writeUInt32LE(0x06054b50, 0)
  record.writeUInt16LE(end.disk ?? 0, 4)
  record.writeUInt16LE(members.length, 8)
  record.writeUInt16LE(end.members ?? members.length, 10)
  record.writeUInt32LE(end.directoryBytes ?? list.length, 12)
  record.writeUInt32LE(end.directoryAt ?? at, 16)
  record.writeUInt16LE(end.comment?.length ?? 0, 20)
  const { between = Buffer.alloc(0), after = Buffer.alloc(0) } = end
  return Buffer.concat([...parts, list, between, record, Buffer.from(end.comment ?? '', 'latin1'), after])
}

/** An extra field. */
export function extraField(id: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(id, 0)
  head.writeUInt16LE(data.length, 2)
  return Buffer.concat([head, data])
}

function header(fields: Required<RawHeader>, mark: number, place: Buffer, comment: Buffer): Buffer {
  const name = Buffer.from(fields.name)
  const made = mark === 0x02014b50 ? Buffer.from([20, 3]) : Buffer.alloc(0)
  const head = Buffer.alloc(4)
  head.writeUInt32LE(mark)
  const shared = Buffer.alloc(26)
  shared.writeUInt16LE(20, 0)
  shared.writeUInt16LE(fields.flags, 2)
  shared.writeUInt16LE(fields.method, 4)
  shared.writeUInt16LE(0x21, 8)
  shared.writeUInt32LE(fields.crc, 10)
  shared.writeUInt32LE(fields.packedBytes, 14)
  shared.writeUInt32LE(fields.sizeBytes, 18)
  shared.writeUInt16LE(name.length, 22)
  shared.writeUInt16LE(fields.extra.length, 24)
  return Buffer.concat([head, made, shared, place, name, fields.extra, comment])
}
