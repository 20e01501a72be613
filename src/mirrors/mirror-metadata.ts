/**
 * The metadata of wheels that are not here themselves (PEP 658): upstream's metadata file, else what is read from the wheel
 * there. Fetched once however many ask, checked where there is something to check it by, and kept.
 */
import { BlobMissing, writeBlob } from '../blob/blob-store.ts'
import { type KnownMetadata, listMadeMetadata, saveMadeMetadata } from '../catalog/made-metadata.ts'
import { findMetadata, saveMetadata } from '../catalog/mirror-uses.ts'
import { asDigest, type Digest, digestOf } from '../lib/digest.ts'
import { collect, TooLong } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import type { File } from '../model/records.ts'
import { parseFilename } from '../pep/filename.ts'
import { MetadataError, parseMetadata } from '../pep/metadata.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'
import type { DistributionFile } from '../pep/simple.ts'
import { addressHash } from './mirror-address.ts'
import { WheelMetadata, type WheelMetadataOptions } from './wheel-metadata.ts'

export interface ReadMetadata {
  readonly bytes: Buffer
  readonly digest: Digest
  /** Upstream's page announces this hash, or the whole wheel was read; else a broken upstream may have sent other content. */
  readonly isChecked: boolean
}

export class MirrorMetadata {
  readonly #options: WheelMetadataOptions
  readonly #wheels: WheelMetadata
  /** By the wheel's address upstream. */
  readonly #flights = new Map<string, Promise<ReadMetadata>>()

  constructor(options: WheelMetadataOptions) {
    this.#options = options
    this.#wheels = new WheelMetadata(options)
  }

  /** Tells of each of the project's files how its page may announce its metadata: not at all where they cannot be given. */
  async announcer(
    project: ProjectName,
    isCut: boolean,
  ): Promise<(file: DistributionFile, held: File | undefined) => DistributionFile['coreMetadata']> {
    const known = await this.#known(project)
    return (file, held) => {
      if (held?.coreMetadata !== undefined) return { sha256: held.coreMetadata.digest }
      const digest = isCut ? undefined : metadataDigest(file)
      // An sdist's is upstream's own or none.
      if (!file.filename.endsWith('.whl')) return digest && { sha256: digest }
      const found = knownOf(file, held, known)
      if (found !== undefined && 'fault' in found) return undefined
      if (found !== undefined && (found.isHere || !isCut)) return { sha256: found.digest }
      if (digest !== undefined) return { sha256: digest }
      const isAnnounced = file.coreMetadata !== undefined && !isCut
      // What is here can be read, whatever upstream does.
      const isReadable = held !== undefined || (this.#makes && !isCut)
      return isAnnounced || (isReadable && isWheel(file.filename)) ? true : undefined
    }
  }

  /**
   * The metadata of a wheel that is not here; `undefined` where nobody announces any. Throws `no-such-file` for a wheel that
   * has none, `upstream-failed` when upstream sends something else than it announces, and as downloads do.
   */
  async read(project: ProjectName, wheel: DistributionFile): Promise<ReadMetadata | undefined> {
    if (!isWheel(wheel.filename) && metadataDigest(wheel) === undefined) return undefined
    const found = knownOf(wheel, undefined, await this.#known(project))
    if (wheel.coreMetadata === undefined && !this.#makes && found === undefined) return undefined
    const announced = metadataDigest(wheel)
    const made = found !== undefined && 'digest' in found ? found.digest : undefined
    const digest = made ?? announced
    const kept = digest && (await this.#kept(digest))
    if (kept !== undefined) return { bytes: kept, digest: digest!, isChecked: made === undefined }
    return await this.#flight(wheel, () => this.#fetch(project, wheel, announced, found))
  }

  /** Reads a wheel that is here and was not looked into yet. */
  async describe(project: ProjectName, filename: string): Promise<void> {
    await this.#wheels.describe(project, filename)
  }

  async #known(project: ProjectName): Promise<ReadonlyMap<string, KnownMetadata>> {
    const { catalog, record } = this.#options
    return await catalog.read((reader) => listMadeMetadata(reader, record, project))
  }

  get #makes(): boolean {
    return this.#options.record.options.mirror_make_metadata !== false
  }

  async #kept(digest: Digest): Promise<Buffer | undefined> {
    const { catalog, record, blobs, limits } = this.#options
    if ((await catalog.read((reader) => findMetadata(reader, record, digest))) === undefined) return undefined
    try {
      return await collect(await blobs.open(digest), limits.metadataBytes)
    } catch (error) {
      // Let go since, to make room, or left out of a backup.
      if (error instanceof BlobMissing) return undefined
      throw error
    }
  }

  #flight(wheel: DistributionFile, fetch: () => Promise<ReadMetadata>): Promise<ReadMetadata> {
    const running = this.#flights.get(wheel.url)
    if (running !== undefined) return running
    const flight = fetch().finally(() => this.#flights.delete(wheel.url))
    this.#flights.set(wheel.url, flight)
    return flight
  }

  async #fetch(
    project: ProjectName,
    wheel: DistributionFile,
    announced: Digest | undefined,
    found: KnownMetadata | undefined,
  ): Promise<ReadMetadata> {
    const given = wheel.coreMetadata === undefined ? undefined : await this.#given(project, wheel, announced)
    if (given !== undefined) return await this.#keep(project, wheel, given, announced)
    if (found !== undefined && 'fault' in found) throw withoutMetadata(wheel.filename, found.fault)
    if (!this.#makes || !isWheel(wheel.filename)) {
      throw new Problem(
        'upstream-failed',
        `Cannot deliver "${wheel.filename}.metadata": upstream announces it, and does not have it`,
        { hint: 'of wheels it is read from the wheel, unless the mirror has mirror_make_metadata=False' },
      )
    }
    const made = await this.#wheels.make(project, wheel, announced)
    if ('fault' in made) {
      await this.#save(project, wheel, { fault: made.fault })
      throw withoutMetadata(wheel.filename, made.fault)
    }
    return made.isHeld ? { ...made, isChecked: true } : await this.#keep(project, wheel, made.bytes, announced)
  }

