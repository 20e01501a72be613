/**
 * The options of an index, created and changed: devpi's names and values, checked once, kept as they go over the wire.
 * Rules and sentences are devpi-server 6's (its index configuration); each option stands in `index-option-table.ts`.
 */
import { nearest } from '../lib/nearest.ts'
import { withoutTrailing } from '../lib/trailing.ts'
import type { Problem } from './errors.ts'
import { type IndexKind, indexOption, type OptionsOf, optionsOfKind } from './index-option-table.ts'
import type { UserName } from './names.ts'
import { invalidOption as invalid, readText, UPSTREAM_URL } from './option-values.ts'
import { renamed } from './renamed-options.ts'
import { storedTextFault } from './stored-text.ts'

export interface StageOptions extends OptionsOf<'stage'> {
  readonly type: 'stage'
}

export interface MirrorOptions extends OptionsOf<'mirror'> {
  readonly type: 'mirror'
}

export type IndexOptions = StageOptions | MirrorOptions
type Values = Record<string, unknown>
/** What is shown to everybody as it was written. */
const TEXTS = new Set(['title', 'description', 'custom_data'])

/** The options of a new index from what its creator sent. Throws `option-invalid`. */
export function createdOptions(owner: UserName, given: Readonly<Values>): IndexOptions {
  const sent = inOurWords(given)
  const type = sent.type ?? 'stage'
  if (type !== 'stage' && type !== 'mirror') throw invalid(`unknown index type '${readText('type', type)}'`)
  return merged(defaultsOf(type, owner), sent) as unknown as IndexOptions
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
  return indexOption(renamed(key, undefined)[0]) !== undefined
}

function inOurWords(sent: Readonly<Values>): Values {
  return Object.fromEntries(Object.entries(sent).map(([key, value]) => renamed(key, value)))
}

/** What the server says of itself, and a client may send back with the whole record; and a name that devpi has given up. */
const IGNORED = new Set(['projects', 'pypi_whitelist'])

function defaultsOf(type: IndexKind, owner: UserName): Values {
  const always = optionsOfKind(type).flatMap(([key, option]) => {
    if (key === 'type') return [[key, type]]
    return option.default === undefined ? [] : [[key, option.default(owner)]]
  })
  return Object.fromEntries(always)
}

function merged(current: Readonly<Values>, sent: Readonly<Values>): Values {
  const unknown = Object.entries(sent).filter(([key]) => !isKnown(key, current.type) && !IGNORED.has(key))
  if (unknown.length > 0) {
    throw unexpected(unknown, current.type as IndexKind)
  }
  const result: Values = { ...current }
  for (const [key, value] of Object.entries(sent)) {
    const option = indexOption(key)
    if (option === undefined || (option.kind !== 'both' && option.kind !== current.type)) continue
    const isNone = value === null && !isAlwaysThere(key)
    if (isNone || (value === '' && option.value.isNoneWhenEmpty === true)) delete result[key]
    else result[key] = key === 'mirror_url' ? withKnownUserinfo(current[key], value) : option.value.read(key, value)
  }
  const texts = Object.entries(result).filter(([key]) => TEXTS.has(key))
  const fault = storedTextFault(Object.fromEntries(texts))
  if (fault !== undefined) throw invalid(`Cannot keep what is said of the index: ${fault}`)
  return result
}

/** Who sends back what `shownOptions` gave does not mean to take the password away. */
function withKnownUserinfo(current: unknown, value: unknown): string {
  const url = UPSTREAM_URL.read('mirror_url', value)
  if (typeof current !== 'string') return url
  const [shown, sent] = [withoutUserinfo(current), url].map((each) => withoutTrailing(each, '/'))
  return shown === sent ? current : url
}

/** All else stays as it was written. */
function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1')
}

/** An option of a stage is dropped by a mirror, as devpi does; a stage refuses one of a mirror. */
function isKnown(key: string, type: unknown): boolean {
  const option = indexOption(key)
  return option !== undefined && !(option.kind === 'mirror' && type === 'stage')
}

function isAlwaysThere(key: string): boolean {
  return key === 'type' || indexOption(key)?.default !== undefined
}

function dropped(owner: UserName, options: Values, key: string): Values {
  if (key === 'type') throw invalid("the 'type' of an index can't be changed")
  if (Object.hasOwn(defaultsOf(options.type as IndexKind, owner), key))
    throw invalid("Default values can't be removed.")
  const { [key]: _gone, ...rest } = options
  return rest
}

function amended(options: Values, key: string, operator: string, value: unknown): unknown {
  const option = indexOption(key)
  if (option === undefined) throw unexpected([[key, value]], options.type as IndexKind)
  const current = Object.hasOwn(options, key) ? options[key] : undefined
  if (current !== undefined && !Array.isArray(current)) throw invalid(`The '${key}' setting isn't a list`)
  const list: unknown[] = Array.isArray(current) ? current : []
  const read = option.value.read(key, value)
  const values: unknown[] = Array.isArray(read) ? read : [read]
  if (operator === '+=') return [...list, ...values.filter((each) => !list.includes(each))]
  for (const each of values) {
    if (!list.includes(each)) throw invalid(`The '${key}' setting doesn't have value '${String(each)}'`)
  }
  return list.filter((each) => !values.includes(each))
}

/** How many unknown options, and how many characters of each, are compared with the known ones: a body may hold many. */
const HINTED = 3
const HINTED_LENGTH = 40

/** devpi's sentence, and as a hint the nearest option that the index can have. */
function unexpected(unknown: readonly (readonly [string, unknown])[], type: IndexKind): Problem {
  const listed = unknown.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const known = optionsOfKind(type).map(([key]) => key)
  // A mirror's option is known by its name; it is the stage that has none.
  const foreign = unknown.filter(([key]) => indexOption(key) !== undefined).map(([key]) => key)
  const hint =
    foreign.length > 0
      ? `a ${type} has no ${foreign.join(', ')}`
      : `did you mean ${unknown
          .slice(0, HINTED)
          .map(([key]) => `"${nearest(key.slice(0, HINTED_LENGTH), known)}"`)
          .join(', ')}?`
  return invalid(`indexconfig got unexpected keyword arguments: ${listed.join(', ')}`, hint)
}
