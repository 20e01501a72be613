/** A gzipped tar read once from front to end, in flat memory. */

import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type tar from 'tar-stream'
import { collect, TooLong } from '../lib/streams.ts'
import { checkPlaces, type MetadataPlace } from './metadata-place.ts'
import { ArchiveError, type ArchiveLimits, checkRatio, type WatchedSource } from './source.ts'
import { openTar } from './tar-reader.ts'

/** Gives the one metadata file, after the whole archive has been found sound. Throws `ArchiveError`. */
export async function readTarGz(
  source: WatchedSource,
  limits: ArchiveLimits,
  place: MetadataPlace,
): Promise<{ bytes: Buffer; path: string }> {
  const members = openTar()
  const fed = pipeline(
    source.read(0, source.size),
    createGunzip(),
    (unpacked: AsyncIterable<Uint8Array>) => bounded(unpacked, source.size),
    members,
  )
  // Its failure also ends the loop below, and is looked at after it.
  fed.catch(() => {})
  try {
    const found = await findMember(members, limits, place)
    await fed
    checkPlaces(
      place,
      found.map(({ path }) => path),
    )
    return found[0]!
  } catch (error) {
    members.destroy()
    const cause = await fed.then(
      () => error,
      (failure: unknown) => (error instanceof ArchiveError ? error : failure),
    )
    throw source.explain(cause, 'it is no complete tar.gz')
  }
}

async function* bounded(unpacked: AsyncIterable<Uint8Array>, packedBytes: number): AsyncGenerator<Uint8Array> {
  let unpackedBytes = 0
  for await (const chunk of unpacked) {
    unpackedBytes += chunk.length
    checkRatio(unpackedBytes, packedBytes)
    yield chunk
  }
}

async function findMember(
  members: tar.Extract,
  limits: ArchiveLimits,
  place: MetadataPlace,
): Promise<{ bytes: Buffer; path: string }[]> {
  const found: { bytes: Buffer; path: string }[] = []
  let count = 0
  for await (const member of members) {
    if (++count > limits.members) throw new ArchiveError('too-big', `it has more than ${limits.members} members`)
    const path = member.header.name.replace(/^(?:\.\/)+/, '')
    if (member.header.type === 'file' && found.length < 2 && place.isPlace(path)) {
      found.push({
        bytes: await collectMetadata(member as AsyncIterable<Uint8Array>, limits.metadataBytes, place.name),
        path,
      })
    } else {
      member.resume()
    }
  }
  return found
}

async function collectMetadata(member: AsyncIterable<Uint8Array>, limitBytes: number, name: string): Promise<Buffer> {
  try {
    return await collect(member, limitBytes)
  } catch (error) {
    if (error instanceof TooLong)
      throw new ArchiveError('too-big', `its ${name} is larger than ${limitBytes} bytes`, { cause: error })
    throw error
  }
}
