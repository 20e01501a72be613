/**
 * A version's parts and their order (PEP 440). Numbers stay decimal text and never become floats: date-and-time versions
 * pass 2^53, and a local label such as `1e5` or `0x1f` (a commit's first digits) is text to the PEP while `Number()` would
 * read it as a number.
 */

/** A filename has at most 255 bytes, so no version that has a file is longer; keeps the cost of hostile text small. */
const VERSION_LENGTH_MAX = 255
/** Versions parsed and kept: sorting a project compares each of its versions a dozen times. */
const PARSED_KEPT_MAX = 4096

/** A PEP 440 version taken apart. Numbers are decimal digits without leading zeros. */
export interface Parsed {
  readonly epoch: string
  readonly release: readonly string[]
  readonly pre?: readonly [letter: 'a' | 'b' | 'rc', number: string]
  readonly post?: string
  readonly dev?: string
  readonly local?: readonly string[]
}

/** PEP 440, appendix B, with the parts that matter named. Letter case is folded before. */
const VERSION = new RegExp(
  [
    '^v?(?:(?<epoch>\\d+)!)?(?<release>\\d+(?:\\.\\d+)*)',
    '(?:[-_.]?(?<preLetter>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?<pre>\\d+)?)?',
    '(?<post>-(?<postImplicit>\\d+)|[-_.]?(?:post|rev|r)[-_.]?(?<postNumber>\\d+)?)?',
    '(?<dev>[-_.]?dev[-_.]?(?<devNumber>\\d+)?)?',
    '(?:\\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$',
  ].join(''),
)

const kept = new Map<string, Parsed | undefined>()

export function parse(text: string): Parsed | undefined {
  if (text.length > VERSION_LENGTH_MAX) return undefined
  if (kept.has(text)) return kept.get(text)
  if (kept.size >= PARSED_KEPT_MAX) kept.clear()
  const parsed = parseUnkept(text)
  kept.set(text, parsed)
  return parsed
}

function parseUnkept(text: string): Parsed | undefined {
  const found = VERSION.exec(text.trim().toLowerCase())?.groups
  if (found?.release === undefined) return undefined
  const { preLetter } = found
  return {
    epoch: decimal(found.epoch),
    release: found.release.split('.').map(decimal),
    ...(preLetter && { pre: [preLetter[0] === 'a' ? 'a' : preLetter[0] === 'b' ? 'b' : 'rc', decimal(found.pre)] }),
    ...(found.post && { post: decimal(found.postImplicit ?? found.postNumber) }),
    ...(found.dev && { dev: decimal(found.devNumber) }),
    ...(found.local && {
      local: found.local.split(/[-_.]/).map((part) => (/^\d+$/.test(part) ? decimal(part) : part)),
    }),
  }
}

export function canonical(parsed: Parsed): string {
  return [
    parsed.epoch === '0' ? '' : `${parsed.epoch}!`,
    parsed.release.join('.'),
    parsed.pre?.join('') ?? '',
    parsed.post === undefined ? '' : `.post${parsed.post}`,
    parsed.dev === undefined ? '' : `.dev${parsed.dev}`,
    parsed.local === undefined ? '' : `+${parsed.local.join('.')}`,
  ].join('')
}

export function compareParsed(a: Parsed, b: Parsed): number {
  return comparePublic(a, b) || compareLocal(a.local, b.local)
}

export function comparePublic(a: Parsed, b: Parsed): number {
  return (
    compareDecimals(a.epoch, b.epoch) ||
    compareReleases(a.release, b.release) ||
    preRank(a) - preRank(b) ||
    compareDecimals(a.pre?.[1] ?? '0', b.pre?.[1] ?? '0') ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1)
  )
}

/** `1.0.dev1` < `1.0a1` < `1.0b1` < `1.0rc1` < `1.0`, and `1.0.post1.dev1` counts as final here. */
function preRank({ pre, post, dev }: Parsed): number {
  if (pre) return { a: 1, b: 2, rc: 3 }[pre[0]]
  return post === undefined && dev !== undefined ? 0 : 4
}

export function compareReleases(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareDecimals(a[i] ?? '0', b[i] ?? '0')
    if (order !== 0) return order
  }
  return 0
}

/** `absent` tells where a missing part stands: -1 before every number, 1 after. */
function compareOptional(a: string | undefined, b: string | undefined, absent: -1 | 1): number {
  if (a !== undefined && b !== undefined) return compareDecimals(a, b)
  if (a === b) return 0
  return a === undefined ? absent : -absent
}

export function compareLocal(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i]!, b[i]!]
    const [leftNumeric, rightNumeric] = [/^\d+$/.test(left), /^\d+$/.test(right)]
    // Numbers come after letters (PEP 440, "Local version identifiers").
    const order =
      Number(leftNumeric) - Number(rightNumeric) ||
      (leftNumeric ? compareDecimals(left, right) : Number(left > right) - Number(left < right))
    if (order !== 0) return order
  }
  return a.length - b.length
}

function decimal(digits: string | undefined): string {
  return digits?.replace(/^0+(?=\d)/, '') ?? '0'
}

function compareDecimals(a: string, b: string): number {
  return a.length - b.length || Number(a > b) - Number(a < b)
}
