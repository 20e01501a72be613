/** Validates untrusted values of a dump. */
import { devpiTime, type LogEntry, type Release } from '../../model/records.ts'
import { asProjectName, projectName } from '../../pep/name.ts'
import type { ImportReport } from './import-report.ts'

/** Far above any version in use, far below what would hurt a path. */
const VERSION_LENGTH_MAX = 200

/** An object, as a dump writes every record; `undefined` for anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

/** HTTP's date (devpi's `last_modified`) or any other that can be read, as RFC 3339; `undefined` for none. */
export function timeOf(value: unknown): string | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** PEP 592 as devpi writes it for a mirror's release: true or '' for yanked, or the reason. */
export function yankedOf(value: unknown): true | string | undefined {
  if (value === true || value === '') return true
  return typeof value === 'string' ? value : undefined
}

/** A version as text that can stand in a path. Throws `SyntaxError`. */
export function dumpVersion(text: string): string {
  const isPath = /[/\\\p{Cc}]/u.test(text) || text === '.' || text === '..'
  if (text === '' || text.length > VERSION_LENGTH_MAX || isPath) {
    throw new SyntaxError(`Cannot use version ${JSON.stringify(text.slice(0, VERSION_LENGTH_MAX))}: it is no version`)
  }
  return text
}

/**
 * The release that `metadata` registers under the project and version of its place in the dump; keys of devpi's own
 * (`+…`, `:action`) are no metadata. Throws `SyntaxError` for a bad name or version.
 */
export function dumpRelease(
  place: { readonly index: string; readonly project: string; readonly version: string },
  value: unknown,
  report: ImportReport,
): Release {
  const project = projectName(place.project)
  const given = asRecord(value) ?? {}
  const version = dumpVersion(typeof given.version === 'string' && given.version !== '' ? given.version : place.version)
  const entry = `${place.index} ${project} ${version}`
  const metadata: Record<string, string | readonly string[]> = {}
  for (const [key, field] of Object.entries(given)) {
    if (/^[+:]/.test(key) || field === null) continue
    if (typeof field === 'string') metadata[key] = field
    else if (Array.isArray(field) && field.every((each) => typeof each === 'string')) metadata[key] = field
    else report.leftOut(entry, `its metadata "${key}" is neither text nor a list of texts`)
  }
  if (given.version !== version) report.changed(entry, 'its metadata gave no version; it is the one it was listed by')
  const name = typeof given.name === 'string' ? given.name : ''
  const isOwnName = asProjectName(name) === project
  if (!isOwnName) report.changed(entry, `its metadata gave the name ${JSON.stringify(name)}; it is ${project} now`)
  return { project, version, metadata: { ...metadata, name: isOwnName ? name : project, version } }
}

/** devpi's history of the file at `relpath`; one that has none was uploaded by the import itself (devpi's rule). */
export function dumpLog(
  { log: value, relpath }: { readonly log: unknown; readonly relpath: string },
  now: Date,
  index: string,
  report: ImportReport,
): LogEntry[] {
  if (!Array.isArray(value)) return [{ what: 'upload', who: '<import>', when: devpiTime(now), dst: index }]
  return value.flatMap((each: unknown) => {
    const line = asRecord(each)
    const what = line?.what
    if (line === undefined || (what !== 'upload' && what !== 'push' && what !== 'overwrite')) {
      report.leftOut(relpath, `a line of its history, ${JSON.stringify(what)}, is of no kind that is known here`)
      return []
    }
    const when = Array.isArray(line.when) ? line.when.filter((part) => typeof part === 'number') : []
    return {
      what,
      when,
      ...(typeof line.who === 'string' && { who: line.who }),
      ...(typeof line.dst === 'string' && { dst: line.dst }),
      ...(typeof line.src === 'string' && { src: line.src }),
      ...(typeof line.count === 'number' && { count: line.count }),
    }
  })
}
