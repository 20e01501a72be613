/** Lists the members of a gzipped tar, with its metadata files, in one pass from front to end. */
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type tar from 'tar-stream'
import { collect, TooLong } from '../lib/streams.ts'
import { ArchiveError, type ArchiveLimits, checkNames, checkRatio, type WatchedSource } from './source.ts'
import { type TarFraming, tarFrames } from './tar-frames.ts'
import { openTar } from './tar-reader.ts'

export interface TarMember {
  /** As written, but for leading `./` and the slash at a folder's end. */
  readonly path: string
  readonly isFolder: boolean
  /** `undefined`: a kind that installers do not know. */
  readonly type: tar.Header['type']
  readonly linkTo?: string
  /** Whether it has holes (GNU's own type, or the pax records of GNU tar and star). */
  readonly isSparse: boolean
}

export interface TarListing extends TarFraming {
  readonly members: readonly TarMember[]
  /** The contents of the files that were asked for. */
  readonly texts: readonly { readonly path: string; readonly bytes: Buffer }[]
  /** Whether the file goes on behind the gzip's end. */
  readonly hasBytesBehind: boolean
  /** Whether a zip's end record closes the file. */
  readonly isZip: boolean
}

/** The record that ends a zip; a comment may follow it. */
const END_OF_ZIP = Buffer.from('PK\x05\x06', 'latin1')
const END_OF_ZIP_BYTES = 22
const ZIP_COMMENT_MOST = 0xffff
/** Files that are kept in memory: a second of a kind is an error of its own. */
const TEXTS_MOST = 2

/** Throws `ArchiveError` for what is no gzipped tar or is cut short, for a bomb, and past a limit. */
export async function listTarGz(
  source: WatchedSource,
  limits: ArchiveLimits,
  isWanted: (path: string) => boolean,
): Promise<TarListing> {
  const reader = openTar()
  const gunzip = createGunzip()
  const frames = tarFrames()
  const fed = pipeline(
    source.read(0, source.size),
    gunzip,
    async function* (unpacked: AsyncIterable<Uint8Array>) {
      let unpackedBytes = 0
      for await (const chunk of unpacked) {
        unpackedBytes += chunk.length
        checkRatio(unpackedBytes, source.size)
        frames.take(chunk)
        yield chunk
      }
    },
    reader,
  )
  // Its failure also ends the loop below, and is looked at after it.
  fed.catch(() => {})
  try {
    const { members, texts } = await readMembers(reader, limits, isWanted)
    await fed
    const hasBytesBehind = gunzip.bytesWritten < source.size
    return { ...frames.found, members, texts, hasBytesBehind, isZip: await endsAsZip(source) }
  } catch (error) {
    reader.destroy()
    const cause = await fed.then(
      () => error,
      (failure: unknown) => (error instanceof ArchiveError ? error : failure),
    )
    if (!isSecondHeader(cause) || !(await beginsAsGzip(source))) {
      throw source.explain(cause, 'it is no complete tar.gz')
    }
    // What was unpacked last is lost with the failure, and with it perhaps all that the tar says.
    const unknown = { ...frames.found, hasEnd: true, members: [], texts: [] }
    return { ...unknown, hasBytesBehind: true, isZip: await endsAsZip(source) }
  }
}

/** What follows a gzip is read as another one, as the format has it, and mostly is none. */
function isSecondHeader(error: unknown): boolean {
  return error instanceof Error && error.message === 'incorrect header check'
}

async function beginsAsGzip(source: WatchedSource): Promise<boolean> {
  const head = Buffer.concat(await Array.fromAsync(source.read(0, Math.min(2, source.size))))
  return head.toString('latin1') === '\x1f\x8b'
}

async function readMembers(
  reader: tar.Extract,
  limits: ArchiveLimits,
  isWanted: (path: string) => boolean,
): Promise<Pick<TarListing, 'members' | 'texts'>> {
  const members: TarMember[] = []
  const texts: { path: string; bytes: Buffer }[] = []
  let count = 0
  let nameBytes = 0
  for await (const entry of reader) {
    if (++count > limits.members) {
      throw new ArchiveError('too-big', `it has more than ${limits.members} members`)
    }
    const { name, type, linkname, pax } = entry.header
    nameBytes += name.length + (linkname?.length ?? 0)
    checkNames(nameBytes)
    const path = name.replace(/^(?:\.\/)+/, '').replace(/(?<=.)\/$/, '')
    if (type === 'directory' && (path === '' || path === '.')) {
      // The folder that was packed, as "tar -c ." lists it: nothing of the archive.
      entry.resume()
      continue
    }
    const isSparse = type === 'file' || type == null ? isHoled(pax) : false
    members.push({ path, isFolder: type === 'directory', type, isSparse, ...(linkname && { linkTo: linkname }) })
    if (type === 'file' && texts.length < TEXTS_MOST && isWanted(path)) {
      texts.push({ path, bytes: await collectText(entry as AsyncIterable<Uint8Array>, limits.metadataBytes, path) })
    } else {
      entry.resume()
    }
  }
  return { members, texts }
}

function isHoled(pax: unknown): boolean {
  return Object.keys((pax as Record<string, string> | null) ?? {}).some(
    (key) => key.startsWith('GNU.sparse.') || key.startsWith('SCHILY.realsize'),
  )
}

async function collectText(entry: AsyncIterable<Uint8Array>, limitBytes: number, path: string): Promise<Buffer> {
  try {
    return await collect(entry, limitBytes)
  } catch (error) {
    if (!(error instanceof TooLong)) throw error
    const name = path.slice(path.lastIndexOf('/') + 1)
    throw new ArchiveError('too-big', `its ${name} is larger than ${limitBytes} bytes`, { cause: error })
  }
}

async function endsAsZip(source: WatchedSource): Promise<boolean> {
  const start = Math.max(0, source.size - END_OF_ZIP_BYTES - ZIP_COMMENT_MOST)
  const tail = Buffer.concat(await Array.fromAsync(source.read(start, source.size)))
  for (let at = tail.indexOf(END_OF_ZIP); at >= 0; at = tail.indexOf(END_OF_ZIP, at + 1)) {
    const rest = tail.length - at - END_OF_ZIP_BYTES
    if (rest >= 0 && tail.readUInt16LE(at + 20) === rest) return true
  }
  return false
}
