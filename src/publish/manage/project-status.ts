/** The status of a stage's project (PEP 792): set by who may delete it, and what it forbids. */
import { findIndex } from '../../catalog/accounts.ts'
import type { Reader } from '../../catalog/catalog.ts'
import { findProject, saveProjectStatus } from '../../catalog/projects.ts'
import { deletionOf, type Principal } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import type { IndexRecord } from '../../model/records.ts'
import { readStatus } from '../../pep/file-facts.ts'
import type { ProjectName } from '../../pep/name.ts'
import type { ProjectStatus } from '../../pep/simple.ts'
import type { Publishing } from '../publish.ts'
import { givenReason } from './given-reason.ts'
import { notPermitted } from './not-permitted.ts'

/**
 * Reads a status as it was sent: a JSON object with `status`, and perhaps a `reason` of at most so many characters.
 * Throws `bad-request` with a sentence.
 */
export function readProjectStatus(
  given: Readonly<Record<string, unknown>>,
  { reasonCharacters }: { readonly reasonCharacters: number },
): ProjectStatus {
  const unknown = Object.keys(given).find((key) => key !== 'status' && key !== 'reason')
  if (unknown !== undefined) {
    const key = unknown.slice(0, 100)
    throw new Problem('bad-request', `Cannot set the status: "${key}" is not known, send "status" and "reason"`)
  }
  const status = readStatus(given.status)
  if (status === undefined) {
    throw new Problem('bad-request', 'Cannot set the status: "status" is active, archived, quarantined or deprecated')
  }
  const reason = givenReason(given.reason, reasonCharacters)
  return { status, ...(reason !== undefined && { reason }) }
}

/**
 * Sets the status of a project that is on the index itself; without a reason the former one goes. `false` where all was
 * so already. Throws `no-such-index`, `mirror-read-only`, `login-required`, `not-allowed`, `no-such-project`.
 */
export async function setProjectStatus(
  { catalog, may }: Publishing,
  who: Principal,
  index: string,
  name: ProjectName,
  status: ProjectStatus,
): Promise<boolean> {
  return await catalog.write(async (writer) => {
    const record = await findIndex(writer, index)
    if (record === undefined) throw noSuchIndex(index)
    if (record.options.type === 'mirror') {
      throw new Problem('mirror-read-only', `Cannot set a status on ${index}: it is a mirror, and its upstream sets it`)
    }
    const action = deletionOf(record, name)
    if (!may(who, action)) throw notPermitted(who, action, `to set the status of a project of ${index}`, index)
    const project = await findProject(writer, record, name)
    if (project === undefined) {
      throw new Problem('no-such-project', `The project ${name} is not on ${index} itself`, {
        hint: 'upload or register it there first; the status of what comes from a base is set on the base',
      })
    }
    const { status: before } = project
    if (before?.status === status.status && before.reason === status.reason) return false
    await saveProjectStatus(writer, record, project, status)
    return true
  })
}

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
    hint: `who may delete there ends that with: airlock status ${name} active --index ${record.name}`,
  })
}
