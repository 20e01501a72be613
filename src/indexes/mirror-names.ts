/** A mirror's list of all projects: on disk, refreshed in the background, never held in memory. */
import { Worker } from 'node:worker_threads'
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { readState, writeState } from '../catalog/mirror-pages.ts'
import type { Clock } from '../lib/clock.ts'
import { reasonOf } from '../lib/reason.ts'
import type { Limits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { NameBatches } from './name-batches.ts'
import { NameList } from './name-list.ts'
import type { NamesResult, NamesWork } from './names-worker.ts'

export interface MirrorNamesOptions {
  readonly catalog: Catalog
  readonly record: MirrorRecord
  readonly url: string
  readonly path: string
  readonly temp: string
  readonly expiryMs: number
  readonly offline: boolean
  readonly limits: Limits
  readonly clock: Clock
  readonly userAgent: string
  /** Told why; `isUnreachable`: upstream gave no answer at all. */
  readonly onFailure: (reason: string, isUnreachable: boolean) => void
}

/** The thread streams: a small heap keeps it from growing where it could as well collect. */
const HEAP = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }
const FETCHED = 'names-fetched-ms'

export class MirrorNames implements AsyncDisposable {
  readonly #options: MirrorNamesOptions
  readonly #list: NameList
  #flight: Promise<void> | undefined
  #worker: Worker | undefined
  #failedMs = Number.NEGATIVE_INFINITY

  constructor(options: MirrorNamesOptions) {
    this.#options = options
    this.#list = new NameList(options.path)
  }

  /**
   * Whether upstream has a project of that name: `unknown` while there is no list or when it is too old to deny a new
   * project. Asking about an old list starts its refresh.
   */
  async knows(name: ProjectName): Promise<'yes' | 'no' | 'unknown'> {
    const isFresh = await this.#refreshWhenOld()
    const found = await this.#list.has(name)
    if (found === true) return 'yes'
    return found === false && (isFresh || this.#options.offline) ? 'no' : 'unknown'
  }

  /** The names as they were last seen; waits for the first list when there is none. `undefined` when that cannot be had. */
  async names(): Promise<NameBatches | undefined> {
    const isFresh = await this.#refreshWhenOld()
    const here = await this.#list.names()
    if (here !== undefined || isFresh) return here
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#options.limits.listWaitMs)
    await Promise.race([this.#flight, promise])
    clearTimeout(timer)
    return await this.#list.names()
  }

  /** Starts a refresh when the list is old. */
  async warm(): Promise<void> {
    await this.#refreshWhenOld()
  }

  /** Fetches the list now, or joins the fetch that is under way. Does not throw: a failure is reported and tried later. */
  async refresh(): Promise<void> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined
    })
    await this.#flight
  }

  /** True when the list is here and young enough; else a refresh is under way, unless one failed a moment ago. */
  async #refreshWhenOld(): Promise<boolean> {
    const { catalog, record, clock, expiryMs, offline, limits } = this.#options
    const fetched = Number(
      (await catalog.read((reader) => readState(reader, record, FETCHED))) ?? Number.NEGATIVE_INFINITY,
    )
    const now = clock.now().getTime()
    // The time is in the catalog and the list is not: a restored backup has the one without the other.
    if (now - fetched < expiryMs && (await this.#list.isThere())) return true
    if (!offline && now - this.#failedMs >= limits.backoffMostMs) void this.refresh()
    return false
  }

  async #fetch(): Promise<void> {
    const { catalog, record, clock, limits, url, path, temp, userAgent, onFailure } = this.#options
    const startedMs = clock.now().getTime()
    const result = await this.#work({ url, path, temp, limits, userAgent })
    if ('failure' in result) {
      this.#failedMs = clock.now().getTime()
      onFailure(result.failure, result.isUnreachable)
      return
    }
    await catalog.write(async (writer) => {
      // The index may have been removed while its list was on the way.
      if ((await findIndex(writer, record.name))?.id !== record.id) return
      await writeState(writer, record, FETCHED, String(startedMs))
    })
  }

  #work(work: NamesWork): Promise<NamesResult> {
    return new Promise((resolve) => {
      const worker = new Worker(new URL('./names-worker.ts', import.meta.url), {
        workerData: work,
        resourceLimits: HEAP,
      })
      this.#worker = worker
      worker.once('message', resolve)
      worker.once('error', (error) => resolve({ failure: reasonOf(error), isUnreachable: false }))
      worker.once('exit', () =>
        resolve({ failure: 'the thread that reads the list ended early', isUnreachable: false }),
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
    await this.#flight
  }
}
