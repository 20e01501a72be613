/** The page cache of a mirror: all pages in the catalog, the most used ones unpacked in memory. */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Catalog, Reader, Writer } from '../catalog/catalog.ts'
import type { Counters } from '../catalog/counters.ts'
import { listFiles, restateFile } from '../catalog/files.ts'
import { findPage, findPageTime, mirrorState, savePage, touchPage } from '../catalog/mirror-pages.ts'
import { Recent } from '../lib/recent.ts'
import type { File, MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import { withoutCredentials } from './mirror-address.ts'
import { restated, upstreamChanges } from './upstream-changes.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Files listed on the pages kept unpacked: some 1 KiB each. */
const FILES_UNPACKED = 30_000

/** Changes of one page that the journal tells one by one. */
const NEWS_TOLD = 100

/** Pages that others remember while this one compares: after so many its own is taken as it is. */
const COMPARISONS = 3

export interface RememberedPage {
  /** Last time upstream confirmed it, ms since 1970. */
  readonly fetchedMs: number
  /** Absent when upstream said that there is no such project. */
  readonly detail?: ProjectDetail
  readonly etag?: string
  readonly lastModified?: string
}

export interface MirrorMemoryOptions {
  readonly catalog: Catalog
  readonly record: MirrorRecord
  /** Where other workers remember pages too. */
  readonly shared?: {
    readonly counters: Counters
    /** Without credentials: what was asked of another upstream is not remembered. */
    readonly url: string
  }
  /** Told of every page that is kept in place of another. */
  readonly onNews?: (project: ProjectName) => void
}

interface Unpacked {
  readonly page: RememberedPage
  /** The count of changed pages at which it was the current one. */
  seen: bigint
}

export class MirrorMemory {
  readonly #catalog: Catalog
  readonly #record: MirrorRecord
  readonly #shared: MirrorMemoryOptions['shared']
  readonly #onNews: (project: ProjectName) => void
  readonly #unpacked = new Recent<ProjectName, Unpacked>(FILES_UNPACKED)

  constructor({ catalog, record, shared, onNews = () => {} }: MirrorMemoryOptions) {
    this.#catalog = catalog
    this.#record = record
    this.#shared = shared
    this.#onNews = onNews
  }

  async recall(name: ProjectName): Promise<RememberedPage | undefined> {
    const seen = this.#changes
    const unpacked = this.#unpacked.get(name)
    if (unpacked !== undefined && (unpacked.seen === seen || (await this.#isCurrent(name, unpacked, seen)))) {
      return unpacked.page
    }
    const packed = await this.#catalog.read((reader) => findPage(reader, this.#record, name))
    if (packed === undefined) return undefined
    const { detail, ...rest } = packed
    if (detail === undefined) return rest
    return this.#unpack(name, { ...rest, detail: await pageIn(detail) }, seen)
  }

  /** Keeps the page; what upstream took back since `before` is written to the journal and to the rows of held files. */
  async remember(name: ProjectName, page: RememberedPage, before?: ProjectDetail): Promise<void> {
    const { detail, ...rest } = page
    const packed = detail && (await compress(JSON.stringify(detail)))
    const now = new Date(page.fetchedMs).toISOString()
    const seen = this.#changes
    for (let others = 0; ; others++) {
      // Another worker may have asked at the same time: then its page is the one before, and its news are told.
      const known = this.#shared === undefined ? undefined : await this.recall(name)
      const former = known === undefined ? before : known.detail
      const news = upstreamChanges(former, detail)
      const done = await this.#catalog.write(async (writer) => {
        if (this.#shared !== undefined) {
          if (!(await this.#isOwnUpstream(writer))) return 'foreign'
          const isSame = (await findPageTime(writer, this.#record, name)) === known?.fetchedMs
          if (!isSame && others < COMPARISONS) return 'outrun'
        }
        await savePage(writer, this.#record, name, { ...rest, ...(packed !== undefined && { detail: packed }) })
        writer.onCommit(() => this.#shared?.counters.pagesChanged())
        const held = await listFiles(writer, this.#record, name)
        await this.#restate(writer, restated(held, former, detail, now))
        if (news.length === 0) return 'kept'
        const changes = news
          .slice(0, NEWS_TOLD)
          .map((each) => `${each.what} ${'status' in each ? each.status : each.filename}`)
        writer.change({ what: 'upstream', how: 'changed', index: this.#record.name, project: name, changes })
        return 'kept'
      })
      if (done === 'foreign') return
      if (done === 'kept') break
    }
    this.#unpack(name, page, seen)
    this.#onNews(name)
  }

  /**
   * What the page says that is remembered by now of a file that comes just now, listed by upstream as `listed`: to be
   * asked before the transaction, and said within it by what this gives.
   */
  async restating(
    project: ProjectName,
    listed: DistributionFile,
  ): Promise<(writer: Writer, file: File) => Promise<void>> {
    const known = await this.recall(project)
    return async (writer, file) => {
      const isSame = (await findPageTime(writer, this.#record, project)) === known?.fetchedMs
      const page = isSame ? known : await this.#read(writer, project)
      // Without a page the upstream was changed: what another one had is not this one's to take back.
      if (page?.detail === undefined) return
      const now = new Date(page.fetchedMs).toISOString()
      await this.#restate(writer, restated([file], { ...page.detail, files: [listed] }, page.detail, now))
    }
  }

  /** Upstream confirmed what is remembered. */
  async confirm(name: ProjectName, page: RememberedPage, fetchedMs: number): Promise<void> {
    const seen = this.#changes
    await this.#catalog.write(async (writer) => {
      if (!(await this.#isOwnUpstream(writer))) return
      await touchPage(writer, this.#record, name, fetchedMs)
      writer.onCommit(() => this.#shared?.counters.pagesChanged())
    })
    this.#unpack(name, { ...page, fetchedMs }, seen)
  }

  get #changes(): bigint {
    return this.#shared?.counters.pages ?? 0n
  }

  /** Some worker has changed some page: not necessarily this one. */
  async #isCurrent(name: ProjectName, unpacked: Unpacked, seen: bigint): Promise<boolean> {
    const time = await this.#catalog.read((reader) => findPageTime(reader, this.#record, name))
    if (time !== unpacked.page.fetchedMs) return false
    unpacked.seen = seen
    return true
  }

  /** Another worker may have opened the mirror with another upstream while this one waited for the answer of the old. */
  async #isOwnUpstream(reader: Reader): Promise<boolean> {
    if (this.#shared === undefined) return true
    const url = await mirrorState(reader, this.#record, 'url')
    return url !== undefined && withoutCredentials(url) === this.#shared.url
  }

  async #read(reader: Reader, name: ProjectName): Promise<RememberedPage | undefined> {
    const packed = await findPage(reader, this.#record, name)
    if (packed?.detail === undefined) return undefined
    return { ...packed, detail: await pageIn(packed.detail) }
  }

  async #restate(writer: Writer, said: ReturnType<typeof restated>): Promise<void> {
    for (const { file, yanked, state } of said) {
      const more = { ...(yanked !== undefined && { yanked }), ...(state !== undefined && { upstream: state }) }
      await restateFile(writer, file, more)
    }
  }

  #unpack(name: ProjectName, page: RememberedPage, seen: bigint): RememberedPage {
    this.#unpacked.set(name, { page, seen }, 1 + (page.detail?.files.length ?? 0))
    return page
  }
}

async function pageIn(detail: Uint8Array): Promise<ProjectDetail> {
  const { lastSerial, ...kept } = JSON.parse((await decompress(detail)).toString('utf8')) as ProjectDetail & {
    /** The name that catalogs of format 13 and older have for it. */
    readonly lastSerial?: number
  }
  return lastSerial === undefined ? kept : { lastStamp: lastSerial, ...kept }
}
