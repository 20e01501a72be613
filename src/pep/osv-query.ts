/** Questions to OSV's API (`/v1/query`, `/v1/querybatch`) about Python packages. */
import { type ProjectName, projectName } from './name.ts'
import { isPythonEcosystem } from './osv-record.ts'

export interface AdvisoryQuery {
  readonly project: ProjectName
  /** As asked for; absent: any. */
  readonly version?: string
  /** Only advisories whose ids come after this one. */
  readonly after?: string
}

/**
 * Reads one question: `{package: {name, ecosystem} | {purl}, version?, page_token?}`. Throws `SyntaxError` with a sentence
 * for what cannot be answered, among it what is asked of other ecosystems and of commits: silence would read as "no
 * vulnerability is known".
 */
export function readAdvisoryQuery(value: unknown): AdvisoryQuery {
  if (!isObject(value)) throw new SyntaxError('Invalid query: it is no JSON object')
  if (value.commit) throw new SyntaxError('Invalid query: commits are not known here, ask by package and version')
  const asked = isObject(value.package) ? value.package : {}
  const purl = text(asked.purl)
  const found = purl === undefined ? namedPackage(asked) : purlPackage(purl, asked)
  const version = text(value.version)
  if (version !== undefined && found.version !== undefined) {
    throw new SyntaxError('Invalid query: the version is in the purl and beside it, name it once')
  }
  const asking = version ?? found.version
  const after = text(value.page_token)
  if (after?.startsWith(TOKEN_BEGINS) === false) throw new SyntaxError('Invalid query: the page_token is not from here')
  return {
    project: found.project,
    ...(asking !== undefined && { version: asking }),
    ...(after !== undefined && { after: after.slice(TOKEN_BEGINS.length) }),
  }
}

/** What asks for the advisories behind `after`; `''` for all of them. */
export function pageToken(after: string): string {
  return TOKEN_BEGINS + after
}

const TOKEN_BEGINS = 'after:'

function namedPackage(asked: Readonly<Record<string, unknown>>): { project: ProjectName; version?: undefined } {
  const name = text(asked.name)
  if (name === undefined) throw new SyntaxError('Invalid query: name the package by name and ecosystem, or by purl')
  if (!isPythonEcosystem(asked.ecosystem)) {
    throw new SyntaxError('Invalid query: advisories are known here for the ecosystem "PyPI" alone')
  }
  return { project: projectName(name) }
}

/** `pkg:pypi/name@version`, in the form of the purl specification. */
function purlPackage(
  purl: string,
  asked: Readonly<Record<string, unknown>>,
): { project: ProjectName; version?: string } {
  if (text(asked.name) !== undefined || text(asked.ecosystem) !== undefined) {
    throw new SyntaxError('Invalid query: name the package by name and ecosystem, or by purl, not by both')
  }
  const [, name, version] = /^pkg:\/{0,2}pypi\/([^/@?#]+)(?:@([^?#]*))?(?:[?#].*)?$/i.exec(purl) ?? []
  if (name === undefined) {
    throw new SyntaxError('Invalid query: advisories are known here for purls of the form pkg:pypi/NAME@VERSION alone')
  }
  try {
    const project = projectName(decodeURIComponent(name))
    return { project, ...(version && { version: decodeURIComponent(version) }) }
  } catch (error) {
    if (error instanceof URIError) throw new SyntaxError('Invalid query: the purl cannot be decoded', { cause: error })
    throw error
  }
}

/** Empty text counts as absent, as everywhere in OSV's API. */
function text(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string' && value.length <= 1000) return value
  throw new SyntaxError('Invalid query: what names package and version has to be text, at most 1000 characters of it')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
