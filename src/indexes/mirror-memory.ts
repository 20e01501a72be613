/** What a mirror remembers of project pages: in the catalog for good, the busiest ones unpacked in memory. */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Catalog, Writer } from '../catalog/catalog.ts'
import { listFiles, restateFile } from '../catalog/files.ts'
import { findPage, savePage, touchPage } from '../catalog/mirror-pages.ts'
import { Recent } from '../lib/recent.ts'
import type { File, MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import { restated, upstreamChanges } from './upstream-changes.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Files listed on the pages kept unpacked: some 1 KiB each. */
const FILES_UNPACKED = 30_000

/** Changes of one page that the journal tells one by one. */
const NEWS_TOLD = 100

export interface RememberedPage {
  /** Last time upstream confirmed it, ms since 1970. */
  readonly fetchedMs: number
  /** Absent when upstream said that there is no such project. */
  readonly detail?: ProjectDetail
  readonly etag?: string
  readonly lastModified?: string
}

export class MirrorMemory {
  readonly #catalog: Catalog
  readonly #record: MirrorRecord
  readonly #onNews: (project: ProjectName) => void
  readonly #unpacked = new Recent<ProjectName, RememberedPage>(FILES_UNPACKED)

  /** `onNews` is told of every page that is kept in place of another. */
  constructor(catalog: Catalog, record: MirrorRecord, onNews: (project: ProjectName) => void = () => {}) {
    this.#catalog = catalog
    this.#record = record
    this.#onNews = onNews
  }

  async recall(name: ProjectName): Promise<RememberedPage | undefined> {
    const unpacked = this.#unpacked.get(name)
    if (unpacked !== undefined) return unpacked
    const packed = await this.#catalog.read((reader) => findPage(reader, this.#record, name))
    if (packed === undefined) return undefined
    const { detail, ...rest } = packed
    if (detail === undefined) return rest
    return this.#unpack(name, { ...rest, detail: await pageIn(detail) })
  }

  /** Keeps the page; what upstream took back since `before` is written to the journal and to the rows of held files. */
  async remember(name: ProjectName, page: RememberedPage, before?: ProjectDetail): Promise<void> {
    const { detail, ...rest } = page
    const packed = detail && (await compress(JSON.stringify(detail)))
    const news = upstreamChanges(before, detail)
    const now = new Date(page.fetchedMs).toISOString()
    await this.#catalog.write(async (writer) => {
      await savePage(writer, this.#record, name, { ...rest, ...(packed !== undefined && { detail: packed }) })
      const held = await listFiles(writer, this.#record, name)
      for (const { file, yanked, state } of restated(held, before, detail, now)) {
        const said = { ...(yanked !== undefined && { yanked }), ...(state !== undefined && { upstream: state }) }
        await restateFile(writer, file, said)
      }
      if (news.length === 0) return
      const changes = news
        .slice(0, NEWS_TOLD)
        .map((each) => `${each.what} ${'status' in each ? each.status : each.filename}`)
      writer.change({ what: 'upstream', how: 'changed', index: this.#record.name, project: name, changes })
    })
    this.#unpack(name, page)
    this.#onNews(name)
  }

  /** Says of a file that has just come, and that upstream listed as `listed`, what the page says that is remembered by now. */
  async restate(writer: Writer, file: File, listed: DistributionFile): Promise<void> {
    const packed = await findPage(writer, this.#record, file.project)
    // Without a page the upstream was changed: what another one had is not this one's to take back.
    if (packed?.detail === undefined) return
    const page = await pageIn(packed.detail)
    const now = new Date(packed.fetchedMs).toISOString()
    for (const { yanked, state } of restated([file], { ...page, files: [listed] }, page, now)) {
      const said = { ...(yanked !== undefined && { yanked }), ...(state !== undefined && { upstream: state }) }
      await restateFile(writer, file, said)
    }
  }

  /** Upstream confirmed what is remembered. */
  async confirm(name: ProjectName, page: RememberedPage, fetchedMs: number): Promise<void> {
    await this.#catalog.write((writer) => touchPage(writer, this.#record, name, fetchedMs))
    this.#unpack(name, { ...page, fetchedMs })
  }

  #unpack(name: ProjectName, page: RememberedPage): RememberedPage {
    this.#unpacked.set(name, page, 1 + (page.detail?.files.length ?? 0))
    return page
  }
}

async function pageIn(detail: Uint8Array): Promise<ProjectDetail> {
  return JSON.parse((await decompress(detail)).toString('utf8')) as ProjectDetail
}
