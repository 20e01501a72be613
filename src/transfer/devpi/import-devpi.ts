/**
 * Takes a devpi-export folder into a new catalog. The dump is read four times, so that no list of it is ever held:
 * accounts first, then releases, then archives and documentation, then what refers to archives.
 */
import { indexAsWritten } from '../../catalog/accounts.ts'
import type { Writer } from '../../catalog/catalog.ts'
import { findProject, saveProjectStatus, saveRelease } from '../../catalog/projects.ts'
import { Problem } from '../../model/errors.ts'
import type { IndexRecord } from '../../model/records.ts'
import { readStatus } from '../../pep/file-facts.ts'
import { projectName } from '../../pep/name.ts'
import { type DumpEntry, readDump } from './devpi-dump.ts'
import { asRecord, dumpRelease } from './dump-values.ts'
import { isTestResult, nameOfFile } from './file-description.ts'
import { type AccountChoices, importGroup, importIndex, importUser } from './import-accounts.ts'
import { type FileImport, FileImporter } from './import-files.ts'
import { MirrorFacts } from './mirror-facts.ts'

export interface DevpiImport extends FileImport, AccountChoices {
  /** Whether to go on after an error, to tell all that is wrong with a dump of which nothing will be kept. */
  readonly goesOn: boolean
  /** Told of bytes of `dataindex.json`, which is read `DUMP_READINGS` times. */
  readonly onRead?: (bytes: number) => void
  /** Aborted when the import should stop. */
  readonly stop?: AbortSignal
}

export const DUMP_READINGS = 4
/** Releases registered in one transaction: each waits for the disk. */
const RELEASES = 200

/**
 * Fills the catalog, in which nobody but root and perhaps root/pypi may be. What is wrong with an entry becomes an
 * error of the report, and after one of those the catalog is not to be used. Throws `file-invalid` where the dump as
 * a whole cannot be read.
 */
export async function importDevpi(options: DevpiImport): Promise<void> {
  const indexes = await importAccounts(options)
  const { report } = options
  if (report.remarks.error > 0) return
  const files = new FileImporter(options)
  await importReleases(options, indexes)
  await importArchives(options, files, indexes)
  await importReferences(options, files, indexes)
}

/** Every index of the dump that is taken, by name; `undefined` for one that is left out. */
type Indexes = ReadonlyMap<string, IndexRecord | undefined>

async function importAccounts(options: DevpiImport): Promise<Indexes> {
  const { catalog, report } = options
  const users: [string, unknown][] = []
  const groups: [string, unknown][] = []
  const configs: [string, unknown][] = []
  let version: unknown
  await each(options, async (entry) => {
    if (entry.what === 'version') version = entry.value
    else if (entry.what === 'user') users.push([entry.name, entry.value])
    else if (entry.what === 'group') groups.push([entry.name, entry.value])
    else if (entry.what === 'index') configs.push([entry.name, entry.value])
  })
  if (version === undefined || !['1', '2'].includes(String(version))) {
    throw new Problem(
      'file-invalid',
      `Cannot read dataindex.json: its dumpversion is ${JSON.stringify(version)}, 1 and 2 are known`,
      { hint: 'export with a devpi-server of version 3 to 6' },
    )
  }
  return await catalog.write(async (writer) => {
    for (const [name, value] of users) await importUser(writer, options, name, value)
    for (const [name, value] of groups) await importGroup(writer, report, name, value)
    const indexes = new Map<string, IndexRecord | undefined>()
    for (const [name, value] of configs) {
      const isTaken = await importIndex(writer, options, name, value)
      indexes.set(name, isTaken ? await indexAsWritten(writer, name) : undefined)
    }
    return indexes
  })
}

