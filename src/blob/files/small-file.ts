/**
 * Small files on their way to the disk. What takes no longer than handing it to a thread and back is done at once, as SQLite
 * does it; the sync, which takes as long as the disk likes, is done by a thread, beside others.
 */
import { closeSync, fchmodSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { syncFile } from '../../lib/durable.ts'

/** Makes a file of these bytes, whole and synced under that name and mode; where it cannot be, nothing is left of it. */
export async function writeSmallFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = openSync(path, 'wx', mode)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
    // As asked for, whatever the process's umask takes away.
    fchmodSync(file, mode)
    await syncFile(file, path)
  } catch (error) {
    unlinkSync(path)
    throw error
  } finally {
    closeSync(file)
  }
}
