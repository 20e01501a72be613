/** The types of the values that an option of an index can have: how each is read, and how a person writes it. */
import { parseByteSize } from '../lib/byte-size.ts'
import { type ProjectName, projectName } from '../pep/name.ts'
import { Problem } from './errors.ts'
import { type IndexName, parseIndexName } from './names.ts'

export interface OptionValue<T> {
  /** What a person writes, in words. */
  readonly form: string
  /** An example, as it is written behind `key=`. */
  readonly example: string
  /** The value as it is kept. Throws `option-invalid`. */
  readonly read: (key: string, value: unknown) => T
  /** An empty text takes the option away. */
  readonly isNoneWhenEmpty?: true
}

/** Throws `option-invalid` for what is no text. */
export function readText(key: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidOption(`The '${key}' setting must be text, not ${JSON.stringify(value)}`)
  return value
}

/** The problem of options that cannot be taken, in devpi's words where it has some. */
export function invalidOption(message: string, hint?: string): Problem {
  return new Problem('option-invalid', message, hint === undefined ? {} : { hint })
}

export const TEXT: OptionValue<string> = { form: 'text', example: 'Team', read: readText, isNoneWhenEmpty: true }

export const ANYTHING: OptionValue<unknown> = {
  form: 'text, or with `PUT` and `PATCH` any JSON value',
  example: 'alpha',
  read: (_key, value) => value,
  isNoneWhenEmpty: true,
}

/** As devpi reads it: without regard to case, and `true` and `false` of JSON. */
export const FLAG: OptionValue<boolean> = {
  form: '`True` or `False`; `yes` and `no` are read as well',
  example: 'True',
  read: (_key, value) => {
    if (typeof value === 'boolean') return value
    const said = String(value).toLowerCase()
    if (said === 'true' || said === 'yes') return true
    if (said === 'false' || said === 'no') return false
    throw invalidOption(`Unknown boolean value '${String(value)}'.`)
  },
}

export const SECONDS: OptionValue<number> = {
  form: 'a whole number of seconds',
  example: '600',
  read: (key, value) => {
    const number = wholeNumber(value)
    if (Number.isSafeInteger(number) && number >= 0) return number
    throw invalidOption(`The '${key}' setting must be a whole number of seconds, not '${String(value)}'`)
  },
}

/** Kept as bytes. */
export const BYTE_COUNT: OptionValue<number | 'unlimited'> = {
  form: 'a size (`500MB`, `20GiB`, or a number of bytes), or `unlimited`',
  example: '20GiB',
  read: (key, value) => {
    if (value === 'unlimited') return value
    const bytes = typeof value === 'number' || typeof value === 'string' ? parseByteSize(String(value)) : undefined
    if (bytes !== undefined) return bytes
    throw invalidOption(
      `The '${key}' setting must be a size such as 500MB or 20GiB, or unlimited, not '${String(value)}'`,
    )
  },
}

export const DAYS: OptionValue<number | 'unlimited'> = {
  form: 'a whole number of days, or `unlimited`',
  example: '30',
  read: (key, value) => {
    if (value === 'unlimited') return value
    const number = wholeNumber(value)
    if (Number.isSafeInteger(number) && number > 0) return number
    throw invalidOption(`The '${key}' setting must be a whole number of days, or unlimited, not '${String(value)}'`)
  },
}

/** In the order in which they are asked. A leading or final slash is taken away, as devpi does. */
export const INDEX_LIST: OptionValue<readonly IndexName[]> = {
  form: 'a list of indexes',
  example: 'alice/dev,root/pypi',
  read: (key, value) => {
    const wrong: string[] = []
    const names = list(key, value).map((spec) => {
      const name = parseIndexName(spec)
      if (name === undefined) wrong.push(`invalid base index spec: '${spec}'`)
      return name as IndexName
    })
    if (wrong.length > 0) throw invalidOption(wrong.join(', '))
    return [...new Set(names)]
  },
}

/** Special groups are written in capitals whatever was sent, as devpi does. */
export const PRINCIPAL_LIST: OptionValue<readonly string[]> = {
  form: 'a list of users, `:groups`, `:ANONYMOUS:` (everybody) or `:AUTHENTICATED:` (everybody who has logged in)',
  example: 'alice,:developers',
  read: (key, value) =>
    list(key, value).map((each) => (/^:(anonymous|authenticated):$/i.test(each) ? each.toUpperCase() : each)),
}

export const PROJECT_LIST: OptionValue<readonly (ProjectName | '*')[]> = {
  form: 'a list of projects, or `*` for all',
  example: 'numpy,torch',
  read: (key, value) =>
    list(key, value).map((each) => {
      if (each === '*') return each
      try {
        return projectName(each)
      } catch (error) {
        throw invalidOption((error as Error).message)
      }
    }),
}

/** Its user and password are shown to nobody: `shownOptions`. */
export const UPSTREAM_URL: OptionValue<string> = {
  form: 'a URL with http or https, without the name of a project',
  example: 'https://packages.example.com/simple/',
  isNoneWhenEmpty: true,
  read: (key, value) => {
    const written = readText(key, value).trim()
    if (/^https?:\/\//i.test(written) && URL.canParse(written)) return written
    throw invalidOption(`'${key}' option must be a URL with http(s) scheme, not '${written}'.`)
  },
}

/** One of two rules by which whitelists are joined; refused in devpi's own words. */
export const INHERITANCE: OptionValue<'intersection' | 'union'> = {
  form: '`intersection` or `union`',
  example: 'union',
  read: (_key, value) => {
    if (value === 'intersection' || value === 'union') return value
    throw invalidOption(
      `Unknown value '${String(value)}' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.`,
    )
  },
}

export function choiceOf<const Choice extends string>(...choices: readonly Choice[]): OptionValue<Choice> {
  return {
    form: choices.map((choice) => `\`${choice}\``).join(', '),
    example: choices.at(-1)!,
    read: (key, value) => {
      const found = choices.find((choice) => choice === value)
      if (found !== undefined) return found
      throw invalidOption(`Unknown value '${String(value)}' for ${key}, must be one of ${choices.join(', ')}.`)
    },
  }
}

/** `NaN` for what is none. */
function wholeNumber(value: unknown): number {
  return typeof value === 'number' ? value : /^\s*\d+\s*$/.test(String(value)) ? Number(value) : Number.NaN
}

/** A JSON list, or text with commas; each once, in order. */
function list(key: string, value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [value]
  const texts = values.map((each) => readText(key, each).trim()).filter((each) => each !== '')
  return [...new Set(texts)]
}
