/** The files of an index, copied or linked to where a dump has them, with the lines that describe them. */
import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { listAttachments } from '../../catalog/attachments.ts'
import type { Reader } from '../../catalog/catalog.ts'
import { listFiles } from '../../catalog/files.ts'
import { Problem } from '../../model/errors.ts'
import { fileAddress } from '../../model/file-address.ts'
import type { Attachment, File, IndexRecord, LogEntry } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import type { DevpiExport, ExportCounts } from './devpi-export.ts'

export class FileExporter {
  readonly #options: DevpiExport
  readonly #reader: Reader
  readonly #counts: ExportCounts

  constructor(options: DevpiExport, reader: Reader, counts: ExportCounts) {
    this.#options = options
    this.#reader = reader
    this.#counts = counts
  }

  /** Brings every file of the project into the dump, archives first, and gives the line of each. */
  async *ofProject(index: IndexRecord, project: ProjectName): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const files = await listFiles(this.#reader, index, project)
    for (const file of files.sort((a, b) => (a.filename < b.filename ? -1 : 1))) {
      if (file.version === '' || (index.options.type === 'mirror' && file.origin === undefined)) {
        this.#options.tell(
          `left out ${file.filename} of ${index.name}: nothing tells its version or where it came from`,
        )
      } else yield await this.#archive(index, file)
    }
    const byId = new Map(files.map((file) => [file.id, file]))
    for (const attachment of await listAttachments(this.#reader, index, project)) {
      if (attachment.kind === 'doczip') yield await this.#documentation(index, attachment)
    }
    for (const attachment of await listAttachments(this.#reader, index, project)) {
      const file = byId.get(attachment.ofFile?.id ?? 0)
      if (attachment.kind === 'toxresult' && file !== undefined) yield await this.#result(index, attachment, file)
    }
  }

  async #archive(index: IndexRecord, file: File) {
    const { project, version, filename, digest } = file
    const relpath = await this.#bring(file, [index.name, project, version, filename])
    const isMirrored = index.options.type === 'mirror'
    if (!isMirrored && file.yanked !== undefined) {
      this.#options.tell(`${filename} of ${index.name} is yanked: devpi does not know that of its own files`)
    }
    return {
      type: 'releasefile',
      projectname: project,
      version,
      relpath,
      entrymapping: {
        ...mapping(digest, file.uploadTime, project, version),
        ...(isMirrored && { url: file.origin }),
      },
      log: exportedLog(file.log),
      ...(!isMirrored && file.yanked !== undefined && { yanked: file.yanked }),
    }
  }

  async #documentation(index: IndexRecord, attachment: Attachment) {
    const { project, version, digest, created, log } = attachment
    const relpath = await this.#bring(attachment, [index.name, `${project}-${version}.doc.zip`])
    return {
      type: 'doczip',
      projectname: project,
      version,
      relpath,
      entrymapping: mapping(digest, created, project, version),
      log: exportedLog(log),
    }
  }

  async #result(index: IndexRecord, attachment: Attachment, file: File) {
    const { project, version, digest, created, log, filename } = attachment
    const relpath = await this.#bring(attachment, [index.name, project, `sha256=${file.digest}`, filename])
    return {
      type: 'toxresult',
      projectname: project,
      version,
      relpath,
      entrymapping: mapping(digest, created, project, version),
      for_entrypath: fileAddress(index.name, file.addressHash, file.filename),
      log: exportedLog(log),
    }
  }

  /** Gives the path below the dump. Throws `digest-differs` for a blob that is damaged. */
  async #bring(file: File | Attachment, [index, ...parts]: readonly string[]): Promise<string> {
    const { folder, link, stop } = this.#options
    stop?.throwIfAborted()
    if (parts.some((part) => /[/\\\0]/.test(part) || part === '' || part === '.' || part === '..')) {
      throw new Problem(
        'file-invalid',
        `Cannot export "${file.filename}" of ${file.index}: its path would leave the dump`,
      )
    }
    const relpath = [index, ...parts].join('/')
    const path = join(folder, relpath)
    await mkdir(dirname(path), { recursive: true })
    const isLinked = link !== undefined && (await link(file.digest, path))
    if (!isLinked) await this.#copy(file, path)
    this.#counts.files++
    this.#counts.bytes += file.sizeBytes
    this.#options.onBytes?.(this.#counts.bytes)
    return relpath
  }

  async #copy({ digest, filename, index }: File | Attachment, path: string): Promise<void> {
    const target = await open(path, 'wx', 0o644)
    const hash = createHash('sha256')
    try {
      for await (const chunk of await this.#options.blobs.open(digest)) {
        hash.update(chunk)
        await target.writeFile(chunk)
      }
    } finally {
      await target.close()
    }
    if (hash.digest('hex') === digest) return
    throw new Problem('digest-differs', `Cannot export "${filename}" of ${index}: its blob ${digest} is damaged`, {
      hint: 'see what else is with: airlock check',
    })
  }
}

/** devpi's record of a file. `time` is RFC 3339. */
function mapping(digest: string, time: string, project: ProjectName, version: string) {
  return {
    last_modified: new Date(time).toUTCString(),
    hash_spec: `sha256=${digest}`,
    hashes: { sha256: digest },
    project,
    version,
  }
}

/** devpi cannot read a line without `who`. */
function exportedLog(log: readonly LogEntry[]): readonly Readonly<Record<string, unknown>>[] {
  return log.map((entry) => ({ ...entry, who: entry.who ?? null }))
}
