/** The folders of blobs: created if missing, and synced once for all commits that wait for the same folder. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from '../../lib/durable.ts'

export class BlobFolders {
  readonly #top: string
  /** By name, of which there are 256. Those here exist, durably. */
  readonly #ready = new Map<string, Promise<string>>()
  readonly #syncs = new Map<string, SharedSync>()

  constructor(top: string) {
    this.#top = top
  }

  /** Gives the path of that folder, which is there, and will be after a crash. */
  async ready(name: string): Promise<string> {
    const known = this.#ready.get(name)
    if (known !== undefined) return await known
    const making = this.#make(name)
    this.#ready.set(name, making)
    try {
      return await making
    } catch (error) {
      this.#ready.delete(name)
      throw error
    }
  }

  /** To be called where a folder turned out to be gone. */
  forget(name: string): void {
    this.#ready.delete(name)
  }

  /** Makes what was put into the folder before the call survive a crash. */
  async sync(path: string): Promise<void> {
    let shared = this.#syncs.get(path)
    if (shared === undefined) {
      shared = new SharedSync(path)
      this.#syncs.set(path, shared)
    }
    await shared.sync()
  }

  async #make(name: string): Promise<string> {
    const path = join(this.#top, name)
    await mkdir(path, { recursive: true })
    // Also where it was there already: a process that ended may have made it a moment before.
    await this.sync(this.#top)
    return path
  }
}

/** Who comes while a sync runs may be too late for that one; all of those share the next. */
class SharedSync {
  readonly #path: string
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(path: string) {
    this.#path = path
  }

  async sync(): Promise<void> {
    this.#next ??= this.#afterThis()
    await this.#next
  }

  async #afterThis(): Promise<void> {
    // Its failure is told to those who wait for it.
    await this.#running?.catch(() => {})
    this.#next = undefined
    this.#running = syncFolder(this.#path)
    await this.#running
  }
}
