/** A request as data: sent in the same order to a real devpi-server and to Airlock. */

/** A file that goes into a form: one of `archives.ts` by its name, one of them under another name, or what is written here. */
export type SentFile =
  | string
  | { readonly filename: string; readonly archive: string }
  | { readonly filename: string; readonly content: string }

/**
 * Texts may hold variables: `{base}` (the server's own address), `{upstream}`, `{external}`, `{file:NAME}` (`+f/…/NAME` of an
 * archive), `{sha256:NAME}`, `{md5:NAME}`, and `{kept:NAME}` for what an earlier step kept.
 */
export interface Step {
  /** What is asked, in words; no two steps of a group have the same. */
  readonly title: string
  /** Method and request target, as they are sent. */
  readonly request: string
  /** `alice`: with her login token of an earlier step. `alice:secret`: with that secret. Sent as `X-Devpi-Auth`. */
  readonly as?: string
  /** Without an `accept` here, `application/json` is asked for; an empty value leaves a header out. */
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string | readonly string[]>>
  /** The form's `content`, after its fields. */
  readonly file?: SentFile
  /** A body as it is. */
  readonly body?: string
  /** The whole request as it is, in place of all the above but `request`, which then only says what it is about. */
  readonly wire?: string
  /** Keeps what the first group of `pattern` finds in the answer's body, for later steps to name. */
  readonly keep?: { readonly name: string; readonly pattern: string }
}

export interface StepGroup {
  /** In file names and tables: lower case. */
  readonly name: string
  readonly steps: readonly Step[]
}

/** What a person's shell would say: `ask('its title', 'GET /', {…})`. */
export function ask(title: string, request: string, more: Omit<Step, 'title' | 'request'> = {}): Step {
  return { title, request, ...more }
}
