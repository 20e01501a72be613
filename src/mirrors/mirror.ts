/** A mirror as a layer: a caching proxy of an upstream, which answers from its cache while the upstream is gone. */

import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog, Reader } from '../catalog/catalog.ts'
import { findFile, findFiles, listFiles } from '../catalog/files.ts'
import type { StoredProvenance } from '../catalog/provenance.ts'
import { deleteFile } from '../catalog/removal.ts'
import { type AskedAddress, archiveOf, isAddressed, isListedAt } from '../indexes/asked-address.ts'
import { heldFile, heldListed, heldSource } from '../indexes/held.ts'
import { otherAt } from '../indexes/other-at.ts'
import type { Conditions, FileSource, IndexFile, IndexPage, Layer, LocatedFile } from '../indexes/package-index.ts'
import type { Clock } from '../lib/clock.ts'
import { asDigest } from '../lib/digest.ts'
import { Problem } from '../model/errors.ts'
import { fileAddress } from '../model/file-address.ts'
import type { Limits } from '../model/limits.ts'
import { packagesPath } from '../model/packages-path.ts'
import type { File, MirrorRecord } from '../model/records.ts'
import type { ListedName } from '../names/name-batches.ts'
import type { NameList } from '../names/name-list.ts'
import { candidates, versionOf } from '../pep/filename.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { FileUses } from './file-uses.ts'
import { mirrorAddress, withoutCredentials } from './mirror-address.ts'
import { MirrorFiles } from './mirror-files.ts'
import { MirrorMemory } from './mirror-memory.ts'
import { MirrorMetadata } from './mirror-metadata.ts'
import type { MirrorNames } from './mirror-names.ts'
import { MirrorNumbers } from './mirror-numbers.ts'
import { MirrorPages } from './mirror-pages.ts'
import { type Judge, MirrorProvenance } from './mirror-provenance.ts'
import { MirrorRoom, type RoomBounds } from './mirror-room.ts'
import type { CacheFigures } from './mirror-status.ts'
import type { SharedMirrors } from './peers.ts'
import { checkDeliverable, isQuarantined, listable, type RemovalPolicy, withheld } from './removal-policy.ts'

export interface MirrorSetup {
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
  readonly onNews?: (project: ProjectName) => void
  /** Where other workers serve the mirror too. */
  readonly shared?: Pick<SharedMirrors, 'counters' | 'holds'> & { readonly url: string }
}

export class Mirror implements Layer {
  readonly kind = 'mirror'
  readonly figures: CacheFigures = { pageHits: 0, pageMisses: 0, fileHits: 0, fileMisses: 0 }
  readonly name: MirrorRecord['name']
  readonly #options: MirrorSetup
  readonly #pages: MirrorPages
  readonly #files: MirrorFiles
  readonly #numbers: MirrorNumbers
  readonly #metadata: MirrorMetadata
  readonly #provenance: MirrorProvenance
  /** What its files take up here, kept within its bounds. */
  readonly room: MirrorRoom

  constructor(options: MirrorSetup) {
    this.#options = options
    this.name = options.record.name
    this.room = new MirrorRoom(options)
    this.#numbers = new MirrorNumbers(options)
    const memory = new MirrorMemory(options)
    this.#pages = new MirrorPages({ ...options, memory, figures: this.figures })
    this.#files = new MirrorFiles({ ...options, room: this.room, memory })
    this.#provenance = new MirrorProvenance(options)
    this.#metadata = new MirrorMetadata({ ...options, files: this.#files })
  }

  /** Upstream's list, for the caller to close, `isNumbered` where its change numbers count; `undefined` where only projects that can be delivered are listed. */
  async list(isNumbered = false): Promise<NameList | undefined> {
    const { names, upstream, offline } = this.#options
    const isGone = () => upstream.reachability.failure !== undefined
    if (names === undefined || offline || isGone()) return undefined
    const all = await names.list(isNumbered)
    if (all === undefined && !isGone()) throw names.missing()
    return all
  }

  async project(name: ProjectName): Promise<IndexPage | undefined> {
    const page = await this.#project(name)
    return page && (await this.#numbers.numbered(page, this.#isCut))
  }

  async *listed(): AsyncGenerator<readonly ListedName[]> {
    const { catalog, record } = this.#options
    await using list = await this.list(true)
    yield* list === undefined ? heldListed(catalog, record) : list.listed()
  }

  async stamp(name: ProjectName): Promise<number | undefined> {
    return await this.#numbers.own(name, this.#isCut)
  }

  get #isCut(): boolean {
    return this.#options.offline || this.#options.upstream.reachability.failure !== undefined
  }

