/** `devpi list`: the projects on an index, or the files of one project. */

import { asObject } from '../../lib/json-object.ts'
import { type Requirement, readRequirement } from '../../locks/requirement.ts'
import { compareVersions } from '../../pep/version.ts'
import { beginSession } from '../begin-session.ts'
import { asFile, asHttpUrl, withFlag } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { linksOf, type ReleaseLink } from '../release-links.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'
import { showToxResults } from '../tox/tox-results.ts'

export interface ListOptions extends GenericOptions {
  readonly all?: boolean
  readonly ignoreBases?: boolean
  readonly toxresults?: boolean
  readonly failures?: boolean
}

/** Releases shown before the rest is only counted. */
const RELEASES_SHOWN = 3

export async function list(context: CliContext, spec: string | undefined, options: ListOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  session.requireIndex()
  const { index } = options
  if (index !== undefined && !asHttpUrl(index) && index.split('/').length > 2) {
    throw out.failure(`index '${index}' not of form USER/NAME or NAME`)
  }
  if (spec === undefined) return await listProjects(session, options)
  const requirement = readRequirement(spec)
  if (requirement === undefined) {
    throw out.failure(`Cannot read "${spec}": write a project's name, or one with versions such as "pytest>=2.3.5"`)
  }
  await listReleases(session, requirement, options)
}

async function listProjects(session: Session, options: ListOptions): Promise<void> {
  const { out } = session
  const reply = await session.api({ method: 'GET', url: asFile(session.indexUrl()), type: 'indexconfig' })
  const { projects } = resultOf(reply)
  const names = Array.isArray(projects) ? projects.filter((name) => typeof name === 'string').toSorted() : []
  if (!options.verbose) {
    if (options.json) return out.json(names)
    for (const name of names) out.info(name)
    return
  }
  const versions: Record<string, readonly string[]> = {}
  for (const name of names) {
    const result = resultOf(await projectReply(session, name, options))
    const known = Object.keys(result).toSorted(compareVersions)
    versions[name] = options.all ? known : known.slice(-1)
    if (options.json) continue
    for (const version of versions[name]) {
      const written = asObject(result[version]).name
      out.info(`${typeof written === 'string' ? written : name}==${version}`)
    }
  }
  if (options.json) out.json(versions)
}

async function listReleases(session: Session, requirement: Requirement, options: ListOptions): Promise<void> {
  const { out } = session
  const reply = await projectReply(session, requirement.name, options)
  const result = resultOf(reply)
  const versions = Object.keys(result).toSorted(compareVersions).toReversed().filter(requirement.admits)
  if (options.json) {
    return out.json(
      Object.fromEntries(versions.map((version) => [version, linksOf(asObject(result[version]), reply.url)])),
    )
  }
  let counted = 0
  for (const version of versions) {
    if (counted >= RELEASES_SHOWN && !options.all) {
      counted++
      continue
    }
    const data = asObject(result[version])
    if (await showFiles(session, version, linksOf(data, reply.url), false, options)) counted++
    const shadowed = Array.isArray(data['+shadowing']) ? data['+shadowing'] : []
    for (const other of shadowed) {
      if (await showFiles(session, version, linksOf(asObject(other), reply.url), true, options)) counted++
    }
  }
  const hidden = counted - RELEASES_SHOWN
  if (!options.all && hidden > 0) out.info(`${hidden} older versions not shown, use --all to see`)
}

/** Whether there was a file to show. Files of this index stand out, those shadowed by it are red. */
async function showFiles(
  session: Session,
  version: string,
  links: readonly ReleaseLink[],
  isShadowed: boolean,
  options: ListOptions,
): Promise<boolean> {
  const { out } = session
  const own = session.requireIndex().href
  const files = links.filter(({ rel }) => rel === 'releasefile')
  for (const { href } of files.toSorted((a, b) => (a.basename < b.basename ? -1 : 1))) {
    const text = version.startsWith('egg=') ? `${href} (${version}) ` : href
    if (isShadowed) out.error(text)
    else if (href.startsWith(own)) out.info(text)
    else out.line(text)
    if (options.toxresults || options.failures) {
      const results = links.filter(({ rel, forHref }) => rel === 'toxresult' && forHref === href)
      await showToxResults(session, results, options.failures === true)
    }
  }
  return files.length > 0
}

async function projectReply(session: Session, project: string, options: ListOptions) {
  const url = session.projectUrl(project)
  return await session.api({
    method: 'GET',
    url: options.ignoreBases ? withFlag(url, 'ignore_bases') : url,
    type: 'projectconfig',
  })
}
