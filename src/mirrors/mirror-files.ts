/** A mirror's files: fetched once however many ask, checked, and recorded with the job that reads what is inside. */
import type { BlobInfo, BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { findFiles, saveFile } from '../catalog/files.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import { versionOf } from '../pep/filename.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile } from '../pep/simple.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { Download } from './download.ts'
import type { FileUses } from './file-uses.ts'
import { addressHash, withoutCredentials } from './mirror-address.ts'
import type { MirrorMemory } from './mirror-memory.ts'
import type { MirrorRoom } from './mirror-room.ts'

export interface MirrorFilesOptions {
  readonly record: MirrorRecord
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly upstream: Upstream
  readonly limits: Limits
  readonly clock: Clock
  readonly uses: FileUses
  readonly room: MirrorRoom
  readonly memory: MirrorMemory
}

export class MirrorFiles {
  readonly #options: MirrorFilesOptions
  /** By address upstream. */
  readonly #downloads = new Map<string, Download>()

  constructor(options: MirrorFilesOptions) {
    this.#options = options
  }

  /** Begins to fetch the file, or joins who fetches it already. It is held when the download is done. */
  fetch(project: ProjectName, file: DistributionFile): Download {
    const running = this.#downloads.get(file.url)
    if (running !== undefined && !running.isGivenUp) return running
    const { blobs, limits, upstream, room } = this.#options
    const download = new Download(blobs, {
      filename: file.filename,
      hashes: file.hashes,
      limitBytes: limits.upstreamFileBytes,
      open: (from) => upstream.file(file.url, from),
      resume: limits,
      unreadMs: limits.unreadMs,
      keep: (blob) => this.#keep(project, file, blob),
      // While no download is under way, the bounds hold.
      afterwards: () => room.keepSmall(),
      ...(file.size !== undefined && { sizeBytes: file.size }),
    })
    this.#downloads.set(file.url, download)
    const forget = () => {
      if (this.#downloads.get(file.url) === download) this.#downloads.delete(file.url)
    }
    download.done.then(forget, forget)
    return download
  }

  /** Its length as upstream tells it; of one that is being fetched, as its answer said. */
  async size(file: DistributionFile): Promise<number | undefined> {
    const running = this.#downloads.get(file.url)
    if (running === undefined || running.isGivenUp) return await this.#options.upstream.fileSize(file.url)
    return (await running.head).sizeBytes
  }

  async #keep(project: ProjectName, file: DistributionFile, blob: BlobInfo): Promise<void> {
    const { catalog, record, clock, uses, memory } = this.#options
    const { filename } = file
    const held = {
      project,
      version: versionOf(filename, project) ?? '',
      filename,
      digest: blob.digest,
      sizeBytes: blob.sizeBytes,
      uploadTime: file.uploadTime ?? clock.now().toISOString(),
      // Without a hash upstream the page could only name the `+e/` address; from now on it names this one, and both work.
      addressHash: addressHash(file) ?? blob.digest,
      origin: withoutCredentials(file.url),
      log: [],
      ...(file.requiresPython !== undefined && { requiresPython: file.requiresPython }),
      ...(file.yanked !== undefined && { yanked: file.yanked }),
    }
    const restate = await memory.restating(project, file)
    await catalog.write(async (writer) => {
      await saveFile(writer, record, held, 'mirrored')
      const key = `${record.id}/${filename}`
      await writer.enqueue({ kind: 'describe-file', key, index: record.name, project, filename })
      const stored = (await findFiles(writer, record, filename)).find((each) => each.project === project)
      if (stored === undefined) return
      uses.note(stored.id)
      // It was on its way when upstream's page was last looked at, and no row told of it yet.
      await restate(writer, stored)
    })
  }
}
