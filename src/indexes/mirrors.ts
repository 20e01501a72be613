/** The mirrors of this server, each with its upstream and memory, made when first asked for and kept while their options stay. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { forgetPages, readState, writeState } from '../catalog/mirror-pages.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import { Mirror } from './mirror.ts'
import { MirrorNames } from './mirror-names.ts'
import { NameList } from './name-list.ts'
import { Upstream } from './upstream.ts'

export interface MirrorsOptions {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  /** For the lists of names. */
  readonly folder: string
  /** For what is not finished; cleared at start. */
  readonly temp: string
  readonly offline: boolean
  /** For mirrors that set none themselves. */
  readonly expirySeconds: number
  readonly limits: Limits
  readonly clock: Clock
  readonly userAgent: string
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

interface Kept {
  readonly options: string
  readonly mirror: Mirror
  readonly upstream: Upstream
  readonly names: MirrorNames | undefined
}

/** devpi allows a mirror without URL; it knows nothing and nobody to ask. */
const NOWHERE = 'http://mirror-url-is-not-set.invalid/'

export class Mirrors implements AsyncDisposable {
  readonly #options: MirrorsOptions
  readonly #kept = new Map<number, Kept>()
  #opening: Promise<unknown> = Promise.resolve()

  constructor(options: MirrorsOptions) {
    this.#options = options
  }

  /** The mirror as its record describes it now. Another `mirror_url` is another upstream: what was remembered is forgotten. */
  async get(record: MirrorRecord): Promise<Mirror> {
    const kept = this.#kept.get(record.id)
    if (kept?.options === JSON.stringify(record.options)) return kept.mirror
    // One at a time, or two first requests would make two.
    const opened = this.#opening.then(() => this.#open(record))
    this.#opening = opened.catch(() => {})
    return await opened
  }

  /** What operators want to see of each mirror. */
  status(): { name: string; upstream: string; failure?: string; downSinceMs?: number }[] {
    return [...this.#kept.values()].map(({ mirror, upstream: { url, reachability } }) => ({
      name: mirror.name,
      upstream: url,
      ...(reachability.failure !== undefined && { failure: reachability.failure }),
      ...(reachability.downSinceMs !== undefined && { downSinceMs: reachability.downSinceMs }),
    }))
  }

  /** Begins to fetch the mirror's list of names if it is old, so that it is here before somebody needs it. */
  async warm(record: MirrorRecord): Promise<void> {
    await this.get(record)
    await this.#kept.get(record.id)?.names?.warm()
  }

  async #open(record: MirrorRecord): Promise<Mirror> {
    const text = JSON.stringify(record.options)
    const kept = this.#kept.get(record.id)
    if (kept?.options === text) return kept.mirror
    const { catalog, blobs, folder, temp, offline, expirySeconds, limits, clock, userAgent, warn } = this.#options
    const url = record.options.mirror_url ?? NOWHERE
    const path = join(folder, `${record.id}.names`)
    await mkdir(folder, { recursive: true })
    await this.#notice(record, url, path)
    if (kept !== undefined) await close(kept)
    const expiryMs = (record.options.mirror_cache_expiry ?? expirySeconds) * 1000
    const shared = { catalog, record, limits, clock, offline, expiryMs }
    const upstream = new Upstream({ url, offline, limits, clock, userAgent })
    const names =
      record.options.mirror_no_project_list === true
        ? undefined
        : new MirrorNames({
            ...shared,
            url,
            path,
            temp,
            userAgent,
            onFailure: (reason, isUnreachable) => {
              // What the thread found out by waiting, requests need not find out again.
              if (isUnreachable) upstream.reachability.failed(reason)
              warn('Cannot refresh the list of projects', { 'index.name': record.name, reason })
            },
          })
    const mirror = new Mirror({ ...shared, blobs, upstream, ...(names !== undefined && { names }) })
    this.#kept.set(record.id, { options: text, mirror, upstream, names })
    return mirror
  }

  async #notice(record: MirrorRecord, url: string, path: string): Promise<void> {
    const { catalog } = this.#options
    const before = await catalog.read((reader) => readState(reader, record, 'url'))
    if (before === url) return
    if (before !== undefined) await new NameList(path).remove()
    await catalog.write(async (writer) => {
      await forgetPages(writer, record)
      await writeState(writer, record, 'url', url)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening
    for (const kept of this.#kept.values()) await close(kept)
    this.#kept.clear()
  }
}

async function close(kept: Kept): Promise<void> {
  await kept.names?.[Symbol.asyncDispose]()
  await kept.upstream[Symbol.asyncDispose]()
}
