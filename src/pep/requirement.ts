/** Whether text is a requirement as `Requires-Dist` holds it (PEP 508, now "Dependency specifiers"). */
import { isSpecifier } from './version.ts'

/** Longer ones are no requirements of people; keeps the cost of hostile text small. */
const REQUIREMENT_MOST = 10_000
const NESTING_MOST = 50
const NAME = /^[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?/i
const MARKER_VARIABLES = new Set([
  ...['python_version', 'python_full_version', 'os_name', 'sys_platform', 'platform_release', 'platform_system'],
  ...['platform_version', 'platform_machine', 'platform_python_implementation', 'implementation_name'],
  ...['implementation_version', 'extra', 'extras', 'dependency_groups'],
  // What setuptools and distribute wrote before PEP 508.
  ...['os.name', 'sys.platform', 'platform.version', 'platform.machine', 'platform.python_implementation'],
  'python_implementation',
])
/** A quoted text, a bracket, an operator or a variable, with the white space before it. */
const TOKEN = /\s*(?:("[^"]*"|'[^']*')|([()])|(===|[<>=!~]=|[<>])|([a-z][\w.]*))/iy

/** `foo[extra]>=1,<2; marker`, `foo (>=1)` as older tools wrote, or `foo @ address ; marker`. */
export function isRequirement(text: string): boolean {
  const trimmed = text.trim()
  const name = NAME.exec(trimmed)
  if (name === null || trimmed.length > REQUIREMENT_MOST) return false
  const rest = trimmed.slice(name[0].length).trimStart()
  const extras = /^\[([^\]]*)\]\s*/.exec(rest)
  if (extras !== null && !areExtras(extras[1]!)) return false
  const wanted = rest.slice(extras?.[0].length ?? 0)
  if (wanted.startsWith('@')) {
    // An address may hold semicolons; the marker stands behind white space.
    const [, address, marker] = /^@\s*(\S+)(?:\s+;(.*))?$/s.exec(wanted) ?? []
    return address !== undefined && (marker === undefined || isMarker(marker))
  }
  const semicolon = wanted.indexOf(';')
  const versions = (semicolon < 0 ? wanted : wanted.slice(0, semicolon)).trim()
  const bare = /^\((.*)\)$/s.exec(versions)?.[1] ?? versions
  return isSpecifier(bare.trim().replace(/,$/, '')) && (semicolon < 0 || isMarker(wanted.slice(semicolon + 1)))
}

/** Whether text is an environment marker: comparisons of variables and quoted texts, joined by `and` and `or`. */
export function isMarker(text: string): boolean {
  const tokens = tokensOf(text)
  if (tokens === undefined) return false
  const at = readOr(tokens, 0, 0)
  return at !== undefined && at === tokens.length
}

function areExtras(text: string): boolean {
  return text.trim() === '' || text.split(',').every((extra) => NAME.exec(extra.trim())?.[0] === extra.trim())
}

function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text)
    if (found === null) return undefined
    tokens.push(found[1] ?? found[2] ?? found[3] ?? found[4]!)
  }
  return tokens
}

/** Each of these gives where its part ends, or `undefined` where there is none. */
function readOr(tokens: readonly string[], start: number, depth: number): number | undefined {
  let at = readComparison(tokens, start, depth)
  while (at !== undefined && ['and', 'or'].includes(tokens[at] ?? '')) at = readComparison(tokens, at + 1, depth)
  return at
}

function readComparison(tokens: readonly string[], start: number, depth: number): number | undefined {
  if (tokens[start] === '(') {
    const end = depth < NESTING_MOST ? readOr(tokens, start + 1, depth + 1) : undefined
    return end !== undefined && tokens[end] === ')' ? end + 1 : undefined
  }
  const isNot = tokens[start + 1] === 'not' && tokens[start + 2] === 'in'
  const operator = tokens[start + 1] ?? ''
  if (!isNot && operator !== 'in' && !/^[<>=!~]/.test(operator)) return undefined
  const second = start + (isNot ? 3 : 2)
  return isValue(tokens[start]) && isValue(tokens[second]) ? second + 1 : undefined
}

function isValue(token: string | undefined): boolean {
  return token !== undefined && (/^["']/.test(token) || MARKER_VARIABLES.has(token))
}
