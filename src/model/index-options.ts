/**
 * The options of an index: devpi's names and values, checked once, kept as they go over the wire.
 * Rules and sentences are devpi-server 6's (its index configuration), held to one table.
 */
import { parseByteSize } from '../lib/byte-size.ts'
import { type ProjectName, projectName } from '../pep/name.ts'
import { Problem } from './errors.ts'
import { type IndexName, parseIndexName, type UserName } from './names.ts'
import { renamed } from './renamed-options.ts'

interface CommonOptions {
  readonly volatile: boolean
  readonly title?: string
  readonly description?: string
  readonly custom_data?: unknown
  /** Who may read what is on the index; absent: everybody. Ours, known in devpi as a plugin. */
  readonly acl_pkg_read?: readonly string[]
}

export interface StageOptions extends CommonOptions {
  readonly type: 'stage'
  readonly bases: readonly IndexName[]
  readonly acl_upload: readonly string[]
  readonly acl_toxresult_upload: readonly string[]
  readonly mirror_whitelist: readonly (ProjectName | '*')[]
  readonly mirror_whitelist_inheritance: 'intersection' | 'union'
  /** Whether uploads are refused for what is wrong with them in form only; absent: strict. Ours. */
  readonly upload_checks?: 'strict' | 'lenient'
}

export interface MirrorOptions extends CommonOptions {
  readonly type: 'mirror'
  readonly mirror_url?: string
  /** Seconds. */
  readonly mirror_cache_expiry?: number
  readonly mirror_no_project_list?: boolean
  readonly mirror_use_external_urls?: boolean
  readonly mirror_web_url_fmt?: string
  readonly mirror_ignore_serial_header?: boolean
  /** What becomes of held files that upstream takes back; absent: keep. Ours. */
  readonly mirror_removals?: 'keep' | 'follow' | 'block'
  /** Bytes that its files may take up here; what was used longest ago goes first. Absent: the server's setting. Ours. */
  readonly mirror_cache_size?: number | 'unlimited'
  /** Days after its last use that a file is kept. Absent: the server's setting. Ours. */
  readonly mirror_cache_days?: number | 'unlimited'
  /** Projects whose files stay here. Ours. */
  readonly mirror_pinned?: readonly (ProjectName | '*')[]
  /** Upstream answers 403 for projects that it does not have, as storage services without a list do. Ours. */
  readonly mirror_forbidden_is_absent?: boolean
  /** Whether wheels' metadata that upstream does not have are read from the wheels there; absent: they are. Ours. */
  readonly mirror_make_metadata?: boolean
  /** Taken and kept: whether upstream has metadata files is seen in its pages. */
  readonly mirror_provides_core_metadata?: boolean
}

export type IndexOptions = StageOptions | MirrorOptions
type Values = Record<string, unknown>

/** The options of a new index from what its creator sent. Throws `option-invalid`. */
export function createdOptions(owner: UserName, given: Readonly<Values>): IndexOptions {
  const sent = inOurWords(given)
  const type = sent.type ?? 'stage'
  const defaults = type === 'stage' ? stageDefaults(owner) : type === 'mirror' ? { type, volatile: true } : undefined
  if (defaults === undefined) throw invalid(`unknown index type '${text('type', type)}'`)
  return merged(defaults, sent) as unknown as IndexOptions
}

/** The options after a partial update (devpi's dictionary form of PATCH). Throws `option-invalid`. */
export function updatedOptions(current: IndexOptions, given: Readonly<Values>): IndexOptions {
  const sent = inOurWords(given)
  if (sent.type !== undefined && sent.type !== current.type) {
    throw invalid("the 'type' of an index can't be changed")
  }
  return merged({ ...current }, sent) as unknown as IndexOptions
}

/**
 * The options after a list of operations (devpi's default form of PATCH): `key=value` sets, `key+=value` adds to a
 * list, `key-=value` takes from it, `key-=` drops the option. Throws `option-invalid`.
 */
export function operatedOptions(owner: UserName, current: IndexOptions, operations: readonly unknown[]): IndexOptions {
  let options: Values = { ...current }
  for (const operation of operations) {
    const found = typeof operation === 'string' ? /^([^=+-]+|[^=]*?[^=+-])(\+=|-=|=)(.*)$/s.exec(operation) : null
    if (found === null) throw invalid(`Invalid operation: ${JSON.stringify(operation)}`)
    const [written, operator] = [found[1]!.trim(), found[2]!]
    const [key, value] = renamed(written, found[3]!)
    if (operator === '=') options = merged(options, { [key]: value })
    else if (operator === '-=' && value === '') options = dropped(owner, options, key)
    else options = merged(options, { [key]: amended(options, key, operator, value) })
  }
  if (options.type !== current.type) throw invalid("the 'type' of an index can't be changed")
  return options as unknown as IndexOptions
}

