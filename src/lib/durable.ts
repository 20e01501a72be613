/**
 * The steps that make bytes survive a crash, each in one function, told to a diagnostics channel when it is done. A test that
 * listens sees which steps were made, and in which order: one that is left out is missing there.
 */
import { channel } from 'node:diagnostics_channel'
import fs, { closeSync, constants, linkSync, openSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { promisify } from 'node:util'

export type DurableStep =
  /** The bytes of a file are on the disk. */
  | { readonly what: 'file'; readonly path: string }
  /** A file has got a name, by a link or a rename; it survives once the folder is synced. */
  | { readonly what: 'name'; readonly path: string }
  /** The names in a folder are on the disk. */
  | { readonly what: 'folder'; readonly path: string }
  /** A transaction of the catalog is committed, by a connection with this `PRAGMA synchronous`. */
  | { readonly what: 'commit'; readonly synchronous: number }

/** Carries `DurableStep`s; costs nothing while nobody listens. */
export const durableSteps = channel('airlock:durable-step')

/** By way of the module's object, where a test can see that the system is asked. */
const synced = (descriptor: number) => promisify(fs.fsync)(descriptor)

/** Waits until the bytes of an open file are on the disk, with its size and mode. */
export async function syncFile(descriptor: number, path: string): Promise<void> {
  await synced(descriptor)
  tell(() => ({ what: 'file', path }))
}

/** Makes what was put into a folder before the call survive a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, constants.O_RDONLY)
  try {
    await synced(folder)
  } finally {
    closeSync(folder)
  }
  tell(() => ({ what: 'folder', path }))
}

/** A second name for a synced file. Atomic; throws `EEXIST` where the name is taken. */
export function linkDurably(path: string, name: string): void {
  linkSync(path, name)
  tell(() => ({ what: 'name', path: name }))
}

/** Another name for a synced file, in place of what had the name. Atomic. */
export async function renameDurably(path: string, name: string): Promise<void> {
  await rename(path, name)
  tell(() => ({ what: 'name', path: name }))
}

/** To be called after a COMMIT; `synchronous` asks the connection that made it. */
export function toldCommit(synchronous: () => number): void {
  tell(() => ({ what: 'commit', synchronous: synchronous() }))
}

function tell(step: () => DurableStep): void {
  if (durableSteps.hasSubscribers) durableSteps.publish(step())
}
