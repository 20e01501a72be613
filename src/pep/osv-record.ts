/** Advisories as OSV's schema writes them (ossf.github.io/osv-schema, version 1), reduced to what they say of Python packages. */
import { asProjectName, type ProjectName } from './name.ts'

export interface Advisory {
  /** `PYSEC-2021-1`, `GHSA-…`, `MAL-…`: safe to stand in an address. */
  readonly id: string
  /** RFC 3339, as written. */
  readonly modified: string
  /** Since when it is not held up any more, RFC 3339. */
  readonly withdrawn?: string
  /** Packages of the ecosystem PyPI, each once; empty where the advisory is about others alone. */
  readonly packages: readonly AffectedPackage[]
}

export interface AffectedPackage {
  readonly name: ProjectName
  /** A version is affected where one of them says so. */
  readonly affected: readonly Affected[]
}

export interface Affected {
  readonly versions: readonly string[]
  /** The events of each range that is about versions; those about commits are left out. */
  readonly ranges: readonly (readonly RangeEvent[])[]
}

export interface RangeEvent {
  readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit'
  readonly version: string
}

/** OSV's name of the public index, whatever its case. */
export function isPythonEcosystem(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'pypi'
}

/**
 * Reads one record. Throws `SyntaxError` with a clause for what cannot be read; members that are not used for matching
 * are not looked at.
 */
export function readAdvisory(record: unknown): Advisory {
  if (!isObject(record)) throw new SyntaxError('it is no JSON object')
  const { id, modified, withdrawn, affected = [] } = record
  if (typeof id !== 'string' || !ID.test(id)) throw new SyntaxError('it has no usable "id"')
  if (!isTime(modified)) throw new SyntaxError('its "modified" is no time')
  if (withdrawn !== undefined && withdrawn !== null && !isTime(withdrawn)) {
    throw new SyntaxError('its "withdrawn" is no time')
  }
  const packages = new Map<ProjectName, Affected[]>()
  for (const each of list(affected, 'affected')) {
    if (!isObject(each)) throw new SyntaxError('its "affected" holds something other than objects')
    const name = pythonPackage(each.package)
    if (name === undefined) continue
    const known = packages.get(name)
    if (known === undefined) packages.set(name, [readAffected(each)])
    else known.push(readAffected(each))
  }
  return {
    id,
    modified,
    ...(isTime(withdrawn) && { withdrawn }),
    packages: [...packages].map(([name, found]) => ({ name, affected: found })),
  }
}

/** Versions that mend the package, in the order in which the record tells them, each once. */
export function fixedVersions(affected: readonly Affected[]): string[] {
  const events = affected.flatMap(({ ranges }) => ranges.flat())
  return [...new Set(events.filter(({ kind }) => kind === 'fixed').map(({ version }) => version))]
}

const ID = /^[A-Za-z0-9][\w.:-]{0,199}$/
const KINDS = ['introduced', 'fixed', 'last_affected', 'limit'] as const

/** `undefined`: of another ecosystem, or called what no project can be called, so that nobody can ask for it. */
function pythonPackage(value: unknown): ProjectName | undefined {
  if (!isObject(value) || !isPythonEcosystem(value.ecosystem)) return undefined
  if (typeof value.name !== 'string') throw new SyntaxError('a package of it has no name')
  return asProjectName(value.name)
}

function readAffected(value: Readonly<Record<string, unknown>>): Affected {
  const versions = list(value.versions ?? [], 'versions').map((version) => text(version, 'versions'))
  const ranges = list(value.ranges ?? [], 'ranges').flatMap((range) => {
    if (!isObject(range)) throw new SyntaxError('its "ranges" hold something other than objects')
    if (range.type === 'GIT') return []
    return [list(range.events, 'events').flatMap(readEvent)]
  })
  return { versions, ranges }
}

/** Older records have several events in one object. */
function readEvent(value: unknown): RangeEvent[] {
  if (!isObject(value)) throw new SyntaxError('its "events" hold something other than objects')
  return KINDS.filter((kind) => value[kind] !== undefined && value[kind] !== null).map((kind) => ({
    kind,
    version: text(value[kind], kind),
  }))
}

function list(value: unknown, key: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new SyntaxError(`its "${key}" is no list`)
}

function text(value: unknown, key: string): string {
  if (typeof value === 'string') return value
  throw new SyntaxError(`its "${key}" holds something other than text`)
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && value.length < 64 && !Number.isNaN(Date.parse(value))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
