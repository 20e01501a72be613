/** The status of a stage's project (PEP 792): parses it, and sets it for anyone who may delete from the stage. */
import { indexAsWritten } from '../../catalog/accounts.ts'
import { findProject, saveProjectStatus } from '../../catalog/projects.ts'
import { deletionOf, type Principal } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import { readStatus } from '../../pep/file-facts.ts'
import type { ProjectName } from '../../pep/name.ts'
import type { ProjectStatus } from '../../pep/simple.ts'
import type { Publishing } from '../publishing.ts'
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
    const record = await indexAsWritten(writer, index)
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
