/** Parses one value of a setting. All functions throw `setting-invalid` with what was expected. */
import { parseByteSize } from '../lib/byte-size.ts'
import { withoutUrlSecrets } from '../lib/log.ts'
import { Problem } from '../model/errors.ts'
import { SETTINGS, type Setting, type SettingKey } from './settings.ts'

/** A value and the place that gave it, for messages and `config show`. */
export interface Given {
  readonly value: unknown
  readonly from: string
}

export function wholeNumber(key: SettingKey, given: Given, least: number, most: number): number {
  const number =
    typeof given.value === 'number' ? given.value : /^\d+$/.test(String(given.value)) ? Number(given.value) : Number.NaN
  if (!Number.isSafeInteger(number) || number < least || number > most) {
    throw wrong(key, given, `a whole number from ${least} to ${most}`)
  }
  return number
}

/** A size with or without unit. `undefined`: `unlimited`. */
export function byteLimit(key: SettingKey, given: Given): number | undefined {
  const written = String(given.value).trim()
  if (written === 'unlimited') return undefined
  const bytes = parseByteSize(written)
  if (bytes === undefined) throw wrong(key, given, 'a size such as 500MB or 20GiB, or unlimited')
  return bytes
}

/** `undefined`: `unlimited`. */
export function dayLimit(key: SettingKey, given: Given): number | undefined {
  if (String(given.value).trim() === 'unlimited') return undefined
  if (!/^\s*[1-9]\d{0,5}\s*$/.test(String(given.value))) throw wrong(key, given, 'a whole number of days, or unlimited')
  return Number(given.value)
}

export function boolean(key: SettingKey, given: Given): boolean {
  const said = String(given.value).toLowerCase()
  if (['true', 't', 'yes', 'y', '1', 'on'].includes(said)) return true
  if (['false', 'f', 'no', 'n', '0', 'off', ''].includes(said)) return false
  throw wrong(key, given, 'true or false')
}

/** A list as a list, or as one text with commas. */
export function words(given: Given): string[] {
  const values = Array.isArray(given.value) ? (given.value as unknown[]) : [given.value]
  return values
    .flatMap((each) => String(each).split(','))
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

export function octal(key: SettingKey, given: Given): number {
  const written = String(given.value)
  if (!/^0?[0-7]{3}$/.test(written)) throw wrong(key, given, 'three octal digits, such as 600 or 660')
  return Number.parseInt(written, 8)
}

export function url(key: SettingKey, given: Given): URL {
  const written = String(given.value)
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written))
    throw wrong(key, given, 'an address with http:// or https://')
  return new URL(written)
}

export function oneOf<const Choice extends string>(key: SettingKey, given: Given, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === given.value)
  if (found === undefined) throw wrong(key, given, `one of ${choices.join(', ')}`)
  return found
}

export function wrong(key: SettingKey, given: Given, expected: string): Problem {
  const isSecret = (SETTINGS as readonly Setting[]).find((setting) => setting.key === key)?.secret === true
  const shown = isSecret ? 'its value' : withoutUrlSecrets(JSON.stringify(given.value))
  return new Problem('setting-invalid', `Cannot use ${shown} for ${key} (set by ${given.from}): expected ${expected}`)
}
