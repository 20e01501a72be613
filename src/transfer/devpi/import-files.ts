/** The files of a dump: checked while they are copied to the blobs, then recorded, some at a time. */
import { saveAttachment } from '../../catalog/attachments.ts'
import type { Catalog, Writer } from '../../catalog/catalog.ts'
import { findFiles, type NewFile, saveFile } from '../../catalog/files.ts'
import { saveRelease } from '../../catalog/projects.ts'
import type { Clock } from '../../lib/clock.ts'
import type { IndexRecord } from '../../model/records.ts'
import { asFilename } from '../../pep/filename.ts'
import { dumpLog } from './dump-values.ts'
import { type FileDescription, fileDescription } from './file-description.ts'
import { type KnownRelease, KnownReleases } from './known-releases.ts'
import { type FileStoring, type StoredFile, storeFile } from './stored-file.ts'

export interface FileImport extends FileStoring {
  readonly catalog: Catalog
  readonly clock: Clock
}

/** Rows recorded in one transaction: each waits for the disk. */
const ROWS = 50

export class FileImporter {
  readonly #options: FileImport
  readonly #releases: KnownReleases
  #rows: ((writer: Writer) => Promise<void>)[] = []

  constructor(options: FileImport) {
    this.#options = options
    this.#releases = new KnownReleases(options.catalog)
  }

  /** An archive or documentation. Throws `SyntaxError` or a `Problem` that says what is wrong with it. */
  async take(index: IndexRecord, value: unknown): Promise<void> {
    const described = fileDescription(value)
    const { relpath, type, filename } = described
    const { report } = this.#options
    if (asFilename(filename) === undefined) return report.leftOut(relpath, 'its name cannot stand in an address')
    if (index.options.type === 'mirror') {
      if (type === 'releasefile') return await this.#takeMirrored(index, described)
      return report.leftOut(relpath, 'a mirror has archives only')
    }
    const release = await this.#releaseOf(index, described)
    const stored = await storeFile(this.#options, described, type === 'releasefile')
    await this.#record((writer) =>
      type === 'releasefile'
        ? this.#saveArchive(writer, index, described, stored, release)
        : this.#saveDocumentation(writer, index, described, stored, release.version),
    )
  }

