import type { Readable, Writable } from 'node:stream'

/** A command's access to its process: environment, working folder, streams. `main.ts` makes the real one, tests make their own. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Data a program might read. */
  readonly stdout: Writable
  /** Talk. */
  readonly stderr: Writable
  /** Aborted when the process should end (SIGTERM, SIGINT); absent: it never is. */
  readonly stop?: AbortSignal
  readonly stdin: Readable & { readonly isTTY?: boolean }
}

/** What the exit code of every command says, unless its help says more. */
export const EXIT_CODES = '0 done, 1 refused or failed, 2 wrong usage'

/** Ends the command with an exit code, its message said already. */
export class CliExit extends Error {
  override readonly name = 'CliExit'
  readonly code: number
  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}