  async #project(name: ProjectName): Promise<IndexPage | undefined> {
    const { catalog, record, offline, upstream } = this.#options
    const { page, stale, freshUntilMs } = await this.#pages.page(name)
    const held = await catalog.read((reader) => listFiles(reader, record, name))
    const isCut = this.#isCut
    const listed = held.flatMap((file) => listable(this.#removals, file) ?? [])
    if (page?.detail === undefined) {
      // Upstream has it no longer, or it cannot be asked; what is here can still be delivered.
      return listed.length === 0 ? undefined : this.#provenance.listed(this.#heldPage(name, listed, stale), false)
    }
    const whole = await this.#provenance.listed(await this.#merged(page.detail, listed, isCut, stale), !isCut)
    // Cut off, it lists less than it could: until upstream is there again, which may be now.
    const merged = { ...whole, freshUntilMs: isCut && !offline ? 0 : freshUntilMs }
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
    await this.#pages.refresh(name)
  }

  async at(
    address: AskedAddress,
    filename: string,
    { mayAnswer, admit }: Conditions = {},
  ): Promise<LocatedFile | 'deleted' | undefined> {
    const { catalog, record } = this.#options
    const archive = archiveOf(filename)
    const held = await catalog.read((reader) => findFiles(reader, record, archive))
    for (const file of held) {
      if (!isAddressed(file, address) || (await mayAnswer?.(file.project)) === false) continue
      // Its metadata may be upstream's alone: the archive here cannot be read.
      return (await this.#heldAt(file, filename, admit)) ?? (await this.#upstreamAt(file.project, filename, admit))
    }
    const others = candidates(archive).map((each) => each.project)
    for (const project of address.kind === 'listed' ? [address.project] : others) {
      if (held.some((file) => file.project === project) || (await mayAnswer?.(project)) === false) continue
      const found = await this.#upstreamAt(project, filename, admit, address)
      if (found !== undefined) return found
    }
    return await otherAt(catalog, record, address, filename, admit)
  }

  /** Throws `file-withheld`. */
  async #heldAt(held: File, filename: string, admit: Conditions['admit']): Promise<LocatedFile | undefined> {
    const { catalog, record, uses } = this.#options
    checkDeliverable(this.#removals, held)
    const origin = held.origin === undefined ? {} : { origin: withoutCredentials(held.origin) }
    await admit?.({ project: held.project, file: heldFile(held), ...origin })
    let file: File | undefined = held
    if (file.filename.endsWith('.whl') && file.filename !== filename && file.coreMetadata === undefined) {
      await this.#metadata.describe(file.project, file.filename)
      file = await catalog.read((reader) => findFile(reader, record, held.project, held.filename))
    }
    const source = file && heldSource(file, filename)
    if (file === undefined || source === undefined) return undefined
    this.figures.fileHits++
    uses.note(file.id)
    return { project: file.project, file: heldFile(file), ...origin, source }
  }

  /**
   * What upstream's page lists under that name, where it lies at the address. Not by way of the project's page here: cut
   * off from upstream, that does not list what cannot be delivered now. Throws `file-withheld`, and upstream's failure.
   */
  async #upstreamAt(
    name: ProjectName,
    filename: string,
    admit: Conditions['admit'],
    address?: AskedAddress,
  ): Promise<LocatedFile | undefined> {
    const archive = archiveOf(filename)
    const { page } = await this.#pages.page(name)
    const detail = page?.detail
    if (detail !== undefined && isQuarantined(detail)) throw withheld(filename)
    const file = detail?.files.find((each) => each.filename === archive)
    if (detail === undefined || file === undefined) return undefined
    const listed = this.#listed(detail.name, file, undefined, undefined)
    if (address !== undefined && !isListedAt(listed, address)) return undefined
    const facts = { project: name, file: listed, origin: withoutCredentials(file.url) }
    await admit?.(facts)
    const source = filename === archive ? this.#sourceOf(detail, file) : await this.#metadataOf(name, file)
    return source && { ...facts, source }
  }

  #sourceOf(detail: ProjectDetail, file: DistributionFile): FileSource {
    const digest = asDigest(file.hashes.sha256)
    this.figures.fileMisses++
    return {
      from: 'upstream',
      fetch: () => this.#files.fetch(detail.name, file),
      askSize: async () => file.size ?? (await this.#files.size(file)),
      ...(file.size !== undefined && { sizeBytes: file.size }),
      ...(digest !== undefined && { digest }),
      ...(file.uploadTime !== undefined && { modified: file.uploadTime }),
    }
  }

  async #metadataOf(name: ProjectName, wheel: DistributionFile): Promise<FileSource | undefined> {
    const metadata = await this.#metadata.read(name, wheel)
    if (metadata === undefined) return undefined
    const { bytes, digest, isChecked } = metadata
    return {
      from: 'memory',
      bytes,
      digest,
      ...(!isChecked && { mayChange: true }),
      ...(wheel.uploadTime !== undefined && { modified: wheel.uploadTime }),
    }
  }