  /** A test result, when all archives are there. Throws as `take` does. */
  async takeResult(index: IndexRecord, value: unknown): Promise<void> {
    const described = fileDescription(value)
    const { report, catalog, clock } = this.#options
    const { relpath, filename, project, ofFilename } = described
    const found = await catalog.read((reader) => findFiles(reader, index, ofFilename ?? ''))
    const file = found.find((each) => each.project === project)
    if (index.options.type === 'mirror' || asFilename(filename) === undefined || file === undefined) {
      return report.leftOut(relpath, `it tells of ${JSON.stringify(ofFilename)}, which is not there`)
    }
    const { digest, sizeBytes, modified } = await storeFile(this.#options, described, false)
    await this.#record(async (writer) => {
      await saveAttachment(writer, index, {
        kind: 'toxresult',
        project,
        version: file.version,
        filename,
        digest,
        sizeBytes,
        created: described.modified ?? modified,
        addressHash: file.addressHash,
        ofFile: { id: file.id, filename: file.filename },
        log: dumpLog(described, clock.now(), index.name, report),
      })
      report.counts.testResults++
    })
  }

  /** Records what is not recorded yet. */
  async flush(): Promise<void> {
    const rows = this.#rows
    this.#rows = []
    if (rows.length === 0) return
    await this.#options.catalog.write(async (writer) => {
      for (const save of rows) await save(writer)
    })
  }

  async #record(save: (writer: Writer) => Promise<void>): Promise<void> {
    this.#rows.push(save)
    if (this.#rows.length >= ROWS) await this.flush()
  }

  async #takeMirrored(index: IndexRecord, described: FileDescription): Promise<void> {
    const { relpath, project, filename } = described
    const stored = await storeFile(this.#options, described, true)
    const { digest, sizeBytes, fields, coreMetadata } = stored
    const origin = originOf(described.url)
    const requiresPython = fields?.requires_python
    const file: NewFile = {
      project,
      version: described.version ?? '',
      filename,
      digest,
      sizeBytes,
      uploadTime: described.modified ?? stored.modified,
      addressHash: described.addressHash ?? digest,
      log: [],
      ...(typeof requiresPython === 'string' && requiresPython !== '' && { requiresPython }),
      ...(coreMetadata !== undefined && { coreMetadata }),
      ...(origin !== undefined && { origin }),
    }
    await this.#record(async (writer) => {
      if (await this.#isTaken(writer, index, relpath, file)) return
      await saveFile(writer, index, file, 'mirrored')
      if (fields !== undefined && described.version !== undefined) {
        await saveRelease(writer, index, { project, version: described.version, metadata: fields })
      }
      this.#options.report.counts.files++
    })
  }

  async #saveArchive(
    writer: Writer,
    index: IndexRecord,
    described: FileDescription,
    stored: StoredFile,
    release: KnownRelease,
  ): Promise<void> {
    const { report, clock } = this.#options
    const { relpath, project, filename, yanked } = described
    const { digest, sizeBytes, fields, coreMetadata } = stored
    const requiresPython = fields?.requires_python ?? release.requiresPython
    const file: NewFile = {
      project,
      version: release.version,
      filename,
      digest,
      sizeBytes,
      uploadTime: described.modified ?? stored.modified,
      addressHash: digest,
      log: dumpLog(described, clock.now(), index.name, report),
      ...(typeof requiresPython === 'string' && requiresPython !== '' && { requiresPython }),
      ...(coreMetadata !== undefined && { coreMetadata }),
      ...(yanked !== undefined && { yanked }),
    }
    if (await this.#isTaken(writer, index, relpath, file)) return
    await saveFile(writer, index, file, 'uploaded')
    report.counts.files++
  }

  async #saveDocumentation(
    writer: Writer,
    index: IndexRecord,
    described: FileDescription,
    stored: StoredFile,
    version: string,
  ): Promise<void> {
    const { report, clock } = this.#options
    const { project, modified } = described
    await saveAttachment(writer, index, {
      kind: 'doczip',
      project,
      version,
      filename: `${project}-${version}.doc.zip`,
      digest: stored.digest,
      sizeBytes: stored.sizeBytes,
      created: modified ?? stored.modified,
      addressHash: stored.digest,
      log: dumpLog(described, clock.now(), index.name, report),
    })
    report.counts.documentation++
  }

  /** Projects that are one here may have been two in the dump, with a file of the same name each. */
  async #isTaken(writer: Writer, index: IndexRecord, relpath: string, file: NewFile): Promise<boolean> {
    const before = (await findFiles(writer, index, file.filename)).find((each) => each.project === file.project)
    if (before === undefined) return false
    const { report } = this.#options
    if (before.digest === file.digest) report.leftOut(relpath, 'the same file is there already')
    else report.error(relpath, `another file of the name "${file.filename}" is in ${file.project} already`)
    return true
  }

  async #releaseOf(index: IndexRecord, { project, version, relpath }: FileDescription): Promise<KnownRelease> {
    if (version === undefined) throw new SyntaxError('Cannot import the file: neither it nor its name tells a version')
    const known = await this.#releases.find(index, project, version)
    if (known !== undefined) return known
    this.#options.report.changed(relpath, `its release ${project} ${version} was not in the dump and is registered now`)
    const made = { version }
    this.#releases.add(made)
    await this.#record((writer) =>
      saveRelease(writer, index, { project, version, metadata: { name: project, version } }),
    )
    return made
  }
}

/** Without the name and password of the mirror's address, which older dumps carry. */
function originOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return undefined
  parsed.username = ''
  parsed.password = ''
  parsed.hash = ''
  return parsed.href
}
