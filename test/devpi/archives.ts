/** The files that the steps upload, and that the upstream has: always the same bytes. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { digestOf } from '../../src/lib/digest.ts'
import { type BuiltFile, tarMember, type WheelOptions, wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'

/** Every one by its filename. */
export const ARCHIVES: ReadonlyMap<string, BuiltFile> = new Map(
  [
    made({ name: 'acme', version: '1.0', summary: 'An anvil', requiresPython: '>=3.8' }),
    made({ name: 'acme', version: '1.1' }),
    made({ name: 'acme', version: '2.0' }),
    made({ name: 'acme', version: '1.0', tag: 'py2-none-any' }),
    source('acme', '1.0'),
    made({ name: 'Rocket_Skates', version: '1.0' }),
    made({ name: 'rocket.skates', version: '1.1', tag: 'py3-none-linux_x86_64' }),
    source('rocket-skates', '2.0'),
    made({ name: 'glue', version: '0.1' }),
    made({ name: 'glue', version: '0.2' }),
    made({ name: 'glue', version: '0.3' }),
    source('glue', '0.1'),
    made({ name: 'magnet', version: '1.0' }),
    made({ name: 'magnet', version: '2.0' }),
    made({ name: 'spring', version: '1.0+local.1' }),
    made({ name: 'spring', version: '1.0' }),
    made({ name: 'catapult', version: '3.0' }),
    made({ name: 'lost', version: '1.0' }),
    { ...made({ name: 'acme', version: '1.0', files: { 'other.py': '1' } }), filename: 'acme-other.whl' },
    docs('acme-1.0.doc.zip', 'acme one'),
    docs('acme-1.1.doc.zip', 'acme one one'),
    docs('glue.doc.zip', 'glue'),
    docs('other.zip', 'other'),
  ].map((file) => [file.filename, file]),
)

/** Throws for a name that is not in the list: a step is written wrong. */
export function archive(filename: string): BuiltFile {
  const found = ARCHIVES.get(filename)
  if (found === undefined)
    throw new RangeError(`Cannot find the archive "${filename}": archives.ts has none of that name`)
  return found
}

/** `+f/{3}/{13}/{filename}`, as devpi lays files out. */
export function fileAddress({ filename, sha256 }: BuiltFile, as = filename): string {
  return `+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${as}`
}

export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

function made(options: WheelOptions): BuiltFile {
  return wheel(options)
}

/** An sdist whose compression is none: what compressors write differs between their versions. */
function source(name: string, version: string): BuiltFile {
  const stem = `${name.replaceAll('-', '_')}-${version}`
  const facts = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`
  const tar = Buffer.concat([tarMember(`${stem}/PKG-INFO`, Buffer.from(facts)), Buffer.alloc(1024)])
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
  const block = Buffer.alloc(5)
  block.writeUInt8(1, 0)
  block.writeUInt16LE(tar.length, 1)
  block.writeUInt16LE(tar.length ^ 0xffff, 3)
  const foot = Buffer.alloc(8)
  foot.writeUInt32LE(crc32(tar), 0)
  foot.writeUInt32LE(tar.length, 4)
  const bytes = Buffer.concat([head, block, tar, foot])
  return { filename: `${stem}.tar.gz`, bytes, sha256: digestOf(bytes) }
}

function docs(filename: string, words: string): BuiltFile {
  const content = `<html><head><title>${words}</title></head><body>${words}</body></html>`
  const bytes = zip([{ name: 'index.html', content, stored: true }])
  return { filename, bytes, sha256: digestOf(bytes) }
}
