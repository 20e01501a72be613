/** Parses the facts of a file on a project page: the parts that JSON and HTML pages share, as real indexes write them. */

/** hashlib's names in lower case (PEP 503, PEP 691), the ones to prefer first where a page carries only one. */
export const HASH_NAMES: readonly string[] = [
  'sha256',
  'sha512',
  'sha384',
  'sha3_256',
  'sha3_512',
  'sha3_384',
  'sha3_224',
  'blake2b',
  'blake2s',
  'sha224',
  'sm3',
  'ripemd160',
  'sha1',
  'md5',
]

/** A page with a URL longer than this is broken or hostile; browsers and servers give up sooner. */
export const URL_LENGTH_MAX = 8192
/** Of all files of a page together; the largest have some 3 MB. A long address of the page makes each of its short links long. */
const ADDRESS_CHARACTERS_MOST = 32 * 1024 * 1024

/** Counts the addresses of a page's files. */
export class AddressRoom {
  #left = ADDRESS_CHARACTERS_MOST

  /** Throws `SyntaxError` when there is no room left. */
  take({ url, provenance = '' }: { readonly url: string; readonly provenance?: string }): void {
    this.#left -= url.length + provenance.length
    if (this.#left < 0) {
      throw new SyntaxError(
        `Cannot read project page: its addresses have more than ${ADDRESS_CHARACTERS_MOST} characters`,
      )
    }
  }
}

/** A file's address and the hashes its fragment carried. */
export interface FileAddress {
  /** Absolute, without fragment. */
  readonly url: string
  readonly hashes: Readonly<Record<string, string>>
}

/**
 * `href` as an absolute address, its fragment read as hashes (`#sha256=…`, also among others as in `#md5=…&egg=…`).
 * `undefined` for what is no address of a file: unreadable, or with another scheme than http, https or the page's own.
 */
export function readAddress(href: string, base: URL): FileAddress | undefined {
  if (href.length > URL_LENGTH_MAX || !URL.canParse(href, base)) return undefined
  const url = new URL(href, base)
  if (url.href.length > URL_LENGTH_MAX) return undefined
  if (url.protocol !== 'http:' && url.protocol !== 'https:' && url.protocol !== base.protocol) return undefined
  const pairs = url.hash.slice(1).split('&')
  url.hash = ''
  const fragment = Object.fromEntries(
    pairs.map((pair) => pair.split('=', 2)).map(([name = '', hex = '']) => [name, hex]),
  )
  return { url: url.href, hashes: readHashes(fragment) }
}

/** The last component of an address, percent-decoded; empty for a folder, `undefined` when it cannot be decoded. */
export function lastComponent(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url).pathname.replace(/^.*\//, ''))
  } catch {
    return undefined
  }
}

/** The entries of `value` that are hashes: a hashlib-like name to hex digits, both folded to lower case. */
export function readHashes(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  const hashes: Record<string, string> = {}
  for (const [key, hex] of Object.entries(value)) {
    const name = key.toLowerCase()
    if (HASH_NAMES.includes(name) && typeof hex === 'string' && /^[0-9a-f]{1,128}$/i.test(hex))
      hashes[name] = hex.toLowerCase()
  }
  return hashes
}

/**
 * An upload time in PEP 700's form, `yyyy-mm-ddThh:mm:ss[.ffffff]Z`. Other offsets are brought to UTC, none is taken as
 * UTC, longer fractions are cut to six digits. `undefined` for anything else: installers refuse a page with a bad time.
 */
export function readUploadTime(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$/i.exec(value)
  if (parts === null) return undefined
  const [, date, time, fraction, offset = 'Z'] = parts
  const sign = offset.length > 1 ? `${offset.slice(0, 3)}:${offset.slice(-2)}` : 'Z'
  const instant = Date.parse(`${date}T${time}${sign}`)
  if (Number.isNaN(instant)) return undefined
  const utc = new Date(instant).toISOString().slice(0, 19)
  // A day that does not exist, such as 31 February, would otherwise roll over to another one.
  if (sign === 'Z' && utc !== `${date}T${time}`) return undefined
  return `${utc}${fraction === undefined ? '' : `.${fraction.slice(0, 6)}`}Z`
}

/** A size in bytes from a number or from digits; `undefined` for anything else. */
export function readSize(value: unknown): number | undefined {
  const size = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined
}

/** `value` as a project status (PEP 792); `undefined` for one that the standard does not know. */
export function readStatus(value: unknown): 'active' | 'archived' | 'quarantined' | 'deprecated' | undefined {
  return (['active', 'archived', 'quarantined', 'deprecated'] as const).find((status) => status === value)
}

/** An index's change number, written as a number or as digits. */
export function readStamp(value: unknown): number | undefined {
  return readSize(value)
}

/** Throws `SyntaxError` unless `version` is of major version 1 of the Simple API, or not told at all (PEP 629). */
export function checkApiVersion(version: unknown): void {
  if (version === undefined || version === null) return
  if ((typeof version === 'string' || typeof version === 'number') && /^1(?:\.|$)/.test(String(version))) return
  throw new SyntaxError(
    `Cannot read index page: it has API version ${toldVersion(version)}, and only 1.x is understood`,
  )
}

/** What it is made of may be nested without end. */
function toldVersion(version: unknown): string {
  return typeof version === 'object' ? 'that is no text' : JSON.stringify(version).slice(0, 100)
}