/** The options as anybody may see them: without user and password in `mirror_url`. */
export function shownOptions(options: IndexOptions): IndexOptions {
  if (options.type !== 'mirror' || options.mirror_url === undefined) return options
  return { ...options, mirror_url: withoutUserinfo(options.mirror_url) }
}

/** Whether an index of either kind can have the option, in these words or in devpi-server 7's. */
export function isIndexOption(key: string): boolean {
  return optionOf(renamed(key, undefined)[0]) !== undefined
}

/** How each option is read, and where it applies. */
const OPTIONS: Readonly<
  Record<string, { kind: 'stage' | 'mirror' | 'both'; read: (key: string, value: unknown) => unknown }>
> = {
  type: { kind: 'both', read: text },
  volatile: { kind: 'both', read: flag },
  title: { kind: 'both', read: text },
  description: { kind: 'both', read: text },
  custom_data: { kind: 'both', read: (_key, value) => value },
  bases: { kind: 'stage', read: baseList },
  acl_upload: { kind: 'stage', read: principalList },
  acl_toxresult_upload: { kind: 'stage', read: principalList },
  acl_pkg_read: { kind: 'both', read: principalList },
  mirror_whitelist: { kind: 'stage', read: whitelist },
  mirror_whitelist_inheritance: { kind: 'stage', read: inheritance },
  upload_checks: { kind: 'stage', read: oneOf('strict', 'lenient') },
  mirror_url: { kind: 'mirror', read: upstreamUrl },
  mirror_cache_expiry: { kind: 'mirror', read: seconds },
  mirror_no_project_list: { kind: 'mirror', read: flag },
  mirror_use_external_urls: { kind: 'mirror', read: flag },
  mirror_web_url_fmt: { kind: 'mirror', read: text },
  mirror_ignore_serial_header: { kind: 'mirror', read: flag },
  mirror_provides_core_metadata: { kind: 'mirror', read: flag },
  mirror_cache_size: { kind: 'mirror', read: byteCount },
  mirror_cache_days: { kind: 'mirror', read: days },
  mirror_pinned: { kind: 'mirror', read: whitelist },
  mirror_forbidden_is_absent: { kind: 'mirror', read: flag },
  mirror_make_metadata: { kind: 'mirror', read: flag },
  mirror_removals: { kind: 'mirror', read: oneOf('keep', 'follow', 'block') },
}

function inOurWords(sent: Readonly<Values>): Values {
  return Object.fromEntries(Object.entries(sent).map(([key, value]) => renamed(key, value)))
}

/** What every object has (`constructor`, `toString`) is no option. */
function optionOf(key: string): (typeof OPTIONS)[string] | undefined {
  return Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined
}

/** What the server says of itself, and a client may send back with the whole record; and a name that devpi has given up. */
const IGNORED = new Set(['projects', 'pypi_whitelist'])

function stageDefaults(owner: UserName): Values {
  return {
    type: 'stage',
    bases: [],
    volatile: true,
    acl_upload: [owner],
    acl_toxresult_upload: [':ANONYMOUS:'],
    mirror_whitelist: [],
    mirror_whitelist_inheritance: 'intersection',
  }
}

function merged(current: Readonly<Values>, sent: Readonly<Values>): Values {
  const unknown = Object.entries(sent).filter(([key]) => !isKnown(key, current.type) && !IGNORED.has(key))
  if (unknown.length > 0) {
    const listed = unknown.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    throw invalid(`indexconfig got unexpected keyword arguments: ${listed.join(', ')}`)
  }
  const result: Values = { ...current }
  for (const [key, value] of Object.entries(sent)) {
    const option = optionOf(key)
    if (option === undefined || (option.kind !== 'both' && option.kind !== current.type)) continue
    const isNone = value === null && !ALWAYS_THERE.has(key)
    if (isNone || (value === '' && OPTIONAL_TEXTS.has(key))) delete result[key]
    else result[key] = key === 'mirror_url' ? withKnownUserinfo(current[key], value) : option.read(key, value)
  }
  return result
}

/** Who sends back what `shownOptions` gave does not mean to take the password away. */
function withKnownUserinfo(current: unknown, value: unknown): string {
  const url = upstreamUrl('mirror_url', value)
  if (typeof current !== 'string') return url
  const [shown, sent] = [withoutUserinfo(current), url].map((each) => each.replace(/\/+$/, ''))
  return shown === sent ? current : url
}

/** All else stays as it was written. */
function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1')
}

/** An option of a stage is dropped by a mirror, as devpi does; a stage refuses one of a mirror. */
function isKnown(key: string, type: unknown): boolean {
  const option = optionOf(key)
  return option !== undefined && !(option.kind === 'mirror' && type === 'stage')
}

