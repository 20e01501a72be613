/** Runs work on untrusted text with a time limit. */
import { createContext, Script } from 'node:vm'

/** What `withinTime` throws. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong'
  readonly limitMs: number
  constructor(limitMs: number) {
    super(`Cannot finish: the work took more than ${limitMs} ms`)
    this.limitMs = limitMs
  }
}

/**
 * Runs `work`, which must be synchronous and must leave nothing half done elsewhere, for at most `limitMs`.
 *
 * Parsers backtrack, and no bound on the length of a text bounds that; V8 ends even a regular expression under way. Throws
 * `TookTooLong` then, and what `work` throws.
 */
export function withinTime<T>(limitMs: number, work: () => T): T {
  let done: { readonly value: T } | undefined
  room.work = () => {
    done = { value: work() }
  }
  try {
    CALL.runInContext(room, { timeout: limitMs })
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TookTooLong(limitMs)
    throw error
  } finally {
    room.work = undefined
  }
  if (done === undefined) throw new TookTooLong(limitMs)
  return done.value
}

/** Not a sandbox: only a place for the call that a time limit can be put on. */
const room = createContext({ work: undefined as (() => void) | undefined }) as { work: (() => void) | undefined }
const CALL = new Script('work()')
