/** A mirror as a layer: answers from an upstream, caching as it goes, and from what it holds while upstream is gone. */

import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { findFiles, listFiles } from '../catalog/files.ts'
import { deleteFile } from '../catalog/removal.ts'
import type { Clock } from '../lib/clock.ts'
import { asDigest, type Digest } from '../lib/digest.ts'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'
import { fileAddress } from '../model/file-address.ts'
import type { Limits } from '../model/limits.ts'
import type { File, MirrorRecord } from '../model/records.ts'
import type { NameList } from '../names/name-list.ts'
import { versionOf } from '../pep/filename.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { FileUses } from './file-uses.ts'
import { mirrorAddress, withoutCredentials } from './mirror-address.ts'
import { MirrorFiles } from './mirror-files.ts'
import { MirrorMemory, type RememberedPage } from './mirror-memory.ts'
import { MirrorMetadata } from './mirror-metadata.ts'
import type { MirrorNames } from './mirror-names.ts'
import { MirrorRoom, type RoomBounds } from './mirror-room.ts'
import type { FileSource, IndexFile, IndexPage, Layer } from './package-index.ts'
import { checkDeliverable, isQuarantined, listable, type RemovalPolicy, withheld } from './removal-policy.ts'
import { heldFile, heldNames, heldSource } from './stage.ts'

export interface MirrorOptions {
  readonly record: MirrorRecord
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly upstream: Upstream
  /** Absent for an upstream without a list. */
  readonly names?: MirrorNames
  readonly expiryMs: number
  readonly offline: boolean
  readonly limits: Limits
  readonly clock: Clock
  readonly uses: FileUses
  readonly bounds: RoomBounds
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/** The part of a page's life after which a request for it has it refreshed in the background. */
const REFRESH_AHEAD = 0.75

/** Answers from what was here, and others, since the mirror was opened. */
export interface CacheFigures {
  pageHits: number
  pageMisses: number
  fileHits: number
  fileMisses: number
}

export class Mirror implements Layer {
  readonly kind = 'mirror'
  readonly figures: CacheFigures = { pageHits: 0, pageMisses: 0, fileHits: 0, fileMisses: 0 }
  readonly name: MirrorRecord['name']
  readonly #options: MirrorOptions
  readonly #memory: MirrorMemory
  readonly #pageFlights = new Map<ProjectName, Promise<RememberedPage>>()
  readonly #files: MirrorFiles
  readonly #metadata: MirrorMetadata
  /** What its files take up here, kept within its bounds. */
  readonly room: MirrorRoom

  constructor(options: MirrorOptions) {
    this.#options = options
    this.name = options.record.name
    this.room = new MirrorRoom(options)
    this.#metadata = new MirrorMetadata(options)
    const memory = new MirrorMemory(options.catalog, options.record)
    this.#memory = memory
    this.#files = new MirrorFiles({ ...options, room: this.room, memory })
  }

  /** Upstream's list; while that cannot be had and upstream is gone, the projects that can be delivered. */
  async *projects(): AsyncGenerator<readonly ProjectName[]> {
    const { catalog, record } = this.#options
    await using list = await this.list()
    yield* list === undefined ? heldNames(catalog, record) : list.names()
  }

  /** Upstream's list, for the caller to close; `undefined` where only projects that can be delivered are listed. */
  async list(): Promise<NameList | undefined> {
    const { names, upstream, offline } = this.#options
    const isGone = () => upstream.reachability.failure !== undefined
    if (names === undefined || offline || isGone()) return undefined
    const all = await names.list()
    if (all === undefined && !isGone()) throw names.missing()
    return all
  }

