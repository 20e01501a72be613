/**
 * The open mirrors of this server, each with its upstream and caches. A mirror is opened at its first use and kept until
 * its options change.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from '../blob/blob-store.ts'
import { listIndexes } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { forgetPages, mirrorState, setMirrorState } from '../catalog/mirror-pages.ts'
import { forgetMirroredProvenance } from '../catalog/provenance.ts'
import type { Clock } from '../lib/clock.ts'
import { isMirror, type MirrorRecord } from '../model/records.ts'
import { ListSections } from '../names/list-sections.ts'
import type { ProjectName } from '../pep/name.ts'
import { UpstreamHosts } from '../upstream/hosts.ts'
import { OutgoingPolicy } from '../upstream/outgoing-policy.ts'
import { type PlaceOptions, placeOf } from '../upstream/place.ts'
import { Upstream } from '../upstream/upstream.ts'
import { FileUses } from './file-uses.ts'
import { Mirror } from './mirror.ts'
import { withoutCredentials } from './mirror-address.ts'
import { MirrorNames } from './mirror-names.ts'
import { boundsOf, type RoomBounds } from './mirror-room.ts'
import type { MirrorStatus } from './mirror-status.ts'
import type { ListStanding, SharedMirrors } from './peers.ts'

export interface MirrorsOptions extends PlaceOptions {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  /** For the lists of names. */
  readonly folder: string
  /** For what is not finished; cleared at start. */
  readonly temp: string
  readonly offline: boolean
  /** For mirrors that set none themselves. */
  readonly expirySeconds: number
  /** The same for the room that their files take up; absent: without bounds. */
  readonly room?: RoomBounds
  readonly clock: Clock
  readonly warn: (message: string, fields: Record<string, unknown>) => void
  readonly info: (message: string, fields: Record<string, unknown>) => void
  /** What mirrors answer of the project, of any where none is named, may be another from now on, and no commit tells of it. */
  readonly onNews?: (project?: ProjectName) => void
  /** Where other workers of this server serve the same mirrors. */
  readonly shared?: SharedMirrors
}

interface Kept {
  readonly options: string
  readonly mirror: Mirror
  readonly upstream: Upstream
  readonly names: MirrorNames | undefined
}

export class Mirrors implements AsyncDisposable {
  readonly #options: MirrorsOptions
  readonly #kept = new Map<number, Kept>()
  readonly #hosts: UpstreamHosts
  readonly #sections: ListSections
  readonly #uses: FileUses
  #opening: Promise<unknown> = Promise.resolve()