const ALWAYS_THERE = new Set(['volatile', ...Object.keys(stageDefaults('root' as UserName))])
const OPTIONAL_TEXTS = new Set(['title', 'description', 'custom_data', 'mirror_url', 'mirror_web_url_fmt'])

function dropped(owner: UserName, options: Values, key: string): Values {
  if (key === 'type') throw invalid("the 'type' of an index can't be changed")
  const defaults = options.type === 'stage' ? stageDefaults(owner) : { type: 'mirror', volatile: true }
  if (Object.hasOwn(defaults, key)) throw invalid("Default values can't be removed.")
  const { [key]: _gone, ...rest } = options
  return rest
}

function amended(options: Values, key: string, operator: string, value: unknown): unknown {
  const option = optionOf(key)
  if (option === undefined) throw invalid(`indexconfig got unexpected keyword arguments: ${key}=${String(value)}`)
  const current = Object.hasOwn(options, key) ? options[key] : undefined
  if (current !== undefined && !Array.isArray(current)) throw invalid(`The '${key}' setting isn't a list`)
  const list: unknown[] = Array.isArray(current) ? current : []
  const read = option.read(key, value)
  const values: unknown[] = Array.isArray(read) ? read : [read]
  if (operator === '+=') return [...list, ...values.filter((each) => !list.includes(each))]
  for (const each of values) {
    if (!list.includes(each)) throw invalid(`The '${key}' setting doesn't have value '${String(each)}'`)
  }
  return list.filter((each) => !values.includes(each))
}

function invalid(message: string): Problem {
  return new Problem('option-invalid', message)
}

function text(key: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(`The '${key}' setting must be text, not ${JSON.stringify(value)}`)
  return value
}

function flag(_key: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const said = String(value).toLowerCase()
  if (said === 'true' || said === 'yes') return true
  if (said === 'false' || said === 'no') return false
  throw invalid(`Unknown boolean value '${String(value)}'.`)
}

function seconds(key: string, value: unknown): number {
  const number = typeof value === 'number' ? value : /^\s*\d+\s*$/.test(String(value)) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number) || number < 0) {
    throw invalid(`The '${key}' setting must be a whole number of seconds, not '${String(value)}'`)
  }
  return number
}

function byteCount(key: string, value: unknown): number | 'unlimited' {
  if (value === 'unlimited') return value
  const bytes = typeof value === 'number' || typeof value === 'string' ? parseByteSize(String(value)) : undefined
  if (bytes !== undefined) return bytes
  throw invalid(`The '${key}' setting must be a size such as 500MB or 20GiB, or unlimited, not '${String(value)}'`)
}

function days(key: string, value: unknown): number | 'unlimited' {
  if (value === 'unlimited') return value
  const number = typeof value === 'number' ? value : /^\s*\d+\s*$/.test(String(value)) ? Number(value) : Number.NaN
  if (Number.isSafeInteger(number) && number > 0) return number
  throw invalid(`The '${key}' setting must be a whole number of days, or unlimited, not '${String(value)}'`)
}

function list(key: string, value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [value]
  const texts = values.map((each) => text(key, each).trim()).filter((each) => each !== '')
  return [...new Set(texts)]
}

function baseList(key: string, value: unknown): IndexName[] {
  const wrong: string[] = []
  const names = list(key, value).map((spec) => {
    const name = parseIndexName(spec)
    if (name === undefined) wrong.push(`invalid base index spec: '${spec}'`)
    return name as IndexName
  })
  if (wrong.length > 0) throw invalid(wrong.join(', '))
  return [...new Set(names)]
}

/** Special groups are written in capitals whatever was sent, as devpi does. */
function principalList(key: string, value: unknown): string[] {
  return list(key, value).map((each) => (/^:(anonymous|authenticated):$/i.test(each) ? each.toUpperCase() : each))
}

function whitelist(key: string, value: unknown): (ProjectName | '*')[] {
  return list(key, value).map((each) => {
    if (each === '*') return each
    try {
      return projectName(each)
    } catch (error) {
      throw invalid((error as Error).message)
    }
  })
}

function inheritance(_key: string, value: unknown): 'intersection' | 'union' {
  if (value === 'intersection' || value === 'union') return value
  throw invalid(`Unknown value '${String(value)}' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.`)
}

function oneOf(...choices: readonly string[]): (key: string, value: unknown) => string {
  return (key, value) => {
    if (typeof value === 'string' && choices.includes(value)) return value
    throw invalid(`Unknown value '${String(value)}' for ${key}, must be one of ${choices.join(', ')}.`)
  }
}

function upstreamUrl(key: string, value: unknown): string {
  const written = text(key, value).trim()
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written)) {
    throw invalid(`'${key}' option must be a URL with http(s) scheme, not '${written}'.`)
  }
  return written
}
