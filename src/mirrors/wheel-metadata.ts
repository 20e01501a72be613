/** Reads the metadata of a wheel at an upstream: by ranged reads, otherwise from the whole wheel, which is then stored. */

import { ArchiveError, type ArchiveSource } from '../archive/source.ts'
import { findZipEnd, ZIP_END_BYTES } from '../archive/zip-end.ts'
import { BlobMissing } from '../blob/blob-store.ts'
import { findFiles } from '../catalog/files.ts'
import { listMadeMetadata } from '../catalog/made-metadata.ts'
import { type Digest, digestOf } from '../lib/digest.ts'
import { collect } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile } from '../pep/simple.ts'
import { NotInParts } from '../upstream/ranged-file.ts'
import { describeFile, readSource } from './describe-file.ts'
import type { MirrorFiles, MirrorFilesOptions } from './mirror-files.ts'

export interface WheelMetadataOptions
  extends Pick<MirrorFilesOptions, 'record' | 'catalog' | 'blobs' | 'upstream' | 'limits' | 'clock'> {
  readonly files: MirrorFiles
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/** `isHeld`: read from the whole wheel, which is here now and has it recorded. `fault`: why no reading will ever find any. */
export type WheelFinding =
  | { readonly bytes: Buffer; readonly digest: Digest; readonly isHeld: boolean }
  | { readonly fault: string }

export class WheelMetadata {
  readonly #options: WheelMetadataOptions

  constructor(options: WheelMetadataOptions) {
    this.#options = options
  }

  /**
   * What METADATA the wheel has. Where upstream's page announces a hash of it, parts that say otherwise are not believed,
   * and the wheel's own hash decides. Throws as downloads do.
   */
  async make(project: ProjectName, wheel: DistributionFile, announced: Digest | undefined): Promise<WheelFinding> {
    const found = await this.#fromParts(wheel)
    if (found !== undefined && (announced === undefined || digestOf(found) === announced)) {
      return { bytes: found, digest: digestOf(found), isHeld: false }
    }
    await this.#options.files.fetch(project, wheel).complete()
    const fault = await this.describe(project, wheel.filename)
    if (fault !== undefined) return { fault }
    return { ...(await this.#held(project, wheel.filename)), isHeld: true }
  }

  /** Looks into a wheel that is here, as the job does that follows each download; gives why it has no metadata. */
  async describe(project: ProjectName, filename: string): Promise<string | undefined> {
    const { catalog, blobs, limits, record, warn } = this.#options
    await describeFile({ catalog, blobs, limits, warn }, { index: record.name, project, filename })
    const known = await catalog.read((reader) => listMadeMetadata(reader, record, project))
    const found = known.get(filename)
    return found !== undefined && 'fault' in found ? found.fault : undefined
  }

  /** `undefined` where parts do not tell, or tell of damage: parts have no hash, and their sender may be what is broken. */
  async #fromParts(wheel: DistributionFile): Promise<Buffer | undefined> {
    const { upstream, limits } = this.#options
    try {
      const file = await upstream.fileInParts(wheel.url, wheel.size)
      const { size, tail } = file
      let end = findZipEnd(tail.bytes)
      let endsAt = tail.start
      if (end === undefined && tail.start > 0) {
        // A long comment may follow the end record.
        endsAt = Math.max(0, size - ZIP_END_BYTES)
        end = findZipEnd(await collect(file.read(endsAt, size), ZIP_END_BYTES))
      }
      if (end === undefined) return undefined
      const source: ArchiveSource = { size, endAt: endsAt + end, read: (from, to) => file.read(from, to) }
      const found = await readSource(wheel.filename, source, limits)
      return 'fault' in found ? undefined : found.bytes
    } catch (error) {
      if (error instanceof NotInParts || error instanceof ArchiveError) return undefined
      throw error
    }
  }

  async #held(project: ProjectName, filename: string): Promise<{ readonly bytes: Buffer; readonly digest: Digest }> {
    const { catalog, record, blobs, limits } = this.#options
    const files = await catalog.read((reader) => findFiles(reader, record, filename))
    const found = files.find((each) => each.project === project)?.coreMetadata
    try {
      if (found !== undefined) {
        return { bytes: await collect(await blobs.open(found.digest), limits.metadataBytes), digest: found.digest }
      }
    } catch (error) {
      if (!(error instanceof BlobMissing)) throw error
    }
    throw new Problem('upstream-failed', `Cannot deliver "${filename}.metadata": the wheel was let go to make room`, {
      hint: 'ask again, or give the mirror more room (mirror_cache_size)',
    })
  }
}