  constructor(options: MirrorsOptions) {
    this.#options = options
    const news = options.onNews
    this.#hosts = new UpstreamHosts({
      ...options,
      policy: new OutgoingPolicy(options.outgoing),
      ...(news !== undefined && { onTurn: () => news() }),
    })
    this.#sections = new ListSections(options.limits.readyListBytes)
    const { catalog, limits, clock, warn } = options
    const onFailure = (error: unknown) => warn('Cannot write down uses of files', { err: error })
    this.#uses = new FileUses({ catalog, limits, clock, onFailure })
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

  /** What operators want to see of each mirror that has been asked. */
  status(): MirrorStatus[] {
    return [...this.#kept.values()].map(({ mirror, names, upstream: { url, reachability, figures } }) => ({
      name: mirror.name,
      upstream: url,
      state: reachability.state,
      ...(reachability.failure !== undefined && { failure: reachability.failure }),
      ...(reachability.downSinceMs !== undefined && { downSinceMs: reachability.downSinceMs }),
      ...(reachability.nextTrialMs !== undefined && { nextTryMs: reachability.nextTrialMs }),
      ...figures,
      ...mirror.figures,
      ...(names !== undefined && { list: names.status }),
    }))
  }

  /** Opens the mirror as its record is now, for another worker; one that was removed is none. */
  async openById(indexId: number): Promise<void> {
    const indexes = await this.#options.catalog.read((reader) => listIndexes(reader))
    const record = indexes.find(({ id }) => id === indexId)
    if (record !== undefined && isMirror(record)) await this.get(record)
  }

  /** Fetches the list now, or joins the fetch that is under way, for another worker. */
  async refreshList(indexId: number): Promise<ListStanding> {
    await this.openById(indexId)
    const names = this.#kept.get(indexId)?.names
    await names?.refresh()
    return names?.standing ?? {}
  }

  /** Begins to fetch the mirror's list of names if it is old, so that it is here before somebody needs it. */
  async warm(record: MirrorRecord): Promise<void> {
    await this.get(record)
    await this.#kept.get(record.id)?.names?.warm()
  }

  /**
   * Lets go of mirrors whose index was removed, of what they have under way, and of their lists. To be called after an
   * index or a user was removed, and at the start, for what a crash left.
   */
  async prune(): Promise<void> {
    await this.forgetRemoved()
    this.#options.shared?.onPruned()
  }

  /** As `prune`, after another worker has removed an index. */
  async forgetRemoved(): Promise<void> {
    const pruned = this.#opening.then(() => this.#prune())
    this.#opening = pruned.catch(() => {})
    await pruned
  }

  async #prune(): Promise<void> {
    const { catalog, folder } = this.#options
    const ids = new Set((await catalog.read((reader) => listIndexes(reader))).map(({ id }) => id))
    for (const [id, kept] of this.#kept) {
      if (ids.has(id)) continue
      this.#kept.delete(id)
      await close(kept)
    }
    await mkdir(folder, { recursive: true })
    for (const name of await readdir(folder)) {
      const id = /^(\d+)\.names$/.exec(name)?.[1]
      if (id !== undefined && !ids.has(Number(id))) await rm(join(folder, name), { force: true })
    }
  }

  async #open(record: MirrorRecord): Promise<Mirror> {
    const text = JSON.stringify(record.options)
    const kept = this.#kept.get(record.id)
    if (kept?.options === text) return kept.mirror
    const { catalog, blobs, folder, temp, offline, expirySeconds, limits, clock, warn, info } = this.#options
    const onNews = this.#options.onNews ?? (() => {})
    const place = placeOf(record, this.#options)
    const path = join(folder, `${record.id}.names`)
    await mkdir(folder, { recursive: true })
    // First: its thread may be about to put the list of another upstream here.
    if (kept !== undefined) await close(kept)
    const url = withoutCredentials(place.url)
    const { shared: others } = this.#options
    if (others?.keeper === undefined) await this.#notice(record, url, path)
    else await others.keeper.openMirror(record.id)
    const expiryMs = (record.options.mirror_cache_expiry ?? expirySeconds) * 1000
    const shared = { catalog, record, limits, clock, offline, expiryMs }
    const upstream = new Upstream({ ...place, offline, clock, hosts: this.#hosts })
    const names =
      record.options.mirror_no_project_list === true
        ? undefined
        : new MirrorNames({
            ...shared,
            upstream: place,
            nearOf: () => upstream.near,
            ...(others !== undefined && { shared: others }),
            sections: this.#sections,
            path,
            temp,
            onFailure: (reason, isUnreachable) => {
              // What the thread found out by waiting, requests need not find out again; unless only the list is silent.
              const isGone = isUnreachable && !upstream.reachability.hasAnsweredWithin(limits.upstreamPageMs)
              if (isGone) upstream.reachability.failed(reason)
              warn('Cannot refresh the list of projects', { 'index.name': record.name, reason })
            },
            onNews,
            onChange: (change) => info('The list of projects has changed', { 'index.name': record.name, ...change }),
          })
    const room = { uses: this.#uses, bounds: boundsOf(record, this.#options.room ?? {}), warn }
    const more = { ...(names !== undefined && { names }), ...(others !== undefined && { shared: { ...others, url } }) }
    const mirror = new Mirror({ ...shared, ...room, blobs, upstream, onNews, ...more })
    this.#kept.set(record.id, { options: text, mirror, upstream, names })
    return mirror
  }

  async #notice(record: MirrorRecord, url: string, path: string): Promise<void> {
    const { catalog } = this.#options
    const before = await catalog.read((reader) => mirrorState(reader, record, 'url'))
    if (before !== undefined && withoutCredentials(before) === url) return
    if (before !== undefined) await rm(path, { force: true })
    await catalog.write(async (writer) => {
      await forgetPages(writer, record)
      writer.onCommit(() => this.#options.shared?.counters.pagesChanged())
      await forgetMirroredProvenance(writer, record)
      await setMirrorState(writer, record, 'url', url)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening
    for (const kept of this.#kept.values()) await close(kept)
    this.#kept.clear()
    await this.#hosts[Symbol.asyncDispose]()
    await this.#uses[Symbol.asyncDispose]()
  }
}

async function close(kept: Kept): Promise<void> {
  await kept.names?.[Symbol.asyncDispose]()
  await kept.upstream[Symbol.asyncDispose]()
}
