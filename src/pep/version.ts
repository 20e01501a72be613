/** Versions and version specifiers, as PEP 440 defines them (now "Version specifiers" of the packaging specifications). */
import type { Brand } from '../lib/brand.ts'
import {
  canonical,
  compareLocal,
  compareParsed,
  comparePublic,
  compareReleases,
  type Parsed,
  parse,
} from './version-parts.ts'

/** A version in PEP 440's canonical text: `1.0-alpha1` is `1.0a1`. `1.0` and `1.0.0` stay apart, yet compare equal. */
export type Version = Brand<string, 'Version'>

/** The canonical form of `text` (PEP 440, "Normalization"). Throws `SyntaxError` for what is no PEP 440 version. */
export function version(text: string): Version {
  const known = asVersion(text)
  if (known === undefined) {
    throw new SyntaxError(
      `Cannot read version ${quoted(text)}: write a PEP 440 version such as "1.0", "1.0rc1" or "1!2.0.post1"`,
    )
  }
  return known
}

/** `version` for text that may be anything: `undefined` where it is no PEP 440 version. */
export function asVersion(text: string): Version | undefined {
  const parsed = parse(text)
  return parsed && (canonical(parsed) as Version)
}

/**
 * A total order over any texts, oldest first: negative, 0 or positive as for `Array.sort`.
 *
 * PEP 440's order for its versions; all others (they still exist on the public index) come before, by code points.
 */
export function compareVersions(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  if (left && right) return compareParsed(left, right)
  if (left) return 1
  if (right) return -1
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Whether `text` is a pre-release or development release (PEP 440, "Handling of pre-releases"); false for other text. */
export function isPrerelease(text: string): boolean {
  const parsed = parse(text)
  return parsed !== undefined && (parsed.pre !== undefined || parsed.dev !== undefined)
}

/** Whether `text` is a specifier set: comma-separated clauses, perhaps none (PEP 440, "Version specifiers"). */
export function isSpecifier(text: string): boolean {
  return parseSpecifier(text) !== undefined
}

/**
 * Whether `version` matches every clause of `specifier`. Pre-releases match like any other version: callers that want
 * them left out ask `isPrerelease`. Text that is no PEP 440 version matches only `===` and the empty specifier.
 * Throws `SyntaxError` for a specifier that cannot be read.
 */
export function satisfies(version: string, specifier: string): boolean {
  const clauses = parseSpecifier(specifier)
  if (clauses === undefined) {
    throw new SyntaxError(`Cannot read version specifier ${quoted(specifier)}: write clauses such as ">=3.9,!=3.9.1"`)
  }
  const candidate = parse(version)
  return clauses.every((clause) => matches(version, candidate, clause))
}

interface Clause {
  readonly operator: string
  readonly text: string
  /** Absent only for `===`. */
  readonly version?: Parsed
  readonly prefix: boolean
}

function parseSpecifier(text: string): readonly Clause[] | undefined {
  const clauses: Clause[] = []
  for (const part of text.split(',')) {
    if (part.trim() === '') continue
    const clause = parseClause(part.trim())
    if (clause === undefined) return undefined
    clauses.push(clause)
  }
  return clauses
}

function parseClause(text: string): Clause | undefined {
  const [, operator, operand] = /^(===|~=|==|!=|<=|>=|<|>)\s*([^\s;)]+)$/.exec(text) ?? []
  if (operator === undefined || operand === undefined) return undefined
  if (operator === '===') return { operator, text: operand, prefix: false }
  const equality = operator === '==' || operator === '!='
  const prefix = equality && operand.endsWith('.*')
  const version = parse(prefix ? operand.slice(0, -2) : operand)
  if (version === undefined) return undefined
  if (prefix && canonical({ epoch: '0', release: version.release }) !== canonical({ ...version, epoch: '0' }))
    return undefined
  if (!equality && version.local !== undefined) return undefined
  if (operator === '~=' && version.release.length < 2) return undefined
  return { operator, text: operand, version, prefix }
}

function matches(
  text: string,
  candidate: Parsed | undefined,
  { operator, text: operand, version, prefix }: Clause,
): boolean {
  if (version === undefined) return text.trim().toLowerCase() === operand.toLowerCase()
  if (candidate === undefined) return false
  const order = comparePublic(candidate, version)
  const sameRelease = candidate.epoch === version.epoch && compareReleases(candidate.release, version.release) === 0
  const equal = () => {
    if (prefix) return startsWith(candidate, version.epoch, version.release)
    return order === 0 && (version.local === undefined || compareLocal(candidate.local, version.local) === 0)
  }
  switch (operator) {
    case '==':
      return equal()
    case '!=':
      return !equal()
    case '<=':
      return order <= 0
    case '>=':
      return order >= 0
    case '~=':
      return order >= 0 && startsWith(candidate, version.epoch, version.release.slice(0, -1))
    // "Exclusive ordered comparison": `<1.0` leaves out 1.0's own pre-releases, `>1.0` its post-releases.
    case '<':
      return order < 0 && !(sameRelease && isEarly(candidate) && !isEarly(version))
    default:
      return order > 0 && !(sameRelease && candidate.post !== undefined && version.post === undefined)
  }
}

function startsWith(candidate: Parsed, epoch: string, release: readonly string[]): boolean {
  return candidate.epoch === epoch && release.every((part, i) => (candidate.release[i] ?? '0') === part)
}

function isEarly({ pre, dev }: Parsed): boolean {
  return pre !== undefined || dev !== undefined
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
