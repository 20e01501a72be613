/** A zip read in ranges: its directory, checked for wholeness, and one member. */

import { crc32 } from 'node:zlib'
import type yauzl from 'yauzl'
import { collect } from '../lib/streams.ts'
import { quoted } from './fault.ts'
import { checkPlaces, type MetadataPlace } from './metadata-place.ts'
import { ArchiveError, type ArchiveLimits, checkNames, checkRatio, type WatchedSource } from './source.ts'
import { openZip } from './zip-opener.ts'

const LOCAL_HEADER_BYTES = 30
const STORED = 0
const DEFLATED = 8
/** uv installs members packed so; only METADATA itself must be stored or deflated. */
const ZSTANDARD = 93

/**
 * Gives the one metadata file of a zip. Every member must lie before the directory and overlap no other, names must be
 * unique and safe, and nothing may precede the first member: so a cut, patched or prefixed file is refused without being
 * read. Throws `ArchiveError`.
 */
export async function readZip(
  source: WatchedSource,
  limits: ArchiveLimits,
  place: MetadataPlace,
): Promise<{ bytes: Buffer; path: string }> {
  try {
    const zip = await openZip(source, { decodeStrings: true, strictFileNames: true })
    try {
      const entries = await readDirectory(zip, source.size, limits, place)
      checkPlaces(
        place,
        entries.map((entry) => entry.fileName),
      )
      return await readEntry(zip, entries[0]!, limits, place)
    } finally {
      zip.close()
    }
  } catch (error) {
    throw source.explain(error, 'it is no complete zip')
  }
}

/** Reads the whole directory, and gives the entries that are metadata files. */
async function readDirectory(
  zip: yauzl.ZipFile,
  sizeBytes: number,
  limits: ArchiveLimits,
  place: MetadataPlace,
): Promise<yauzl.Entry[]> {
  if (zip.entryCount > limits.members) throw new ArchiveError('too-big', `it has more than ${limits.members} members`)
  const directory = directoryOffset(zip)
  const found: yauzl.Entry[] = []
  const names = new Set<string>()
  const spans: { start: number; end: number }[] = []
  let unpackedBytes = 0
  let nameBytes = 0
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName
    nameBytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength
    checkNames(nameBytes)
    if (names.has(name)) throw new ArchiveError('damaged', `it contains ${quoted(name)} twice`)
    names.add(name)
    checkMember(entry)
    unpackedBytes += entry.uncompressedSize
    checkRatio(unpackedBytes, sizeBytes)
    const start = entry.relativeOffsetOfLocalHeader
    spans.push({ start, end: start + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize })
    if (place.isPlace(name)) found.push(entry)
  }
  checkSpans(spans, directory)
  return found
}

function checkMember(entry: yauzl.Entry): void {
  const name = quoted(entry.fileName)
  if (entry.isEncrypted()) throw new ArchiveError('damaged', `its member ${name} is encrypted`)
  if (![STORED, DEFLATED, ZSTANDARD].includes(entry.compressionMethod)) {
    throw new ArchiveError('damaged', `its member ${name} is compressed by a method that installers do not know`)
  }
}

function checkSpans(spans: { start: number; end: number }[], directory: number): void {
  spans.sort((a, b) => a.start - b.start)
  let end = 0
  for (const span of spans) {
    if (span.start < end) throw new ArchiveError('damaged', 'its members overlap')
    end = span.end
  }
  if (end > directory) throw new ArchiveError('damaged', 'a member reaches past the place where its directory begins')
}

async function readEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  limits: ArchiveLimits,
  place: MetadataPlace,
): Promise<{ bytes: Buffer; path: string }> {
  if (entry.uncompressedSize > limits.metadataBytes) {
    throw new ArchiveError('too-big', `its ${place.name} is larger than ${limits.metadataBytes} bytes`)
  }
  const bytes = await collect(await zip.openReadStreamPromise(entry), limits.metadataBytes)
  if (crc32(bytes) !== entry.crc32) throw new ArchiveError('damaged', `its ${place.name} does not match its checksum`)
  return { bytes, path: entry.fileName }
}

/** Before the first entry is read, the reader's position is where the directory begins; its types do not tell. */
function directoryOffset(zip: yauzl.ZipFile): number {
  return Number(zip.readEntryCursor)
}
