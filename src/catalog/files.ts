/** File rows. A row implies its blobs: blob first, row second. */
import type { Insertable, Selectable } from 'kysely'
import type { Digest } from '../lib/digest.ts'
import type { File, IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { deleteAttachments, listAttachments } from './attachments.ts'
import type { Reader, Writer } from './catalog.ts'
import { rememberDeleted } from './deleted-addresses.ts'
import { ensureProject } from './projects.ts'
import type { Schema } from './schema.ts'
import { statement, type Value } from './statement.ts'

export type NewFile = Omit<File, 'id' | 'index'>

const FILE = statement<{ index: number; project: string; filename: string }>()((db, { index, project, filename }) =>
  db
    .selectFrom('files')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .selectAll('files')
    .where('projects.index_id', '=', index)
    .where('projects.name', '=', project)
    .where('files.filename', '=', filename),
)
const OTHER_THAN_WHEELS = statement<{ index: number; project: string }>()((db, { index, project }) =>
  db
    .selectFrom('files')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .select(['files.filename', 'files.version'])
    .where('projects.index_id', '=', index)
    .where('projects.name', '=', project)
    .where('files.filename', 'not like', '%.whl'),
)
/** What may change under a filename. */
const FILE_COLUMNS = [
  ...(['version', 'digest', 'size_bytes', 'upload_time', 'address_hash', 'requires_python', 'yanked'] as const),
  ...(['metadata_digest', 'metadata_bytes', 'origin', 'upstream', 'log'] as const),
]
type FileRow = Pick<Insertable<Schema['files']>, (typeof FILE_COLUMNS)[number]>
type FileValues = { [Column in keyof FileRow]-?: FileRow[Column] & Value }
const SAVE_FILE = statement<FileValues & { index_id: number; project_id: number; filename: string }>()((db, value) => {
  const row = Object.fromEntries(FILE_COLUMNS.map((column) => [column, value[column]])) as unknown as FileValues
  return db
    .insertInto('files')
    .values({ index_id: value.index_id, project_id: value.project_id, filename: value.filename, ...row })
    .onConflict((conflict) => conflict.columns(['project_id', 'filename']).doUpdateSet(row))
})

/** Every file of a project, in no particular order. */
export async function listFiles({ db }: Reader, index: IndexRecord, project: ProjectName): Promise<File[]> {
  const rows = await db
    .selectFrom('files')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .selectAll('files')
    .where('projects.index_id', '=', index.id)
    .where('projects.name', '=', project)
    .execute()
  return rows.map((row) => asFile(row, index, project))
}

/** The file of that name. */
export async function findFile(
  reader: Reader,
  index: IndexRecord,
  project: ProjectName,
  filename: string,
): Promise<File | undefined> {
  const row = await FILE.first(reader, { index: index.id, project, filename })
  return row && asFile(row, index, project)
}

/** Names and versions of a project's files that are no wheels: few, where wheels are many. */
export async function listOtherThanWheels(
  reader: Reader,
  index: IndexRecord,
  project: ProjectName,
): Promise<Pick<File, 'filename' | 'version'>[]> {
  return await OTHER_THAN_WHEELS.all(reader, { index: index.id, project })
}

/** The files of that name on the index: one, or several where projects with like names share it. */
export async function findFiles({ db }: Reader, index: IndexRecord, filename: string): Promise<File[]> {
  const rows = await db
    .selectFrom('files')
    .innerJoin('projects', 'projects.id', 'files.project_id')
    .selectAll('files')
    .select('projects.name as project')
    .where('files.index_id', '=', index.id)
    .where('files.filename', '=', filename)
    .execute()
  return rows.map((row) => asFile(row, index, row.project as ProjectName))
}

/** Adds the row, or replaces the one of that name: the caller has decided that it may. */
export async function saveFile(
  writer: Writer,
  index: IndexRecord,
  file: NewFile,
  how: 'uploaded' | 'replaced' | 'mirrored',
): Promise<void> {
  const project_id = await ensureProject(writer, index, file.project)
  if (how === 'replaced') await forgetReplaced(writer, index, file)
  const row = {
    version: file.version,
    digest: file.digest,
    size_bytes: file.sizeBytes,
    upload_time: file.uploadTime,
    address_hash: file.addressHash,
    requires_python: file.requiresPython ?? null,
    yanked: asYankColumn(file.yanked),
    metadata_digest: file.coreMetadata?.digest ?? null,
    metadata_bytes: file.coreMetadata?.sizeBytes ?? null,
    origin: file.origin ?? null,
    upstream: file.upstream === undefined ? null : JSON.stringify(file.upstream),
    log: JSON.stringify(file.log),
  }
  await SAVE_FILE.run(writer, { index_id: index.id, project_id, filename: file.filename, ...row })
  writer.change({ what: 'file', how, index: index.name, project: file.project, filename: file.filename })
}

/** Other content under a name: its old address is gone, and so are the results of tests that were not run with it. */
async function forgetReplaced(writer: Writer, index: IndexRecord, file: NewFile): Promise<void> {
  const before = await findFile(writer, index, file.project, file.filename)
  if (before === undefined || before.digest === file.digest) return
  await rememberDeleted(writer, [before])
  const attachments = await listAttachments(writer, index, file.project)
  await deleteAttachments(
    writer,
    attachments.filter((each) => each.ofFile?.id === before.id),
  )
}

/** Adds what was read from inside the archive after it arrived. */
export async function recordDescription(
  writer: Writer,
  file: File,
  found: Pick<File, 'coreMetadata' | 'requiresPython'>,
): Promise<void> {
  await writer.db
    .updateTable('files')
    .set({
      metadata_digest: found.coreMetadata?.digest ?? null,
      metadata_bytes: found.coreMetadata?.sizeBytes ?? null,
      ...(found.requiresPython !== undefined && { requires_python: found.requiresPython }),
    })
    .where('id', '=', file.id)
    .execute()
  writer.change({ what: 'file', how: 'described', index: file.index, project: file.project, filename: file.filename })
}

/** What upstream says of a mirrored file now. */
export async function restateFile(writer: Writer, file: File, said: Pick<File, 'yanked' | 'upstream'>): Promise<void> {
  await writer.db
    .updateTable('files')
    .set({
      yanked: asYankColumn(said.yanked),
      upstream: said.upstream === undefined ? null : JSON.stringify(said.upstream),
    })
    .where('id', '=', file.id)
    .execute()
  writer.change({ what: 'file', how: 'restated', index: file.index, project: file.project, filename: file.filename })
}

/** Marks a file of a stage as yanked (PEP 592), with the reason where there is one, or takes the mark away. */
export async function yankFile(writer: Writer, file: File, yanked: File['yanked']): Promise<void> {
  await writer.db
    .updateTable('files')
    .set({ yanked: asYankColumn(yanked) })
    .where('id', '=', file.id)
    .execute()
  const how = yanked === undefined ? 'unyanked' : 'yanked'
  writer.change({ what: 'file', how, index: file.index, project: file.project, filename: file.filename })
}

function asYankColumn(yanked: File['yanked']): string | null {
  if (yanked === undefined) return null
  return yanked === true ? '' : yanked
}

function asFile(row: Selectable<Schema['files']>, index: IndexRecord, project: ProjectName): File {
  return {
    id: row.id,
    index: index.name,
    project,
    version: row.version,
    filename: row.filename,
    digest: row.digest as Digest,
    sizeBytes: row.size_bytes,
    uploadTime: row.upload_time,
    addressHash: row.address_hash,
    log: JSON.parse(row.log) as File['log'],
    ...(row.requires_python !== null && { requiresPython: row.requires_python }),
    ...(row.yanked !== null && { yanked: row.yanked === '' ? true : row.yanked }),
    ...(row.metadata_digest !== null && {
      coreMetadata: { digest: row.metadata_digest as Digest, sizeBytes: row.metadata_bytes ?? 0 },
    }),
    ...(row.origin !== null && { origin: row.origin }),
    ...(row.upstream !== null && { upstream: JSON.parse(row.upstream) as NonNullable<File['upstream']> }),
  }
}
