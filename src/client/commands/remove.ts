/** `devpi remove`: deletes a project, some of its releases, or one file, after asking. */

import { asObject } from '../../lib/json-object.ts'
import { type Requirement, readRequirement } from '../../locks/requirement.ts'
import { compareVersions } from '../../pep/version.ts'
import { beginSession } from '../begin-session.ts'
import { asDirectory, asHttpUrl, below, withFlag } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { linksOf, type ReleaseLink } from '../release-links.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface RemoveOptions extends GenericOptions {
  /** Also on an index that is not volatile. */
  readonly force?: boolean
}

interface FoundRelease {
  readonly version: string
  readonly links: readonly ReleaseLink[]
}

export async function remove(context: CliContext, spec: string, options: RemoveOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  session.requireIndex()
  const file = asHttpUrl(spec)
  if (file !== undefined) return await removeFile(session, file, options)

  const requirement = readRequirement(spec)
  if (requirement === undefined) {
    throw out.failure(`Cannot read "${spec}": write a project's name, or one with versions such as "pytest>=2.3.5"`)
  }
  const found = await findReleases(session, requirement)
  if (found.length === 0) throw out.failure(`No releases or distributions found matching '${spec}'.`)
  out.info('About to remove the following releases and distributions')
  for (const { version, links } of found) {
    out.info(`version: ${version}`)
    for (const { href } of links) out.info(`  - ${href}`)
  }
  if (!(await session.confirm('Are you sure'))) return out.error('not deleting anything')
  const project = session.projectUrl(requirement.name)
  if (requirement.specifier === '') await removeAt(session, project, options)
  else {
    for (const { version } of found) {
      out.info(`deleting release ${version} of ${requirement.name}`)
      await removeAt(session, below(project, version), options)
    }
  }
  if (options.json) out.json(Object.fromEntries(found.map(({ version, links }) => [version, links])))
}

async function removeFile(session: Session, url: URL, options: RemoveOptions): Promise<void> {
  const { out } = session
  out.info('About to remove the following file:')
  out.info((options.force ? withFlag(url, 'force') : url).href)
  if (!(await session.confirm('Are you sure'))) return out.error('not deleting anything')
  await removeAt(session, url, options)
  if (options.json) out.json([url.href])
}

/** The releases asked for that have files on this very index: what comes from bases is not its own to delete. */
async function findReleases(session: Session, requirement: Requirement): Promise<readonly FoundRelease[]> {
  const url = withFlag(session.projectUrl(requirement.name), 'ignore_bases')
  const reply = await session.api({ method: 'GET', url, type: 'projectconfig' })
  const own = asDirectory(session.indexUrl()).href
  return Object.entries(resultOf(reply))
    .filter(([version]) => requirement.admits(version))
    .map(([version, data]) => ({
      version,
      links: linksOf(asObject(data), reply.url)
        .filter(({ href }) => href.startsWith(own))
        .toSorted((a, b) => (a.basename < b.basename ? -1 : 1)),
    }))
    .filter(({ links }) => links.length > 0)
    .toSorted((a, b) => compareVersions(a.version, b.version))
}

async function removeAt(session: Session, url: URL, { force }: RemoveOptions): Promise<void> {
  await session.api({ method: 'DELETE', url: force ? withFlag(url, 'force') : url })
}
