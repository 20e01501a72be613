/**
 * Finds every fault of an uploaded archive and its metadata, without holding the archive in memory. Of a zip, the
 * directory and headers are read; a tar.gz is unpacked once from front to end. Archives from mirrors and dumps are read
 * with `readArchiveMetadata`, which checks only what it needs.
 */
import type { Readable } from 'node:stream'
import { crc32, inflateRawSync, type ZlibOptions } from 'node:zlib'
import type yauzl from 'yauzl'
import { collect } from '../lib/streams.ts'
import { type ParsedFilename, parseFilename } from '../pep/filename.ts'
import { type CoreMetadata, parseMetadata } from '../pep/metadata.ts'
import { type Fault, faultsOf } from './fault.ts'
import { checkPlaces, type MetadataPlace } from './metadata-place.ts'
import { SDIST_RULES } from './sdist-rules.ts'
import { listSmallZip } from './small-zip.ts'
import { ArchiveError, type ArchiveLimits, type ArchiveSource, WatchedSource } from './source.ts'
import { listTarGz } from './tar-listing.ts'
import { TAR_RULES } from './tar-rules.ts'
import { parseRecord } from './wheel-record.ts'
import { WHEEL_RULES } from './wheel-rules.ts'
import { type ListedMember, listZip, type ZipListing } from './zip-listing.ts'
import { openZip } from './zip-opener.ts'
import { ZIP_RULES } from './zip-rules.ts'

export interface ExaminedArchive {
  /** The metadata file, unchanged, and what it says. Absent where faults keep it from being read. */
  readonly bytes?: Buffer
  readonly metadata?: CoreMetadata
  /** In the order of the rules; a damaged archive is not also asked for what it should hold. */
  readonly faults: readonly Fault[]
}

export interface ExamineLimits extends ArchiveLimits {
  /** A wheel's RECORD, unpacked: some 150 bytes for each of its files. */
  readonly recordBytes: number
}

type ParsedWheel = Extract<ParsedFilename, { kind: 'wheel' }>
type ParsedSdist = Extract<ParsedFilename, { kind: 'sdist' }>

/** What is unpacked in less time than a stream through zlib's threads takes to begin. */
const SMALL_BYTES = 64 * 1024

/** zlib's own bound. */
const LEAST_CHUNK = 64

const FOLDER_OF_INFO = /^[^/]+\.dist-info$/
const PKG_INFO_PLACE: MetadataPlace = {
  name: 'PKG-INFO',
  isPlace: (path) => /^(?:[^/]+\/)?PKG-INFO$/.test(path),
  isRight: () => true,
}

/**
 * `undefined` for kinds that are not looked into (eggs, installers, bz2 and xz). Throws `ArchiveError` for an archive that
 * cannot be read to its end, is a compression bomb, or has no metadata file where nothing else is wrong with it;
 * `MetadataError` where that cannot be read; errors of `source` pass through.
 */
export async function examineArchive(
  filename: string,
  source: ArchiveSource,
  limits: ExamineLimits,
): Promise<ExaminedArchive | undefined> {
  const parsed = parseFilename(filename)
  const watched = new WatchedSource(source)
  if (parsed?.kind === 'wheel') return await withZip(watched, limits, (zip) => examineWheel(zip, parsed, limits))
  if (parsed?.kind !== 'sdist') return undefined
  switch (parsed.format) {
    case 'zip':
      return await withZip(watched, limits, (zip) => examineZipSdist(zip, parsed, limits))
    case 'tar.gz':
    case 'tgz':
      return await examineTarSdist(watched, parsed, limits)
    default:
      return undefined
  }
}

interface OpenedZip {
  readonly source: WatchedSource
  readonly listing: ZipListing
  /** What reads it piece by piece. */
  readonly zip: () => Promise<yauzl.ZipFile>
}

async function withZip(
  source: WatchedSource,
  limits: ExamineLimits,
  examine: (opened: OpenedZip) => Promise<ExaminedArchive>,
): Promise<ExaminedArchive> {
  let opened: yauzl.ZipFile | undefined
  const zip = async () => {
    opened ??= await openZip(source, { decodeStrings: false, strictFileNames: true })
    return opened
  }
  try {
    const small = source.whole && listSmallZip(source.whole, limits.members)
    const listing = small ?? (await listZip(await zip(), source, limits.members))
    const faults = faultsOf(ZIP_RULES, listing)
    return faults.length > 0 ? { faults } : await examine({ source, zip, listing })
  } catch (error) {
    throw source.explain(error, 'it is no complete zip')
  } finally {
    opened?.close()
  }
}

