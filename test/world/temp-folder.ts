/** Folders that last as long as a test. */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly path: string
  /** Removes the folder and all in it; a second call does nothing. */
  remove(): Promise<void>
}

/** A new empty folder under the system's place for temporary files, gone when it is disposed. */
export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'airlock-test-'))
  // A server that was killed a moment ago may still be writing: rm tries again for about a second.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  return { path, remove, [Symbol.asyncDispose]: remove }
}
