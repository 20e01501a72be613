/** Rows of what belongs to a release beside its archives: documentation and test results. A row implies its blob. */
import type { Selectable } from 'kysely'
import type { Digest } from '../lib/digest.ts'
import type { IndexName } from '../model/names.ts'
import type { Attachment, IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'
import { rememberDeleted } from './deleted-addresses.ts'
import { ensureProject } from './projects.ts'
import type { Schema } from './schema.ts'

export type NewAttachment = Omit<Attachment, 'id' | 'index'>

/** Every attachment of a project, oldest first. */
export async function listAttachments(reader: Reader, index: IndexRecord, project: ProjectName): Promise<Attachment[]> {
  const rows = await attachmentsOf(reader, index)
    .where('projects.name', '=', project)
    .orderBy('attachments.id')
    .execute()
  return rows.map((row) => asAttachment(row, index))
}

/** The attachments of that name on the index: one, or several where projects with like names share it. */
export async function findAttachments(reader: Reader, index: IndexRecord, filename: string): Promise<Attachment[]> {
  const rows = await attachmentsOf(reader, index).where('attachments.filename', '=', filename).execute()
  return rows.map((row) => asAttachment(row, index))
}

/** Adds the row, or replaces the one of that name: the caller has decided that it may. */
export async function saveAttachment(writer: Writer, index: IndexRecord, attachment: NewAttachment): Promise<void> {
  const project_id = await ensureProject(writer, index, attachment.project)
  const { project, filename } = attachment
  for (const before of await findAttachments(writer, index, filename)) {
    if (before.project === project && before.addressHash !== attachment.addressHash) {
      await rememberDeleted(writer, [before])
    }
  }
  const row = {
    file_id: attachment.ofFile?.id ?? null,
    kind: attachment.kind,
    version: attachment.version,
    digest: attachment.digest,
    size_bytes: attachment.sizeBytes,
    created: attachment.created,
    address_hash: attachment.addressHash,
    log: JSON.stringify(attachment.log),
  }
  await writer.db
    .insertInto('attachments')
    .values({ index_id: index.id, project_id, filename, ...row })
    .onConflict((conflict) => conflict.columns(['project_id', 'filename']).doUpdateSet(row))
    .execute()
  writer.change({ what: 'attachment', how: 'stored', index: index.name, project, filename })
  if (attachment.kind === 'doczip') await readDocumentationLater(writer, index.name, project)
}

export async function deleteAttachments(writer: Writer, attachments: readonly Attachment[]): Promise<void> {
  await rememberDeleted(writer, attachments)
  for (const { id, kind, index, project, filename } of attachments) {
    await writer.db.deleteFrom('attachments').where('id', '=', id).execute()
    writer.change({ what: 'attachment', how: 'deleted', index, project, filename })
    if (kind === 'doczip') await readDocumentationLater(writer, index, project)
  }
}

/** Its words are searched for: whoever adds or removes documentation has them read anew. */
async function readDocumentationLater(writer: Writer, index: IndexName, project: ProjectName): Promise<void> {
  await writer.enqueue({ kind: 'index-documentation', key: `${index}/${project}`, index, project })
}

function attachmentsOf({ db }: Reader, index: IndexRecord) {
  return db
    .selectFrom('attachments')
    .innerJoin('projects', 'projects.id', 'attachments.project_id')
    .leftJoin('files', 'files.id', 'attachments.file_id')
    .selectAll('attachments')
    .select(['projects.name as project', 'files.filename as of_filename'])
    .where('projects.index_id', '=', index.id)
    .where('attachments.index_id', '=', index.id)
}

function asAttachment(
  row: Selectable<Schema['attachments']> & { project: string; of_filename: string | null },
  index: IndexRecord,
): Attachment {
  return {
    id: row.id,
    kind: row.kind,
    index: index.name,
    project: row.project as ProjectName,
    version: row.version,
    filename: row.filename,
    digest: row.digest as Digest,
    sizeBytes: row.size_bytes,
    created: row.created,
    addressHash: row.address_hash,
    log: JSON.parse(row.log) as Attachment['log'],
    ...(row.file_id !== null && row.of_filename !== null && { ofFile: { id: row.file_id, filename: row.of_filename } }),
  }
}