  /** What upstream says of who made the file (PEP 740); `undefined` where there is nothing. Throws what upstream's failure is. */
  async provenance(name: ProjectName, filename: string, judge: Judge): Promise<StoredProvenance | undefined> {
    const { page } = await this.#pages.page(name)
    const listed = page?.detail?.files.find((each) => each.filename === filename)
    return await this.#provenance.read(name, filename, listed, judge)
  }

  retain(name: ProjectName): AsyncDisposable {
    return this.room.retain(name)
  }

  /** Forgets files of that name whose bytes are here no longer: let go a moment ago, or left out of a backup. */
  async forgetLost(filename: string): Promise<void> {
    const { catalog, record, blobs } = this.#options
    const archive = filename.replace(/\.metadata$/, '')
    const isLost = async (file: File) => {
      const digests = [file.digest, ...(file.coreMetadata === undefined ? [] : [file.coreMetadata.digest])]
      return (await Promise.all(digests.map((digest) => blobs.stat(digest)))).includes(undefined)
    }
    const lost = async (reader: Reader) => {
      const files = await findFiles(reader, record, archive)
      return (await Promise.all(files.map(async (file) => ((await isLost(file)) ? [file] : [])))).flat()
    }
    // Writers wait for each other: who finds all in order need not be one.
    if ((await catalog.read(lost)).length === 0) return
    await catalog.write(async (writer) => {
      for (const file of await lost(writer)) await deleteFile(writer, record, file)
    })
  }

  get #removals(): RemovalPolicy {
    return this.#options.record.options.mirror_removals ?? 'keep'
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
  async #merged(
    detail: ProjectDetail,
    held: readonly File[],
    isCut: boolean,
    stale: string | undefined,
  ): Promise<IndexPage> {
    const metadata = await this.#metadata.announcer(detail.name, isCut)
    const here = new Map(held.map((file) => [file.filename, file]))
    const listed = isQuarantined(detail) ? [] : detail.files
    const files: IndexFile[] = []
    for (const file of listed) {
      const mine = here.get(file.filename)
      here.delete(file.filename)
      if (mine !== undefined || !isCut) files.push(this.#listed(detail.name, file, mine, metadata(file, mine)))
    }
    // Held, and taken back upstream: listed as far as `listable` lets them.
    for (const gone of here.values()) if (gone.upstream !== undefined) files.push(heldFile(gone))
    const versions = isCut ? [...new Set(files.map((file) => file.version))] : detail.versions
    const withheld = isQuarantined(detail) ? this.#withheld(detail, held) : undefined
    return {
      ...{ ...detail, index: this.name, files, versions },
      ...(withheld !== undefined && { withheld }),
      ...(stale !== undefined && { stale }),
    }
  }

  /** What upstream would list, and what is held, of a project that is quarantined there. */
  #withheld(detail: ProjectDetail, held: readonly File[]): IndexFile[] {
    const names = new Set(detail.files.map((file) => file.filename))
    const listed = detail.files.map((file) => this.#listed(detail.name, file, undefined, undefined))
    return [...listed, ...held.filter((file) => !names.has(file.filename)).map(heldFile)]
  }

  #listed(
    name: ProjectName,
    file: DistributionFile,
    held: File | undefined,
    coreMetadata: DistributionFile['coreMetadata'],
  ): IndexFile {
    const { coreMetadata: _announced, ...rest } = file
    const sha256 = held?.digest ?? asDigest(file.hashes.sha256)
    const path = packagesPath({ origin: file.url, ...(sha256 !== undefined && { sha256 }) })
    return {
      ...rest,
      url:
        held === undefined ? mirrorAddress(this.name, file) : fileAddress(this.name, held.addressHash, held.filename),
      index: this.name,
      version: versionOf(file.filename, name) ?? held?.version ?? '',
      ...(path !== undefined && { packagesPath: path }),
      held: held !== undefined,
      ...(held !== undefined && { size: held.sizeBytes, hashes: { ...file.hashes, sha256: held.digest } }),
      ...(coreMetadata !== undefined && { coreMetadata }),
    }
  }
}
