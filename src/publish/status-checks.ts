/** Checks that the status of a project (PEP 792) allows an upload or a push. */
import type { Reader } from '../catalog/catalog.ts'
import { findProject } from '../catalog/projects.ts'
import { Problem } from '../model/errors.ts'
import type { IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'

/**
 * Throws `project-closed` for a project that takes nothing new on that index: PEP 792 has uploads refused to what is
 * archived or quarantined. One that is not there yet takes everything.
 */
export async function checkTakesUploads(reader: Reader, record: IndexRecord, name: ProjectName): Promise<void> {
  const status = (await findProject(reader, record, name))?.status
  if (status?.status !== 'archived' && status?.status !== 'quarantined') return
  const why = status.reason === undefined ? '' : ` (${status.reason})`
  throw new Problem(
    'project-closed',
    `Cannot upload to ${name}: it is ${status.status} on ${record.name}${why}. To change that: airlock status ${name} active --index ${record.name}`,
  )
}

/** Throws `file-withheld` for a project none of whose files may leave that index (PEP 792). */
export async function checkOffersFiles(reader: Reader, record: IndexRecord, name: ProjectName): Promise<void> {
  const status = (await findProject(reader, record, name))?.status
  if (status?.status !== 'quarantined') return
  throw new Problem('file-withheld', `Cannot push ${name}: it is quarantined on ${record.name}`, {
    hint: `anyone who may delete there can end the quarantine: airlock status ${name} active --index ${record.name}`,
  })
}
