/** Runs work on the blob store, and turns a full disk into a problem that the uploader understands. */
import { isDiskFull, Problem } from '../model/errors.ts'

/** Throws `disk-full` where the disk is; other errors pass through. */
export async function durably<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isDiskFull(error)) throw error
    throw new Problem('disk-full', 'Cannot keep the file: the disk of the server folder is full', {
      hint: 'free some space and upload again; nothing was changed',
      cause: error,
    })
  }
}
