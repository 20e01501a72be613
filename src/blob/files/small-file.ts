/**
 * Small files and folders on their way to the disk. What takes no longer than handing it to a thread and back is done at once,
 * as SQLite does it; the syncs, which take as long as the disk likes, are done by threads, beside one another.
 */
import { closeSync, constants, fchmodSync, fsync, openSync, unlinkSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'

const synced = promisify(fsync)

/** Makes a file of these bytes, whole and synced under that name and mode; where it cannot be, nothing is left of it. */
export async function writeSmallFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = openSync(path, 'wx', mode)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
    // As asked for, whatever the process's umask takes away.
    fchmodSync(file, mode)
    await synced(file)
  } catch (error) {
    unlinkSync(path)
    throw error
  } finally {
    closeSync(file)
  }
}

/** Makes what was put into a folder before the call survive a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, constants.O_RDONLY)
  try {
    await synced(folder)
  } finally {
    closeSync(folder)
  }
}
