/** Whether a version is affected by an advisory: the evaluation of OSV's schema ("Evaluation"), with PEP 440's order. */
import type { Affected, RangeEvent } from './osv-record.ts'
import { canonical, compareParsed, comparePublic, type Parsed, parse } from './version-parts.ts'

/**
 * Prepares the question, so that many versions can be asked about. A version is affected where it is listed, by its text
 * or as equal by PEP 440, or where a range holds it. What is no PEP 440 version has no place in a range: only a range
 * that holds everything holds it. As with specifiers (PEP 440, "Version matching"), a local label counts only where the
 * advisory itself has one: `2.0+cu118` is affected as `2.0` is. What cannot be read as a bound bounds nothing.
 */
export function matcherOf(affected: readonly Affected[]): (version: string) => boolean {
  const texts = new Set(affected.flatMap(({ versions }) => versions))
  const keys = new Set([...texts].flatMap((text) => keyOf(parse(text)) ?? []))
  const ranges = affected.flatMap((each) => each.ranges.map(prepared))
  return (text) => {
    if (texts.has(text)) return true
    const version = parse(text)
    if (version === undefined) return ranges.some(holdsEverything)
    return (
      keys.has(keyOf(version)!) ||
      keys.has(keyOf(publicPart(version))!) ||
      ranges.some((each) => contains(each, version))
    )
  }
}

/** In the order of versions; where two are equal, as the record has them. Without `at`: before every version. */
interface Range {
  readonly events: readonly { readonly kind: RangeEvent['kind']; readonly at?: Parsed }[]
  readonly limits: readonly Parsed[]
}

function prepared(events: readonly RangeEvent[]): Range {
  const readable = events.flatMap(({ kind, version }): Range['events'] => {
    // "0" stands before everything, also before pre-releases of 0.
    const at = version === '0' && kind === 'introduced' ? undefined : parse(version)
    if (at === undefined) return kind === 'introduced' ? [{ kind }] : []
    return [{ kind, at }]
  })
  return {
    events: readable.filter(({ kind }) => kind !== 'limit').sort((a, b) => order(a.at, b.at)),
    limits: readable.flatMap(({ kind, at }) => (kind === 'limit' && at !== undefined ? [at] : [])),
  }
}

function order(a: Parsed | undefined, b: Parsed | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareParsed(a, b)
}

function contains({ events, limits }: Range, version: Parsed): boolean {
  if (limits.length > 0 && !limits.some((limit) => against(version, limit) < 0)) return false
  let isAffected = false
  for (const { kind, at } of events) {
    const place = at === undefined ? 1 : against(version, at)
    if (kind === 'introduced' && place >= 0) isAffected = true
    else if (kind === 'fixed' && place >= 0) isAffected = false
    else if (kind === 'last_affected' && place > 0) isAffected = false
  }
  return isAffected
}

function holdsEverything({ events, limits }: Range): boolean {
  return limits.length === 0 && events.length > 0 && events.every(({ at }) => at === undefined)
}

function against(version: Parsed, bound: Parsed): number {
  return bound.local === undefined ? comparePublic(version, bound) : compareParsed(version, bound)
}

/** Equal for versions that PEP 440 takes for equal, and for no others. */
function keyOf(version: Parsed | undefined): string | undefined {
  if (version === undefined) return undefined
  const used = version.release.findLastIndex((part) => part !== '0') + 1
  return canonical({ ...version, release: version.release.slice(0, Math.max(1, used)) })
}

function publicPart({ local: _local, ...version }: Parsed): Parsed {
  return version
}
