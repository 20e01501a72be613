/**
 * The output of client commands. devpi prints everything on stdout and scripts read it there, so those lines stay on
 * stdout. With `--json`, stdout has only the data, and the lines move to stderr.
 */
import { styleText } from 'node:util'
import { type CliContext, CliExit } from './context.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly debug: boolean
  /** Lines are left out, data and failures are not. */
  readonly quiet: boolean
}

type Style = Parameters<typeof styleText>[0]

export class Output {
  readonly options: OutputOptions
  readonly #context: CliContext

  constructor(context: CliContext, options: OutputOptions) {
    this.#context = context
    this.options = options
  }

  line(text = ''): void {
    this.#write(text)
  }

  info(text: string): void {
    this.#say(text, 'bold')
  }

  warn(text: string): void {
    this.#say(text, ['yellow', 'bold'])
  }

  error(text: string): void {
    this.#say(text, 'red')
  }

  debug(text: string): void {
    if (this.options.debug) this.#say(`[debug] ${text}`)
  }

  /** Says what went wrong, also when quiet, and gives the error to throw: `throw out.failure('…')`. Exit code 1. */
  failure(text: string): CliExit {
    this.#write(text, 'red')
    return new CliExit(1)
  }

  /** `failure` for a server that could not be reached, with what helps against a certificate that nobody vouches for. */
  unreachable(error: Error & { readonly isCertificate: boolean }): CliExit {
    const failure = this.failure(error.message)
    if (error.isCertificate) this.hint('name the file with the CA of the server in REQUESTS_CA_BUNDLE')
    return failure
  }

  /** The data of a reading command, for programs: one JSON document on stdout. */
  json(value: unknown): void {
    this.#context.stdout.write(`${pythonJson(value, 4)}\n`)
  }

  /** For people at the terminal, beside the data: hints and prompts. */
  hint(text: string): void {
    this.#context.stderr.write(`hint: ${text}\n`)
  }

  #say(text: string, style?: Style): void {
    if (!this.options.quiet) this.#write(text, style)
  }

  #write(text: string, style?: Style): void {
    const stream = this.options.json ? this.#context.stderr : this.#context.stdout
    stream.write(`${style && this.#isColourful(stream) ? styleText(style, text, { validateStream: false }) : text}\n`)
  }

  #isColourful(stream: object): boolean {
    const { env } = this.#context
    return 'isTTY' in stream && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  }
}

/** A configuration value as devpi's client shows it: Python's `True`, lists joined by commas. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value))
    return value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(',')
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Text in quotes as Python's `%r` shows it, which is what devpi's messages carry. */
export function pythonQuoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
  if (escaped.includes("'") && !escaped.includes('"')) return `"${escaped}"`
  return `'${escaped.replaceAll("'", "\\'")}'`
}

/** JSON with sorted keys and ASCII only, the form in which devpi's client prints and stores. */
export function pythonJson(value: unknown, indent: number): string {
  return JSON.stringify(sorted(value), null, indent).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  // `Object.entries` would move keys such as "1" ahead whatever their order; devpi has no such keys outside versions.
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
