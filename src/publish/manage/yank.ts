/** Yank and unyank (PEP 592): files of a stage that installers take only where exactly they are asked for, until that is undone. */
import { indexAsWritten } from '../../catalog/accounts.ts'
import type { Writer } from '../../catalog/catalog.ts'
import { listFiles, yankFile } from '../../catalog/files.ts'
import { findProject, listReleases } from '../../catalog/projects.ts'
import { deletionOf, type Principal } from '../../model/access.ts'
import { noSuchIndex, noSuchProject, Problem } from '../../model/errors.ts'
import type { File, IndexRecord } from '../../model/records.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import { asVersion, compareVersions } from '../../pep/version.ts'
import type { Publishing } from '../publishing.ts'
import { givenReason } from './given-reason.ts'
import { notPermitted } from './not-permitted.ts'

/** What is to be yanked or unyanked: a release, one file of it, or a file whatever its release. */
export interface YankOrder {
  readonly project: ProjectName
  readonly version?: string
  readonly filename?: string
  /** Only for a yank. */
  readonly reason?: string
}

/**
 * Reads an order as it was sent: a JSON object with `project`, `version` or `filename` or both, and for a yank perhaps
 * a `reason` of at most so many characters. Throws `bad-request` with a sentence, `no-such-project` for what is no name.
 */
export function readYankOrder(
  what: 'yank' | 'unyank',
  given: Readonly<Record<string, unknown>>,
  { reasonCharacters }: { readonly reasonCharacters: number },
): YankOrder {
  const known = what === 'yank' ? YANK_KEYS : YANK_KEYS.filter((key) => key !== 'reason')
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    throw new Problem('bad-request', `Cannot ${what}: "${unknown.slice(0, 100)}" is not known, send ${listed(known)}`)
  }
  const project = textOf(what, given, 'project')
  const version = textOf(what, given, 'version')
  const filename = textOf(what, given, 'filename')
  const reason = givenReason(given.reason, reasonCharacters)
  if (project === undefined) throw new Problem('bad-request', `Cannot ${what}: name a "project"`)
  if (version === undefined && filename === undefined) {
    throw new Problem('bad-request', `Cannot ${what}: name a "version", a "filename", or both`)
  }
  const name = asProjectName(project)
  if (name === undefined) throw noSuchProject(project.slice(0, 200))
  return {
    project: name,
    ...(version !== undefined && { version }),
    ...(filename !== undefined && { filename }),
    ...(reason !== undefined && { reason }),
  }
}

/**
 * Yanks, or undoes that, in one transaction, and gives the files whose mark changed, in order of name; those that were
 * as they should be already are not among them. Allowed to who may upload to the index or delete from it, also on one that is
 * not volatile: no file changes, and it can be undone.
 *
 * Throws `no-such-index`, `mirror-read-only`, `login-required`, `not-allowed`, `no-such-project`, `no-such-version`,
 * `no-such-file`.
 */
export async function yankFiles(
  { catalog, may }: Publishing,
  who: Principal,
  index: string,
  what: 'yank' | 'unyank',
  order: YankOrder,
): Promise<readonly File[]> {
  return await catalog.write(async (writer) => {
    const record = await indexAsWritten(writer, index)
    if (record === undefined) throw noSuchIndex(index)
    if (record.options.type === 'mirror') {
      throw new Problem(
        'mirror-read-only',
        `Cannot ${what} on ${index}: it is a mirror, which shows what its upstream says`,
      )
    }
    // Who may upload to a stage may delete from it; of tokens it takes one for deleting.
    const action = deletionOf(record, order.project)
    if (!may(who, action)) throw notPermitted(who, action, `to ${what} on ${index}`, index)
    const yanked = what === 'unyank' ? undefined : (order.reason ?? true)
    const files = await chosenFiles(writer, record, order)
    const changed = files.filter((file) => file.yanked !== yanked)
    for (const file of changed) await yankFile(writer, file, yanked)
    return changed.map((file) => withMark(file, yanked)).sort((a, b) => (a.filename < b.filename ? -1 : 1))
  })
}

const YANK_KEYS = ['project', 'version', 'filename', 'reason']

function textOf(what: string, given: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = given[key]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new Problem('bad-request', `Cannot ${what}: write "${key}" as text`)
  return value
}

async function chosenFiles(
  writer: Writer,
  record: IndexRecord,
  { project, version, filename }: YankOrder,
): Promise<File[]> {
  if ((await findProject(writer, record, project)) === undefined) {
    throw new Problem('no-such-project', `The project ${project} is not on ${record.name} itself`)
  }
  const all = await listFiles(writer, record, project)
  const ofVersion = version === undefined ? all : all.filter((file) => isSameVersion(file.version, version))
  if (version !== undefined && ofVersion.length === 0) {
    const releases = await listReleases(writer, record, project)
    if (!releases.some((release) => isSameVersion(release.version, version))) {
      throw new Problem(
        'no-such-version',
        `The version ${version} of project ${project} is not on ${record.name} itself`,
      )
    }
    throw new Problem('no-such-file', `The version ${version} of project ${project} has no files on ${record.name}`)
  }
  if (filename === undefined) return ofVersion
  const file = ofVersion.find((each) => each.filename === filename)
  if (file !== undefined) return [file]
  const release = version === undefined ? project : `${project} ${version}`
  throw new Problem('no-such-file', `no such file: ${filename} of ${release} on ${record.name}`)
}

/** As written, or the same by PEP 440: `1.0` is `1.0.0`. */
function isSameVersion(one: string, other: string): boolean {
  if (one === other) return true
  return asVersion(one) !== undefined && compareVersions(one, other) === 0
}

function withMark({ yanked: _before, ...file }: File, yanked: File['yanked']): File {
  return { ...file, ...(yanked !== undefined && { yanked }) }
}

function listed(words: readonly string[]): string {
  return `${words
    .slice(0, -1)
    .map((word) => `"${word}"`)
    .join(', ')} and "${words.at(-1)}"`
}
