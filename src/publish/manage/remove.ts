/**
 * Removes projects, versions and files from an index, by devpi's rules. A mirror only forgets its copy, and can fetch it
 * again.
 */
import { indexAsWritten } from '../../catalog/accounts.ts'
import { deleteAttachments, findAttachments } from '../../catalog/attachments.ts'
import type { Writer } from '../../catalog/catalog.ts'
import { wasDeleted } from '../../catalog/deleted-addresses.ts'
import { findFiles } from '../../catalog/files.ts'
import { deleteFile, deleteProject, deleteRelease } from '../../catalog/removal.ts'
import { beyondScope, deletionOf, type Principal } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import type { Attachment, File, IndexRecord } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import type { Publishing } from '../publishing.ts'

export interface Removal {
  readonly who: Principal
  /** `user/index`. */
  readonly index: string
  /** Also from an index that is not volatile. */
  readonly force: boolean
}

/** Throws `no-such-index`, `not-allowed`, `index-not-volatile`, `no-such-project`. */
export async function removeProject(publisher: Publishing, removal: Removal, project: ProjectName): Promise<void> {
  await publisher.catalog.write(async (writer) => {
    const refusal = `project '${project}' is on non-volatile index ${removal.index}`
    const record = await removable(publisher, writer, removal, project, refusal)
    if (!(await deleteProject(writer, record, project))) throw new Problem('no-such-project', 'project not found')
  })
}

/** Throws `no-such-index`, `not-allowed`, `index-not-volatile`, `no-such-version`. */
export async function removeRelease(
  publisher: Publishing,
  removal: Removal,
  project: ProjectName,
  version: string,
): Promise<void> {
  await publisher.catalog.write(async (writer) => {
    const record = await removable(publisher, writer, removal, project, VERSION_KEPT)
    if (await deleteRelease(writer, record, project, version)) return
    throw new Problem(
      'no-such-version',
      `version '${version}' of project '${project}' not found on stage ${record.name}`,
    )
  })
}

/**
 * An archive with its test results, a test result or documentation, by its address below the index (`+f/…`).
 * Throws `no-such-index`, `not-allowed`, `index-not-volatile`, `no-such-file`, `file-deleted`.
 */
export async function removeFile(
  publisher: Publishing,
  removal: Removal,
  isAsked: (file: File | Attachment) => boolean,
  place: { readonly path: string; readonly filename: string },
): Promise<void> {
  await publisher.catalog.write(async (writer) => {
    const record = await removable(publisher, writer, removal, undefined, VERSION_KEPT)
    const file = (await findFiles(writer, record, place.filename)).find(isAsked)
    if (file !== undefined) {
      checkDeletion(publisher, removal.who, record, file.project)
      return await deleteFile(writer, record, file)
    }
    const attachment = (await findAttachments(writer, record, place.filename)).find(isAsked)
    if (attachment !== undefined) {
      checkDeletion(publisher, removal.who, record, attachment.project)
      return await deleteAttachments(writer, [attachment])
    }
    if (await wasDeleted(writer, place.path)) {
      throw new Problem('file-deleted', `file '${place.path}' existed, deleted in later serial`)
    }
    throw new Problem('no-such-file', `package '${place.path}' doesn't exist`)
  })
}

const VERSION_KEPT = 'cannot delete version on non-volatile index'

/** `project` is `undefined` where it is not known yet. */
async function removable(
  publisher: Publishing,
  writer: Writer,
  { who, index, force }: Removal,
  project: ProjectName | undefined,
  refusal: string,
): Promise<IndexRecord> {
  const record = await indexAsWritten(writer, index)
  if (record === undefined) throw noSuchIndex(index)
  checkDeletion(publisher, who, record, project)
  if (record.options.volatile || force) return record
  throw new Problem('index-not-volatile', refusal, { hint: 'add ?force to the address, or set volatile=True first' })
}

function checkDeletion(
  { may }: Publishing,
  who: Principal,
  record: IndexRecord,
  project: ProjectName | undefined,
): void {
  const action = deletionOf(record, project)
  if (may(who, action)) return
  const beyond = beyondScope(who, action)
  const why = beyond === undefined ? '' : `: ${beyond}`
  throw new Problem('not-allowed', `no permission to delete from index ${record.name}${why}`)
}
