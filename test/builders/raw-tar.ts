/** Gzipped tars of any members: what no packer would write. */
import { gzipSync } from 'node:zlib'
import { tarMember } from './wheels.ts'

export interface RawTarMember {
  readonly path: string | Buffer
  readonly content?: string | Uint8Array
  /** The letter of its kind: `0` a file, `1` a hard link, `2` a symbolic link, `3` a device, `5` a folder, `6` a pipe. */
  readonly kind?: string
  readonly linkTo?: string
  /** Records of a pax header before it. */
  readonly pax?: Readonly<Record<string, string>>
}

/** Two blocks of zeros. */
export const TAR_END: Buffer = Buffer.alloc(1024)

export function rawTarGz(members: readonly RawTarMember[], behind: Buffer = TAR_END): Buffer {
  return gzipSync(Buffer.concat([...members.map(rawMember), behind]))
}

export function rawMember({ path, content = '', kind = '0', linkTo = '', pax }: RawTarMember): Buffer {
  const member = tarMember('x', Buffer.from(content))
  member.fill(0, 0, 100)
  Buffer.from(path).copy(member, 0)
  member.write(kind, 156, 'latin1')
  member.write(linkTo, 157, 'utf8')
  withChecksum(member)
  return pax === undefined ? member : Buffer.concat([paxHeader(pax, 'x'), member])
}

/** A header of records for the next member (`x`), or for all that follow (`g`). */
export function paxHeader(records: Readonly<Record<string, string>>, kind: 'x' | 'g'): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = Buffer.byteLength(rest) + 1
    while (String(length).length + Buffer.byteLength(rest) !== length) length++
    return `${length}${rest}`
  })
  const member = tarMember('pax', Buffer.from(lines.join('')))
  member.write(kind, 156, 'latin1')
  withChecksum(member)
  return member
}

function withChecksum(member: Buffer): void {
  // The checksum counts its own field as spaces.
  member.write('        ', 148, 'latin1')
  const sum = member.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  member.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}