  async project(name: ProjectName): Promise<IndexPage | undefined> {
    const { catalog, record, offline, upstream } = this.#options
    const { page, stale } = await this.#page(name)
    const held = await catalog.read((reader) => listFiles(reader, record, name))
    const isCut = offline || upstream.reachability.failure !== undefined
    const listed = held.flatMap((file) => listable(this.#removals, file) ?? [])
    if (page?.detail === undefined) {
      // Upstream has it no longer, or it cannot be asked; what is here can still be delivered.
      return listed.length === 0 ? undefined : this.#heldPage(name, listed, stale)
    }
    const merged = this.#merged(page.detail, listed, isCut, stale)
    const isHidden = isCut && merged.files.length === 0 && page.detail.files.length > 0
    if (!isHidden || offline) return merged
    // An empty page would say that there is nothing to install; nobody knows that.
    throw new Problem('upstream-failed', `Cannot deliver any file of ${name}: none is here yet, and upstream is gone`, {
      hint: upstream.reachability.failure ?? stale ?? 'ask again later',
      retrySeconds: upstream.reachability.retrySeconds,
    })
  }

  /** Asks upstream for the page anew, whatever its age. Throws what upstream's failure is; what is remembered stays then. */
  async refresh(name: ProjectName): Promise<void> {
    const { offline } = this.#options
    if (offline) throw new Problem('upstream-offline', `Cannot refresh ${name}: the server runs in offline mode`)
    const known = await this.#memory.recall(name)
    const page = known?.detail === undefined ? undefined : { fetchedMs: 0, detail: known.detail }
    await this.#refresh(name, page, true)
  }

  async file(name: ProjectName, filename: string): Promise<FileSource | undefined> {
    const { catalog, record } = this.#options
    const files = await catalog.read((reader) => listFiles(reader, record, name))
    const archive = files.find((each) => each.filename === filename || `${each.filename}.metadata` === filename)
    if (archive !== undefined) checkDeliverable(this.#removals, archive)
    const held = heldSource(files, filename)
    if (held !== undefined) {
      this.figures.fileHits++
      if (archive !== undefined) this.#options.uses.note(archive.id)
      return held
    }
    const { page } = await this.#page(name)
    const file = page?.detail?.files.find((each) => each.filename === filename)
    if (page?.detail !== undefined && isQuarantined(page.detail)) throw withheld(filename)
    if (page?.detail !== undefined && file !== undefined) {
      const digest = asDigest(file.hashes.sha256)
      this.figures.fileMisses++
      return {
        from: 'upstream',
        address: mirrorAddress(this.name, file),
        origin: withoutCredentials(file.url),
        fetch: () => this.#files.fetch(page.detail!.name, file),
        askSize: async () => file.size ?? (await this.#files.size(file)),
        ...(file.size !== undefined && { sizeBytes: file.size }),
        ...(digest !== undefined && { digest }),
        ...(file.uploadTime !== undefined && { modified: file.uploadTime }),
      }
    }
    const wheel = page?.detail?.files.find((each) => `${each.filename}.metadata` === filename)
    const announced = wheel && metadataDigest(wheel)
    if (wheel === undefined || announced === undefined) return undefined
    const bytes = await this.#metadata.read(wheel, announced)
    return {
      from: 'memory',
      address: mirrorAddress(this.name, wheel),
      bytes,
      digest: announced,
      ...(wheel.uploadTime !== undefined && { modified: wheel.uploadTime }),
    }
  }

  /** Forgets files of that name whose bytes are here no longer: let go a moment ago, or left out of a backup. */
  async forgetLost(filename: string): Promise<void> {
    const { catalog, record, blobs } = this.#options
    const archive = filename.replace(/\.metadata$/, '')
    await catalog.write(async (writer) => {
      for (const file of await findFiles(writer, record, archive)) {
        const digests = [file.digest, ...(file.coreMetadata === undefined ? [] : [file.coreMetadata.digest])]
        const found = await Promise.all(digests.map((digest) => blobs.stat(digest)))
        if (found.includes(undefined)) await deleteFile(writer, record, file)
      }
    })
  }

  /** The page as it is remembered or as upstream gives it now. Throws when nothing is remembered and nobody can tell. */
  async #page(name: ProjectName): Promise<{ page?: RememberedPage; stale?: string }> {
    const { clock, expiryMs, limits, offline, upstream, names } = this.#options
    const known = await this.#memory.recall(name)
    const ageMs = clock.now().getTime() - (known?.fetchedMs ?? 0)
    const lifeMs = known?.detail === undefined ? Math.min(expiryMs, limits.negativeMs) : expiryMs
    // While upstream is taken to be gone pages list less than they could: such a page is as old as none.
    const isGone = !offline && upstream.reachability.failure !== undefined
    const isFresh = known !== undefined && ageMs < lifeMs
    this.figures[isFresh ? 'pageHits' : 'pageMisses']++
    if (isFresh && !isGone) {
      // What is used is asked for again before it is old, so that nobody waits for it. A failure is the next request's to tell.
      const isUsed = known.detail !== undefined && ageMs > lifeMs * REFRESH_AHEAD && !offline
      if (isUsed) this.#refresh(name, known).catch(() => {})
      return { page: known }
    }
    if (known?.detail === undefined && (await names?.knows(name)) === 'no') return {}
    if (offline) {
      if (known !== undefined) return { page: known }
      return await this.#withoutUpstream(
        name,
        new Problem('upstream-offline', `Cannot tell whether ${name} exists: the server runs in offline mode`),
      )
    }
    const waitMs = isGone && !upstream.reachability.isTrialDue ? 0 : limits.staleWaitMs
    const flight = this.#refresh(name, known)
    if (known?.detail === undefined) {
      try {
        return { page: await flight }
      } catch (error) {
        return await this.#withoutUpstream(name, error)
      }
    }
    return await this.#freshOrStale(known, flight, waitMs)
  }

  /** A project with files here is known even if no page is; of any other nobody can tell. */
  async #withoutUpstream(name: ProjectName, error: unknown): Promise<{ stale: string }> {
    const { catalog, record } = this.#options
    const held = await catalog.read((reader) => listFiles(reader, record, name))
    if (held.length === 0) throw error
    return { stale: reasonOf(error) }
  }

  /** Waits a little for upstream; when it does not answer, the older page serves, and the answer the next request. */
  async #freshOrStale(
    known: RememberedPage,
    flight: Promise<RememberedPage>,
    waitMs: number,
  ): Promise<{ page: RememberedPage; stale?: string }> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, waitMs)
    try {
      const fresh = await Promise.race([flight, late])
      return fresh === undefined ? { page: known, stale: 'upstream has not answered yet' } : { page: fresh }
    } catch (error) {
      return { page: known, stale: reasonOf(error) }
    } finally {
      clearTimeout(timer)
      // The flight goes on in the background; its failure was told above or is told by the next request.
      flight.catch(() => {})
    }
  }

  /** One request to upstream per project, however many ask. */
  #refresh(name: ProjectName, known: RememberedPage | undefined, isForced = false): Promise<RememberedPage> {
    const running = this.#pageFlights.get(name)
    if (running !== undefined) return running
    const fetched = isForced ? this.#fetchPage(name, known) : this.#fetchUnlessLanded(name, known)
    const flight = fetched.finally(() => this.#pageFlights.delete(name))
    this.#pageFlights.set(name, flight)
    return flight
  }

  /** While this request looked what is known, another one's flight may have landed. */
  async #fetchUnlessLanded(name: ProjectName, known: RememberedPage | undefined): Promise<RememberedPage> {
    const landed = await this.#memory.recall(name)
    if (landed !== undefined && landed.fetchedMs > (known?.fetchedMs ?? Number.NEGATIVE_INFINITY)) return landed
    return await this.#fetchPage(name, known)
  }

  async #fetchPage(name: ProjectName, known: RememberedPage | undefined): Promise<RememberedPage> {
    const { upstream, clock } = this.#options
    const answer = await upstream.page(name, known?.detail === undefined ? {} : known)
    const fetchedMs = clock.now().getTime()
    if (answer.kind === 'unchanged') {
      await this.#memory.confirm(name, known!, fetchedMs)
      return { ...known!, fetchedMs }
    }
    const { kind, ...found } = answer
    if (kind === 'absent' && (known?.detail?.files.length ?? 0) > 0) {
      // devpi's rule: what upstream had once stays listed, as old; lock files and caches outlive a name there.
      throw new Problem('upstream-failed', `Cannot get the page of ${name} anew: ${upstream.url} has it no longer`)
    }
    if (kind === 'page') this.#checkSerial(name, known?.detail?.lastSerial, answer.detail.lastSerial)
    const page: RememberedPage =
      kind === 'absent' ? { fetchedMs } : { fetchedMs, ...(found as Omit<typeof answer & { kind: 'page' }, 'kind'>) }
    await this.#memory.remember(name, page, known?.detail)
    return page
  }

  get #removals(): RemovalPolicy {
    return this.#options.record.options.mirror_removals ?? 'keep'
  }

  /** An upstream whose page is older than what is here already is a stale cache, not news (devpi's rule). */
  #checkSerial(name: ProjectName, before: number | undefined, now: number | undefined): void {
    if (this.#options.record.options.mirror_ignore_serial_header === true) return
    if (before === undefined || now === undefined || now >= before) return
    throw new Problem(
      'upstream-failed',
      `Cannot take the page of ${name}: upstream sent serial ${now}, and ${before} before`,
      { hint: 'where upstream was changed on purpose, set mirror_ignore_serial_header=True on the mirror' },
    )
  }

  #heldPage(name: ProjectName, held: readonly File[], stale: string | undefined): IndexPage {
    return {
      index: this.name,
      name,
      files: held.map(heldFile),
      versions: [...new Set(held.map((file) => file.version))],
      ...(stale !== undefined && { stale }),
    }
  }

  /** Upstream's page with what is known better here. Cut off from upstream, it lists what can be delivered, and only that. */
  #merged(detail: ProjectDetail, held: readonly File[], isCut: boolean, stale: string | undefined): IndexPage {
    const here = new Map(held.map((file) => [file.filename, file]))
    const listed = isQuarantined(detail) ? [] : detail.files
    const files: IndexFile[] = []
    for (const file of listed) {
      const mine = here.get(file.filename)
      here.delete(file.filename)
      if (mine !== undefined || !isCut) files.push(this.#listed(detail.name, file, mine, isCut))
    }
    // Held, and taken back upstream: listed as far as `listable` lets them.
    for (const gone of here.values()) if (gone.upstream !== undefined) files.push(heldFile(gone))
    const versions = isCut ? [...new Set(files.map((file) => file.version))] : detail.versions
    return { ...detail, index: this.name, files, versions, ...(stale !== undefined && { stale }) }
  }

  #listed(name: ProjectName, file: DistributionFile, held: File | undefined, isCut: boolean): IndexFile {
    const { coreMetadata: _announced, ...rest } = file
    // Cut off, only metadata that were read from the file itself are here.
    const metadata = held?.coreMetadata?.digest ?? (isCut ? undefined : metadataDigest(file))
    return {
      ...rest,
      url:
        held === undefined ? mirrorAddress(this.name, file) : fileAddress(this.name, held.addressHash, held.filename),
      index: this.name,
      version: versionOf(file.filename, name) ?? held?.version ?? '',
      held: held !== undefined,
      ...(held !== undefined && { size: held.sizeBytes, hashes: { ...file.hashes, sha256: held.digest } }),
      ...(metadata !== undefined && { coreMetadata: { sha256: metadata } }),
    }
  }
}

/** The sha256 of a wheel's metadata file where upstream vouches for it; a bare `true` is not repeated: nothing could check it. */
function metadataDigest(file: DistributionFile): Digest | undefined {
  return typeof file.coreMetadata === 'object' ? asDigest(file.coreMetadata.sha256) : undefined
}