async function examineWheel(
  opened: OpenedZip,
  { project, version }: ParsedWheel,
  limits: ExamineLimits,
): Promise<ExaminedArchive> {
  const { members } = opened.listing
  const files = members.filter(({ path }) => !path.endsWith('/'))
  const tops = new Set(members.map(({ path }) => path.split('/')[0]!))
  const infoFolders = [...tops].filter((top) => FOLDER_OF_INFO.test(top))
  const inInfo = async (name: string, bytesMost: number) => {
    const found = files.find(({ path }) => path === `${infoFolders[0]}/${name}`)
    return found && (await readMember(opened, found, bytesMost))
  }
  const texts = new Map<string, string>()
  for (const name of ['WHEEL', 'entry_points.txt']) {
    const bytes = await inInfo(name, limits.metadataBytes)
    if (bytes !== undefined) texts.set(name, bytes.toString('utf8'))
  }
  const record = (await inInfo('RECORD', limits.recordBytes))?.toString('utf8')
  const bytes = infoFolders.length === 1 ? await inInfo('METADATA', limits.metadataBytes) : undefined
  const described = bytes && { bytes, metadata: parseMetadata(bytes) }
  const faults = faultsOf(WHEEL_RULES, {
    project,
    version,
    sizes: new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes])),
    infoFolders,
    texts,
    ...(record !== undefined && { record: parseRecord(record) }),
    ...described,
  })
  return { ...described, faults }
}

async function examineZipSdist(
  opened: OpenedZip,
  parsed: ParsedSdist,
  limits: ExamineLimits,
): Promise<ExaminedArchive> {
  const { members } = opened.listing
  const places = members.filter(({ path }) => PKG_INFO_PLACE.isPlace(path))
  checkPlaces(
    PKG_INFO_PLACE,
    places.map(({ path }) => path),
  )
  const bytes = await readMember(opened, places[0]!, limits.metadataBytes)
  return examineSdist(
    parsed,
    members.map(({ path }) => path.replace(/\/$/, '')),
    { path: places[0]!.path, bytes },
  )
}

async function examineTarSdist(
  source: WatchedSource,
  parsed: ParsedSdist,
  limits: ExamineLimits,
): Promise<ExaminedArchive> {
  const listing = await listTarGz(source, limits, PKG_INFO_PLACE.isPlace)
  const faults = faultsOf(TAR_RULES, listing)
  if (faults.length > 0) return { faults }
  checkPlaces(
    PKG_INFO_PLACE,
    listing.texts.map(({ path }) => path),
  )
  const paths = listing.members.map(({ path }) => path)
  return examineSdist(parsed, paths, listing.texts[0]!)
}

function examineSdist(
  { project, version }: ParsedSdist,
  paths: readonly string[],
  { path: infoPath, bytes }: { readonly path: string; readonly bytes: Buffer },
): ExaminedArchive {
  const metadata = parseMetadata(bytes)
  const faults = faultsOf(SDIST_RULES, { project, version, paths: new Set(paths), infoPath, metadata })
  return { bytes, metadata, faults }
}

async function readMember(opened: OpenedZip, member: ListedMember, bytesMost: number): Promise<Buffer> {
  const { method, packedBytes, sizeBytes } = member
  const name = member.path.slice(member.path.lastIndexOf('/') + 1)
  if (sizeBytes > bytesMost) throw new ArchiveError('too-big', `its ${name} is larger than ${bytesMost} bytes`)
  if (method !== 0 && method !== 8)
    throw new ArchiveError(
      'damaged',
      `its ${name} is neither stored nor deflated; only other files may be packed with Zstandard`,
    )
  const small = sizeBytes <= SMALL_BYTES && packedBytes <= SMALL_BYTES && (await readSmall(opened.source, member))
  if (small) return small
  const { dataAt } = member.local!
  const zip = await opened.zip()
  const stream = await new Promise<Readable>((resolve, reject) => {
    const answer = (error: Error | null, opened: Readable) => (error === null ? resolve(opened) : reject(error))
    zip.openReadStreamLowLevel(dataAt, packedBytes, 0, packedBytes, method === 8, sizeBytes, answer)
  })
  const bytes = await collect(stream, bytesMost)
  if (crc32(bytes) !== member.crc) throw new ArchiveError('damaged', `its ${name} does not match its checksum`)
  return bytes
}

/** Memory for one byte more than there should be, where zlib would take 16 KiB for each. */
function roomFor(sizeBytes: number): ZlibOptions {
  return { maxOutputLength: sizeBytes + 1, chunkSize: Math.max(sizeBytes + 1, LEAST_CHUNK) }
}

/** Unpacked at once where it is whole; what is wrong with any other, the reader of streams tells. */
async function readSmall(source: WatchedSource, member: ListedMember): Promise<Buffer | undefined> {
  const { method, packedBytes, sizeBytes } = member
  const { dataAt } = member.local!
  const packed =
    source.whole?.subarray(dataAt, dataAt + packedBytes) ??
    Buffer.concat(await Array.fromAsync(source.read(dataAt, dataAt + packedBytes)))
  let bytes: Buffer
  try {
    bytes = method === 8 ? inflateRawSync(packed, roomFor(sizeBytes)) : packed
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return undefined
  }
  return bytes.length === sizeBytes && crc32(bytes) === member.crc ? bytes : undefined
}
