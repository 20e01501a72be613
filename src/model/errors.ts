/**
 * The problems that Airlock reports, each with a permanent code. No HTTP here: `http/problems.ts` is the one table code →
 * status, and `docs/errors.md` explains every code (a test holds the two equal).
 */
export const PROBLEM_CODES = [
  'advisories-missing',
  'attestation-invalid',
  'bad-request',
  'busy',
  'digest-differs',
  'directory-in-use',
  'directory-not-ours',
  'directory-too-new',
  'directory-too-old',
  'disk-full',
  'file-deleted',
  'file-exists',
  'file-invalid',
  'file-withheld',
  'host-unknown',
  'index-exists',
  'index-not-volatile',
  'login-refused',
  'login-required',
  'mechanism-unknown',
  'metadata-invalid',
  'mirror-read-only',
  'name-invalid',
  'no-such-advisory',
  'no-such-file',
  'no-such-group',
  'no-such-index',
  'no-such-project',
  'no-such-publisher',
  'no-such-session',
  'no-such-token',
  'no-such-user',
  'no-such-version',
  'not-acceptable',
  'not-allowed',
  'not-enabled',
  'oidc-token-invalid',
  'oidc-token-used',
  'option-invalid',
  'origin-foreign',
  'port-in-use',
  'project-closed',
  'publisher-unknown',
  'push-refused',
  'session-conflict',
  'session-open',
  'setting-invalid',
  'too-large',
  'type-unsupported',
  'upload-incomplete',
  'upstream-blank',
  'upstream-failed',
  'upstream-offline',
  'user-exists',
  'user-not-volatile',
] as const
export type ProblemCode = (typeof PROBLEM_CODES)[number]

/** A refusal or failure that somebody should read: the message says what was wrong, the hint what to do. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly hint: string | undefined
  /** Seconds after which asking again makes sense, where it does. */
  readonly retrySeconds: number | undefined

  constructor(
    code: ProblemCode,
    message: string,
    options: { hint?: string; cause?: unknown; retrySeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.retrySeconds = options.retrySeconds
  }
}

/** Whether a system call failed because the disk (or a quota) is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  const sqliteFull = (error as { errcode?: unknown } | undefined)?.errcode === 13
  return code === 'ENOSPC' || code === 'EDQUOT' || sqliteFull
}

// The refusals that more than one place makes, in devpi's own words: its clients and their users know them.

export function noSuchIndex(name: string): Problem {
  return new Problem('no-such-index', `The stage ${name} could not be found.`)
}
export function noSuchUser(name: string): Problem {
  return new Problem('no-such-user', `no user '${name}'`)
}
export function readForbidden(): Problem {
  return new Problem('not-allowed', 'package read forbidden', {
    hint: 'log in as a user whom acl_pkg_read of the index lists',
  })
}
export function noSuchProject(name: string): Problem {
  return new Problem('no-such-project', `The project ${name} does not exist.`)
}