async function importReleases(options: DevpiImport, indexes: Indexes): Promise<void> {
  const { catalog, report } = options
  let batch: Extract<DumpEntry, { what: 'release' }>[] = []
  let merging = ''
  const save = async (writer: Writer, entry: Extract<DumpEntry, { what: 'release' }>) => {
    const index = indexOf(indexes, entry.index)
    if (index === undefined || index.options.type === 'mirror') return
    const release = dumpRelease(entry, entry.value, report)
    const place = `${entry.index} ${entry.project}`
    if (entry.project !== release.project && merging !== place) {
      merging = place
      const isThere = (await findProject(writer, index, release.project)) !== undefined
      report.changed(place, isThere ? `is one with ${release.project} now` : `is called ${release.project} now`)
    }
    await saveRelease(writer, index, release)
    report.counts.releases++
  }
  const flush = async () => {
    const entries = batch
    batch = []
    if (entries.length === 0) return
    await catalog.write(async (writer) => {
      for (const entry of entries) {
        const { index, project, version } = entry
        await report.attempt(`${index} ${project} ${version}`, () => save(writer, entry))
      }
    })
  }
  await each(options, async (entry) => {
    if (entry.what !== 'release') return
    batch.push(entry)
    if (batch.length >= RELEASES) await flush()
  })
  await flush()
}

async function importArchives(options: DevpiImport, files: FileImporter, indexes: Indexes): Promise<void> {
  await each(options, async (entry) => {
    if (entry.what !== 'file' || isTestResult(entry.value)) return
    await options.report.attempt(nameOfFile(entry.value), async () => {
      const index = indexOf(indexes, entry.index)
      if (index !== undefined) await files.take(index, entry.value)
    })
  })
  await files.flush()
}

/** Test results, statuses of projects, and what a mirror's releases say of its files. */
async function importReferences(options: DevpiImport, files: FileImporter, indexes: Indexes): Promise<void> {
  const { report } = options
  const facts = new MirrorFacts(options.catalog)
  await each(options, async (entry) => {
    if (entry.what === 'file' && isTestResult(entry.value)) {
      await report.attempt(nameOfFile(entry.value), async () => {
        const index = indexOf(indexes, entry.index)
        if (index !== undefined) await files.takeResult(index, entry.value)
      })
    } else if (entry.what === 'status') {
      await report.attempt(`${entry.index} ${entry.project}`, async () => {
        const index = indexOf(indexes, entry.index)
        if (index !== undefined) await importStatus(options, index, entry)
      })
    } else if (entry.what === 'release') {
      await report.attempt(`${entry.index} ${entry.project} ${entry.version}`, async () => {
        const index = indexes.get(entry.index)
        if (index?.options.type === 'mirror') await facts.take(index, entry)
      })
    }
  })
  await files.flush()
}

/** A status that cannot be read is an error: taken for none, what was quarantined would be delivered. */
async function importStatus(
  { catalog }: DevpiImport,
  index: IndexRecord,
  { project, value }: Extract<DumpEntry, { what: 'status' }>,
): Promise<void> {
  const given = asRecord(value)
  const status = readStatus(given?.status)
  if (status === undefined) throw new SyntaxError(`Cannot import the status of ${project}: it is none that is known`)
  const reason = typeof given?.reason === 'string' && given.reason !== '' ? given.reason : undefined
  await catalog.write(async (writer) => {
    const row = await findProject(writer, index, projectName(project))
    if (row === undefined) throw new SyntaxError(`Cannot import the status of ${project}: there is no such project`)
    await saveProjectStatus(writer, index, row, { status, ...(reason !== undefined && { reason }) })
  })
}

function indexOf(indexes: Indexes, name: string): IndexRecord | undefined {
  if (indexes.has(name)) return indexes.get(name)
  throw new SyntaxError(`Cannot import: the dump has no "indexconfig" of index "${name}"`)
}

/** One reading of the dump. Ends early after an error, unless all of them are to be told. */
async function each(options: DevpiImport, take: (entry: DumpEntry) => Promise<void>): Promise<void> {
  const { folder, limits, report, goesOn, onRead, stop } = options
  for await (const entry of readDump(folder, limits.readChunkBytes, onRead)) {
    stop?.throwIfAborted()
    if (!goesOn && report.remarks.error > 0) return
    await take(entry)
  }
}
