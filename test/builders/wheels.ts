/** Small valid wheels and sdists made in memory, that pip installs, and broken ones. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { type Digest, digestOf } from '../../src/lib/digest.ts'
import { zip } from './zip.ts'

/** What a test says of a distribution; all but name and version has a default. */
export interface DistributionOptions {
  readonly name: string
  readonly version: string
  readonly summary?: string
  readonly requiresPython?: string
  readonly description?: string
  readonly descriptionContentType?: string
  readonly requiresDist?: readonly string[]
  /** More files of the archive: path to content. Two archives that differ in one have different bytes. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

export interface SdistOptions extends DistributionOptions {
  /** Fields that may turn out otherwise in the wheel (PEP 643). */
  readonly dynamic?: readonly string[]
}

export interface WheelOptions extends DistributionOptions {
  /** `{python}-{abi}-{platform}`; `py3-none-any` when absent. */
  readonly tag?: string
  /** Written as METADATA in place of the true one; `null` leaves it out. */
  readonly metadata?: string | null
}

export interface BuiltFile {
  readonly filename: string
  readonly bytes: Buffer
  readonly sha256: Digest
}

/** A wheel with one module that tells its version. The same options give the same bytes. */
export function wheel(options: WheelOptions): BuiltFile {
  const { name, version, tag = 'py3-none-any', files = {}, metadata = coreMetadata(options, '2.1') } = options
  const stem = `${escapedName(name)}-${version.replaceAll('-', '_')}`
  const info = `${stem}.dist-info`
  const members: Record<string, string | Uint8Array> = {
    [`${moduleName(name)}/__init__.py`]: moduleText(version),
    ...files,
    ...(metadata !== null && { [`${info}/METADATA`]: metadata }),
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: airlock-tests 1\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
  }
  const record = Object.entries(members).map(([path, content]) => {
    const hash = createHash('sha256').update(content).digest('base64url')
    return `${path},sha256=${hash},${Buffer.byteLength(content)}\n`
  })
  members[`${info}/RECORD`] = `${record.join('')}${info}/RECORD,,\n`
  return built(`${stem}-${tag}.whl`, zip(Object.entries(members).map(([path, content]) => ({ name: path, content }))))
}

/** A tar.gz sdist whose own pyproject.toml names a build backend inside it, so that pip builds it without a download. */
export function sdist(options: SdistOptions): BuiltFile {
  const { name, version, files = {} } = options
  const stem = `${escapedName(name)}-${version.replaceAll('-', '_')}`
  const inner = wheel(options)
  const members: Record<string, string | Uint8Array> = {
    'PKG-INFO': (options.dynamic ?? []).map((field) => `Dynamic: ${field}\n`).join('') + coreMetadata(options, '2.2'),
    'pyproject.toml': [
      '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
      `[project]\nname = ${JSON.stringify(name)}\nversion = ${JSON.stringify(version)}\n`,
    ].join('\n'),
    'backend.py': backend(inner),
    [`${moduleName(name)}/__init__.py`]: moduleText(version),
    ...files,
  }
  const tar = Object.entries(members).map(([path, content]) => tarMember(`${stem}/${path}`, Buffer.from(content)))
  // Two empty blocks end a tar.
  return built(`${stem}.tar.gz`, gzipSync(Buffer.concat([...tar, Buffer.alloc(1024)])))
}

/** The first three quarters of an upload that broke off. */
export function cutShort(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.subarray(0, Math.floor((bytes.length * 3) / 4)))
}

/** What a captive portal or an error page looks like under an archive's name. */
export function notAZip(): Buffer {
  return Buffer.from(`<html><body>${'Please log in. '.repeat(20)}</body></html>`)
}

/** A METADATA file without the name it must have. */
export function metadataWithoutName(version = '1.0'): string {
  return `Metadata-Version: 2.1\nVersion: ${version}\n`
}

function built(filename: string, bytes: Buffer): BuiltFile {
  return { filename, bytes, sha256: digestOf(bytes) }
}

/** What the METADATA of a wheel (2.1) or the PKG-INFO of an sdist (2.2) says. */
export function coreMetadata(options: DistributionOptions, metadataVersion: string): string {
  const lines = [
    `Metadata-Version: ${metadataVersion}`,
    `Name: ${options.name}`,
    `Version: ${options.version}`,
    ...(options.summary === undefined ? [] : [`Summary: ${options.summary}`]),
    ...(options.requiresPython === undefined ? [] : [`Requires-Python: ${options.requiresPython}`]),
    ...(options.descriptionContentType === undefined
      ? []
      : [`Description-Content-Type: ${options.descriptionContentType}`]),
    ...(options.requiresDist ?? []).map((requirement) => `Requires-Dist: ${requirement}`),
  ]
  return `${lines.join('\n')}\n\n${options.description ?? ''}`
}

/** PEP 427 and PEP 625: lower case, runs of separators as one `_`. */
function escapedName(name: string): string {
  return name.replace(/[-_.]+/g, '_').toLowerCase()
}

/** A name that Python can import. */
function moduleName(name: string): string {
  return escapedName(name).replace(/^(?=\d)/, '_')
}

function moduleText(version: string): string {
  return `__version__ = ${JSON.stringify(version)}\n`
}

/** A build backend (PEP 517) whose wheel is made already. */
function backend({ filename, bytes }: BuiltFile): string {
  return [
    'import base64, os',
    '',
    'def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):',
    `    with open(os.path.join(wheel_directory, ${JSON.stringify(filename)}), "wb") as file:`,
    `        file.write(base64.b64decode("${bytes.toString('base64')}"))`,
    `    return ${JSON.stringify(filename)}`,
    '',
  ].join('\n')
}

/** One regular file as ustar writes it: a header of 512 bytes, then the content filled up to whole blocks. */
export function tarMember(path: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write(path, 0, 100)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  // The checksum counts its own field as spaces.
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
