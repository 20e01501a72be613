/** Keeps a mirror's files within their disk limits (LRU eviction): the least recently used files go first. */
import type { BlobStore } from '../blob/blob-store.ts'
import type { SharedHolds } from '../blob/shared-holds.ts'
import type { Catalog, Writer } from '../catalog/catalog.ts'
import { findFiles } from '../catalog/files.ts'
import {
  deleteMetadata,
  type EvictableFile,
  type EvictableMetadata,
  holdings,
  leastUsedFiles,
  leastUsedMetadata,
} from '../catalog/mirror-uses.ts'
import { isBlobNamed } from '../catalog/named-blobs.ts'
import { deleteFile } from '../catalog/removal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Digest } from '../lib/digest.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { FileUses } from './file-uses.ts'

/** Absent: without bound. */
export interface RoomBounds {
  readonly bytes?: number
  /** After the last use. */
  readonly days?: number
}

export interface MirrorRoomOptions {
  readonly record: MirrorRecord
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly uses: FileUses
  readonly bounds: RoomBounds
  readonly warn: (message: string, fields: Record<string, unknown>) => void
  /** Where other workers make room too: what each needs the others leave. */
  readonly shared?: { readonly holds: SharedHolds }
}

export interface Evicted {
  readonly files: number
  /** Of rows; bytes that others name too are still here. */
  readonly bytes: number
}

/** Rows that go in one transaction: other writers wait for it. */
const BATCH = 50
const DAY_MS = 24 * 3600 * 1000

/** The mirror's own bounds, and the server's where it has none. */
export function boundsOf({ options }: MirrorRecord, defaults: RoomBounds): RoomBounds {
  const bytes = options.mirror_cache_size ?? defaults.bytes ?? 'unlimited'
  const days = options.mirror_cache_days ?? defaults.days ?? 'unlimited'
  return { ...(bytes !== 'unlimited' && { bytes }), ...(days !== 'unlimited' && { days }) }
}

export class MirrorRoom {
  readonly #options: MirrorRoomOptions
  #last: Promise<unknown> = Promise.resolve()
  /** How many need the files of a project just now. */
  readonly #needed = new Map<ProjectName, number>()

  constructor(options: MirrorRoomOptions) {
    this.#options = options
  }

  /**
   * Lets go what is too much, and with `age` what is too old. Afterwards the bounds hold for all that is stored and may go: pinned projects, files
   * with test results, files that upstream took back, and what is being fetched come on top. Whoever reads a file that
   * goes reads it to its end; its room is free after that.
   */
  async keepWithin({ age }: { readonly age: boolean }): Promise<Evicted> {
    // One at a time, or two would each let go enough for both.
    const mine = this.#last.then(() => this.#keepWithin(age))
    this.#last = mine.catch(() => {})
    return await mine
  }

  /** Until this is disposed, none of the project's files goes, and they come on top: who copies a release needs it whole. */
  retain(project: ProjectName): AsyncDisposable {
    this.#needed.set(project, (this.#needed.get(project) ?? 0) + 1)
    const held = this.#options.shared?.holds.hold(this.#shared(project))
    return {
      [Symbol.asyncDispose]: async () => {
        held?.[Symbol.dispose]()
        const others = this.#needed.get(project)! - 1
        if (others > 0) this.#needed.set(project, others)
        else this.#needed.delete(project)
        await this.keepSmall()
      },
    }
  }

  /** `keepWithin` after a file was stored. What goes wrong is told, and tried again after the next file. */
  async keepSmall(): Promise<void> {
    try {
      await this.keepWithin({ age: false })
    } catch (error) {
      this.#options.warn('Cannot make room for files', { 'index.name': this.#options.record.name, err: error })
    }
  }

  async #keepWithin(age: boolean): Promise<Evicted> {
    const { catalog } = this.#options
    const evicted = { files: 0, bytes: 0 }
    while (await this.#mayBeOver(age)) {
      const { files, bytes, digests, isLast } = await catalog.write((writer) => this.#evictSome(writer, age))
      evicted.files += files
      evicted.bytes += bytes
      await this.#discard(digests)
      if (isLast) break
    }
    return evicted
  }

  /** Cheap where age does not count, for it is asked after every file that is stored. */
  async #mayBeOver(age: boolean): Promise<boolean> {
    const { catalog, record, bounds } = this.#options
    if (age && bounds.days !== undefined) return true
    const { bytes } = bounds
    return bytes !== undefined && (await catalog.read((reader) => holdings(reader, record))).bytes > bytes
  }

  async #evictSome(writer: Writer, age: boolean) {
    const { record, bounds, uses, clock } = this.#options
    await uses.flushInto(writer)
    const held = await holdings(writer, record)
    const pinned = [...(record.options.mirror_pinned ?? []), ...this.#needed.keys()]
    const names = pinned.filter((each): each is ProjectName => each !== '*')
    const found = pinned.includes('*')
      ? []
      : [...(await leastUsedFiles(writer, record, names, BATCH)), ...(await leastUsedMetadata(writer, record, BATCH))]
    const oldestMs = !age || bounds.days === undefined ? 0 : clock.now().getTime() - bounds.days * DAY_MS
    let over = held.bytes - (bounds.bytes ?? Number.POSITIVE_INFINITY)
    const evicted = { files: 0, bytes: 0, digests: [] as Digest[], isLast: true }
    for (const one of found.sort((a, b) => a.usedMs - b.usedMs).slice(0, BATCH)) {
      if (over <= 0 && one.usedMs >= oldestMs) return evicted
      if ('fileId' in one && this.#isNeededElsewhere(one.project)) continue
      evicted.digests.push(...(await this.#evict(writer, one)))
      if ('fileId' in one) evicted.files++
      evicted.bytes += one.bytes
      over -= one.bytes
    }
    // Where others need all of them, there is nothing to be done before they are ready.
    return { ...evicted, isLast: found.length < BATCH || evicted.digests.length === 0 }
  }

  #isNeededElsewhere(project: ProjectName): boolean {
    return this.#options.shared?.holds.isHeld(this.#shared(project)) === true
  }

  /** What the project goes by among the workers. */
  #shared(project: ProjectName): string {
    return `${this.#options.record.id}/${project}`
  }

  async #evict(writer: Writer, one: EvictableFile | EvictableMetadata): Promise<Digest[]> {
    const { record } = this.#options
    if (!('fileId' in one)) {
      await deleteMetadata(writer, record, one.digest)
      return [one.digest]
    }
    const file = (await findFiles(writer, record, one.filename)).find((each) => each.id === one.fileId)!
    await deleteFile(writer, record, file)
    return file.coreMetadata === undefined ? [file.digest] : [file.digest, file.coreMetadata.digest]
  }

  /** At once, without the grace of what people delete: it can be fetched again. What is held stays for the sweep. */
  async #discard(digests: readonly Digest[]): Promise<void> {
    const { catalog, blobs } = this.#options
    for (const digest of digests) {
      await blobs.discard(digest, () => catalog.read((reader) => isBlobNamed(reader, digest)))
    }
  }
}