  /** Upstream's own metadata file; `undefined` where it has none after all, or none that can be used. */
  async #given(
    project: ProjectName,
    wheel: DistributionFile,
    announced: Digest | undefined,
  ): Promise<Buffer | undefined> {
    const body = await this.#options.upstream.fileIfThere(`${wheel.url}.metadata`)
    const bytes = body && (await this.#whole(wheel.filename, body.bytes))
    if (bytes === undefined || announced === undefined) return bytes && isOf(project, bytes) ? bytes : undefined
    if (digestOf(bytes) === announced) return bytes
    throw new Problem(
      'upstream-failed',
      `Cannot deliver "${wheel.filename}.metadata": upstream sent other content than its page announces`,
    )
  }

  async #keep(
    project: ProjectName,
    wheel: DistributionFile,
    bytes: Buffer,
    announced: Digest | undefined,
  ): Promise<ReadMetadata> {
    const { blobs, catalog, record, clock, limits } = this.#options
    const blob = await writeBlob(blobs, [bytes], { limitBytes: limits.metadataBytes })
    await catalog.write((writer) => saveMetadata(writer, record, { ...blob, usedMs: clock.now().getTime() }))
    const isChecked = blob.digest === announced
    if (!isChecked) await this.#save(project, wheel, { digest: blob.digest })
    return { bytes, digest: blob.digest, isChecked }
  }

  async #save(
    project: ProjectName,
    wheel: DistributionFile,
    found: { readonly digest: Digest } | { readonly fault: string },
  ): Promise<void> {
    const { catalog, record } = this.#options
    const made = { filename: wheel.filename, wheel: identity(wheel), ...found }
    await catalog.write((writer) => saveMadeMetadata(writer, record, project, made))
  }

  /** The body to its end, as long and as large as a page may be: somebody is resolving, and waits. */
  async #whole(filename: string, bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const { limits } = this.#options
    const end = performance.now() + limits.upstreamPageMs
    const wrong = (what: string) => new Problem('upstream-failed', `Cannot deliver "${filename}.metadata": ${what}`)
    async function* inTime(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        if (performance.now() > end) throw wrong(`upstream sent no end of it in ${limits.upstreamPageMs} ms`)
        yield chunk
      }
    }
    try {
      return await collect(inTime(), limits.metadataBytes)
    } catch (error) {
      if (error instanceof TooLong) throw wrong(`upstream sends more than ${limits.metadataBytes} bytes`)
      throw error
    }
  }
}

/** Others that end so are none that an installer takes. */
function isWheel(filename: string): boolean {
  return parseFilename(filename)?.kind === 'wheel'
}

/** The sha256 of a wheel's metadata file where upstream's page tells it. */
function metadataDigest(file: DistributionFile): Digest | undefined {
  return typeof file.coreMetadata === 'object' ? asDigest(file.coreMetadata.sha256) : undefined
}

/** What upstream's page knows the wheel by; its address alone where the page has no hash. */
function identity(wheel: DistributionFile): string {
  return addressHash(wheel) ?? wheel.url
}

function knownOf(
  wheel: DistributionFile,
  held: File | undefined,
  known: ReadonlyMap<string, KnownMetadata>,
): KnownMetadata | undefined {
  const found = known.get(wheel.filename)
  return found?.wheel === identity(wheel) || found?.wheel === held?.digest ? found : undefined
}

/** Whether the bytes, which no hash vouches for, are metadata of the project: some servers answer 200 to everything. */
function isOf(project: ProjectName, bytes: Buffer): boolean {
  try {
    return asProjectName(parseMetadata(bytes).name) === project
  } catch (error) {
    if (error instanceof MetadataError) return false
    throw error
  }
}

function withoutMetadata(filename: string, fault: string): Problem {
  return new Problem('no-such-file', `Cannot deliver "${filename}.metadata": the wheel has none that can be used`, {
    hint: `pages of this index announce it no longer; ${fault}`,
  })
}
