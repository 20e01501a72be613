/** `airlock yank` and `airlock unyank`: marks releases or files so that installers skip them, and removes the mark. Not in devpi. */

import { asObject } from '../../lib/json-object.ts'
import { type Requirement, readRequirement } from '../../locks/requirement.ts'
import { compareVersions } from '../../pep/version.ts'
import { beginSession } from '../begin-session.ts'
import { asFile, below, withFlag } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { linksOf, type ReleaseLink } from '../release-links.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface YankOptions extends GenericOptions {
  readonly file?: readonly string[]
  readonly reason?: string
}

interface YankedFile {
  readonly filename: string
  readonly version: string
  /** False where it can be installed again. */
  readonly yanked: boolean | string
}

export async function yank(context: CliContext, spec: string, options: YankOptions): Promise<void> {
  await change('yank', context, spec, options)
}

export async function unyank(context: CliContext, spec: string, options: YankOptions): Promise<void> {
  await change('unyank', context, spec, options)
}

async function change(what: 'yank' | 'unyank', context: CliContext, spec: string, options: YankOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  const url = below(asFile(session.indexUrl()), `+${what}`)
  const requirement = readRequirement(spec)
  const files = options.file ?? []
  if (requirement === undefined || (requirement.specifier === '' && files.length === 0)) {
    throw out.failure(`Cannot ${what} "${spec}": name a release such as "pytest==2.3.5", or add --file NAME`)
  }
  const orders = await ordersFor(session, requirement, files)
  if (orders.length === 0) throw out.failure(`No releases found matching '${spec}'.`)
  if (orders.length > 1 && files.length === 0) {
    out.info(`About to ${what} the following releases of ${requirement.name}`)
    for (const { version } of orders) out.info(`  - ${version}`)
    if (!(await session.confirm('Are you sure'))) return out.error(`nothing is ${what}ed`)
  }
  const changed: YankedFile[] = []
  for (const order of orders) {
    const send = {
      project: requirement.name,
      ...order,
      ...(options.reason !== undefined && { reason: options.reason }),
    }
    const reply = await session.api({ method: 'POST', url, send, type: 'yankedfiles' })
    changed.push(...filesOf(reply.json?.result))
  }
  if (options.json) out.json(changed)
  else if (changed.length === 0) out.info(`nothing to ${what}: it was so already`)
  else for (const { filename } of changed) out.line(`${what}ed ${filename}`)
}

/** What is sent, one request each: the named files, else the releases on this very index that the requirement admits. */
async function ordersFor(
  session: Session,
  requirement: Requirement,
  files: readonly string[],
): Promise<readonly { readonly version?: string; readonly filename?: string }[]> {
  if (requirement.specifier === '') return files.map((filename) => ({ filename }))
  const url = withFlag(session.projectUrl(requirement.name), 'ignore_bases')
  const reply = await session.api({ method: 'GET', url, type: 'projectconfig' })
  const found = Object.entries(resultOf(reply))
    .filter(([version]) => requirement.admits(version))
    .toSorted(([one], [other]) => compareVersions(one, other))
  if (files.length === 0) {
    // Registrations have nothing to yank; of a quarantined project no files are shown, and all are asked for.
    const isFile = ({ rel }: ReleaseLink) => rel === 'releasefile'
    const withFiles = found.filter(([, data]) => linksOf(asObject(data), reply.url).some(isFile))
    return (withFiles.length > 0 ? withFiles : found).map(([version]) => ({ version }))
  }
  if (found.length > 1) {
    throw session.out.failure(`Cannot tell of which release the files are: name one, as in ${requirement.name}==1.0`)
  }
  return files.flatMap((filename) => found.map(([version]) => ({ version, filename })))
}

function filesOf(result: unknown): readonly YankedFile[] {
  if (!Array.isArray(result)) return []
  return result.flatMap((each: unknown) => {
    const { filename, version, yanked } = asObject(each)
    if (typeof filename !== 'string' || typeof version !== 'string') return []
    return [{ filename, version, yanked: typeof yanked === 'string' ? yanked : yanked === true }]
  })
}
