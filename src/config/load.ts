/** Flags ▸ environment ▸ `airlock.toml` ▸ defaults → one frozen `Config`. The only reader of such values. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'smol-toml'
import { Problem } from '../model/errors.ts'
import { LIMITS, type Limits, withLimits } from '../model/limits.ts'
import { flagOf, SETTINGS, type Setting, type SettingKey, variablesOf } from './settings.ts'

export interface Config {
  readonly serverDir: string
  readonly listen: readonly { readonly host: string; readonly port: number }[]
  readonly outsideUrl?: URL
  readonly offline: boolean
  readonly absoluteUrls: boolean
  readonly mirrorExpirySeconds: number
  readonly secretFile?: string
  readonly upstream: string
  readonly hasRootPypi: boolean
  readonly rootPassword: string
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug'
  readonly limits: Limits
}

export interface ConfigSources {
  /** By setting key, as the command line gave them. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Paths are relative to it. */
  readonly cwd: string
  /** An `airlock.toml`; one that is named must exist. */
  readonly file?: string
  /** For commands with other defaults (devpi-server's folder). */
  readonly defaults?: Readonly<Partial<Record<SettingKey, string>>>
}

/** Throws `setting-invalid` with a sentence that names the setting, where it was set, and what it may be. */
export function loadConfig(sources: ConfigSources): Config {
  const raw = readSettings(sources)
  const path = (key: SettingKey) => {
    const value = raw.get(key)?.value
    return value === undefined || value === '' ? undefined : resolve(sources.cwd, String(value))
  }
  const integer = (key: SettingKey, least: number, most: number) => wholeNumber(key, raw.get(key)!, least, most)
  const flag = (key: SettingKey) => boolean(key, raw.get(key)!)
  const listen = listenOn(raw.get('listen'), String(raw.get('host')!.value), integer('port', 0, 65_535))
  const outside = raw.get('outside_url')
  const secretFile = path('secretfile')
  return Object.freeze({
    serverDir: path('serverdir')!,
    listen,
    offline: flag('offline_mode'),
    absoluteUrls: flag('absolute_urls'),
    mirrorExpirySeconds: integer('mirror_cache_expiry', 0, 365 * 86_400),
    upstream: url('upstream', raw.get('upstream')!).href,
    hasRootPypi: !flag('no_root_pypi'),
    rootPassword: String(raw.get('root_passwd')!.value),
    logLevel: oneOf('log_level', raw.get('log_level')!, ['error', 'warn', 'info', 'debug'] as const),
    limits: withLimits({
      upstreamAnswerMs: integer('request_timeout', 1, 3600) * 1000,
      uploadBytes: integer('max_request_body_size', 1, Number.MAX_SAFE_INTEGER),
      connectMs: Math.min(LIMITS.connectMs, integer('request_timeout', 1, 3600) * 1000),
    }),
    ...(outside !== undefined && outside.value !== '' && { outsideUrl: url('outside_url', outside) }),
    ...(secretFile !== undefined && { secretFile }),
  })
}

/** A value and the place that gave it, for messages and `config show`. */
export interface Given {
  readonly value: unknown
  readonly from: string
}

/** Every setting that has a value. Unknown keys in the file are refused with the nearest known one as a hint. */
export function readSettings(sources: ConfigSources): Map<SettingKey, Given> {
  const inFile = sources.file === undefined ? {} : readFile(resolve(sources.cwd, sources.file))
  const given = new Map<SettingKey, Given>()
  for (const setting of SETTINGS as readonly Setting[]) {
    const key = setting.key as SettingKey
    const variable = variablesOf(setting).find((name) => sources.env[name] !== undefined)
    if (sources.flags[key] !== undefined) given.set(key, { value: sources.flags[key], from: flagOf(setting) })
    else if (variable !== undefined) given.set(key, { value: sources.env[variable], from: variable })
    else if (inFile[key] !== undefined) given.set(key, { value: inFile[key], from: `${sources.file}: ${key}` })
    else {
      const value = sources.defaults?.[key] ?? setting.default
      if (value !== undefined) given.set(key, { value, from: 'default' })
    }
  }
  return given
}

function readFile(path: string): Record<string, unknown> {
  let parsed: Record<string, unknown>
  try {
    parsed = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Problem('setting-invalid', `Cannot read settings from "${path}": ${(error as Error).message}`, {
      cause: error,
    })
  }
  const known = SETTINGS.map((setting) => setting.key as string)
  for (const key of Object.keys(parsed)) {
    if (known.includes(key)) continue
    const nearest = known.reduce((best, each) => (distance(key, each) < distance(key, best) ? each : best))
    throw new Problem('setting-invalid', `Unknown setting "${key}" in "${path}"`, {
      hint: `did you mean "${nearest}"?`,
    })
  }
  return parsed
}

function listenOn(listen: Given | undefined, host: string, port: number): Config['listen'] {
  if (listen === undefined) return [{ host, port }]
  const values = Array.isArray(listen.value) ? (listen.value as unknown[]) : String(listen.value).split(',')
  return values.map((each) => {
    const found = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(String(each).trim())
    if (found === null || Number(found[3]) > 65_535)
      throw wrong('listen', listen, 'HOST:PORT, or [ADDRESS]:PORT for IPv6')
    return { host: found[1] ?? found[2]!, port: Number(found[3]) }
  })
}

function wholeNumber(key: SettingKey, given: Given, least: number, most: number): number {
  const number =
    typeof given.value === 'number' ? given.value : /^\d+$/.test(String(given.value)) ? Number(given.value) : Number.NaN
  if (!Number.isSafeInteger(number) || number < least || number > most) {
    throw wrong(key, given, `a whole number from ${least} to ${most}`)
  }
  return number
}

function boolean(key: SettingKey, given: Given): boolean {
  const said = String(given.value).toLowerCase()
  if (['true', 'yes', '1', 'on'].includes(said)) return true
  if (['false', 'no', '0', 'off', ''].includes(said)) return false
  throw wrong(key, given, 'true or false')
}

function url(key: SettingKey, given: Given): URL {
  const written = String(given.value)
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written))
    throw wrong(key, given, 'an address with http:// or https://')
  return new URL(written)
}

function oneOf<const Choice extends string>(key: SettingKey, given: Given, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === given.value)
  if (found === undefined) throw wrong(key, given, `one of ${choices.join(', ')}`)
  return found
}

function wrong(key: SettingKey, given: Given, expected: string): Problem {
  const isSecret = (SETTINGS as readonly Setting[]).find((setting) => setting.key === key)?.secret === true
  const shown = isSecret ? 'its value' : JSON.stringify(given.value)
  return new Problem('setting-invalid', `Cannot use ${shown} for ${key} (set by ${given.from}): expected ${expected}`)
}

/** Levenshtein's distance: how many characters have to be changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, place) => place)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (char === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1)!
}
