/** A mirror's list of all projects: on disk, refreshed in the background, never held in memory. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { mirrorState, setMirrorState } from '../catalog/mirror-pages.ts'
import type { Clock } from '../lib/clock.ts'
import { reasonOf } from '../lib/reason.ts'
import { Recent } from '../lib/recent.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { ListSections } from '../names/list-sections.ts'
import type { ListedName } from '../names/name-batches.ts'
import { NameList } from '../names/name-list.ts'
import type { ProjectName } from '../pep/name.ts'
import type { RememberedPage } from './mirror-memory.ts'
import type { ListStatus } from './mirror-status.ts'
import type { ListChange, ListValidators, NamesResult, NamesWork } from './names-worker.ts'
import type { ListStanding, SharedMirrors } from './peers.ts'
import { STAMP_WANTED } from './stamp-wanted.ts'

export interface MirrorNamesOptions {
  readonly catalog: Catalog
  readonly record: MirrorRecord
  /** What the thread needs to ask upstream by itself. */
  readonly upstream: NamesWork['upstream']
  /** How near upstream was found to be; the thread does not take another answer of its name server for it. */
  readonly nearOf?: () => NamesWork['upstream']['near'] | undefined
  /** Of the list. */
  readonly path: string
  /** A folder on the same file system for what is not finished. */
  readonly temp: string
  /** Keeps what is sent of lists, of all mirrors together. */
  readonly sections: ListSections
  readonly expiryMs: number
  readonly offline: boolean
  readonly limits: Limits
  readonly clock: Clock
  /** Told why; `isUnreachable`: upstream gave no answer at all. */
  readonly onFailure: (reason: string, isUnreachable: boolean) => void
  /** Told of every list that is in place of another, and of one that is about to be. */
  readonly onNews: () => void
  /** Told of names that came and went. */
  readonly onChange: (change: ListChange & { readonly count: number }) => void
  /** Where other workers use the list too. With a keeper it fetches it, and this one follows. */
  readonly shared?: Pick<SharedMirrors, 'counters' | 'keeper'>
}

/** The thread streams: a small heap keeps it from growing where it could as well collect. */
const HEAP = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }
/** Names whose numbers are kept in memory, at some 100 bytes each: those of busy pages. */
const NUMBERS_KEPT = 10_000
const FETCHED = 'names-fetched-ms'
const VALIDATORS = 'names-validators'
/** A list that comes is in place some seconds later; looked at so often meanwhile. */
const LOOK_MS = 10
const NO_LIST = 'upstream has no list of all projects'

export class MirrorNames implements AsyncDisposable {
  readonly #options: MirrorNamesOptions
  #flight: Promise<void> | undefined
  #worker: Worker | undefined
  #isClosed = false
  #status: ListStatus = {}
  #found = new Recent<ProjectName, ListedName | 'none'>(NUMBERS_KEPT)
  #failures = 0
  #published: Promise<void> = Promise.resolve()
  #nextTrialMs = Number.NEGATIVE_INFINITY
  /** The count of changed lists when this one was looked at; where others keep it. */
  #seen: bigint | undefined

  constructor(options: MirrorNamesOptions) {
    this.#options = options
  }

  get status(): ListStatus {
    return this.#status
  }

  /** What other workers should know of how the last refresh went. */
  get standing(): ListStanding {
    const { failure } = this.#status
    const isPaused = this.#nextTrialMs !== Number.NEGATIVE_INFINITY
    return { ...(failure !== undefined && { failure }), ...(isPaused && { nextTrialMs: this.#nextTrialMs }) }
  }

  /**
   * Whether upstream has a project of that name: `unknown` while there is no list or when it is too old to deny a new
   * project. Asking about an old list starts its refresh.
   */
  async knows(name: ProjectName): Promise<'yes' | 'no' | 'unknown'> {
    await using list = await this.#open()
    const isFresh = await this.#refreshWhenOld(list !== undefined)
    if (list === undefined) return 'unknown'
    if ((await list.find(name)) !== undefined) return 'yes'
    return isFresh || this.#options.offline ? 'no' : 'unknown'
  }

  /** What the list that is here says of the name. Does not ask upstream, and nobody learns of the name. */
  async numbers(name: ProjectName): Promise<ListedName | undefined> {
    await this.#inPlace()
    const seen = this.#found.get(name)
    if (seen !== undefined) return seen === 'none' ? undefined : seen
    const state = this.#status
    await using list = await this.#open()
    const found = await list?.find(name)
    if (this.#status === state) this.#found.set(name, found ?? 'none', 1)
    return found
  }

  /** Whether the list, which was fetched after the page, tells of a change that the page does not have. */
  async isNewer(name: ProjectName, page: RememberedPage): Promise<boolean> {
    const stamp = page.detail?.lastStamp
    if (stamp !== undefined) await this.#follow()
    if (stamp === undefined || page.fetchedMs >= (this.#status.fetchedMs ?? Number.NEGATIVE_INFINITY)) return false
    return ((await this.numbers(name))?.upstream ?? 0) > stamp
  }

  /**
   * The list as it was last seen, for the caller to close; waits for the first one when there is none. `undefined` when that
   * cannot be had: `missing()` says why. `isNumbered`: one whose numbers are in place.
   */
  async list(isNumbered = false): Promise<NameList | undefined> {
    if (isNumbered) await this.#inPlace()
    await using stack = new AsyncDisposableStack()
    const here = stack.use(await this.#open())
    await this.#refreshWhenOld(here !== undefined)
    stack.move()
    if (here !== undefined) return here
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#options.limits.listWaitMs)
    await Promise.race([this.#flight, promise])
    clearTimeout(timer)
    return await this.#open()
  }

  /** Why there is no list. An upstream that has none is no failure of it, and asking again soon does not help. */
  missing(): Problem {
    const { record, upstream, clock } = this.#options
    const { failure } = this.#status
    const what = `Cannot list the projects of ${record.name}`
    if (failure === NO_LIST) {
      return new Problem('upstream-failed', `${what}: ${NO_LIST}`, {
        hint: 'its projects can be installed by name; set mirror_no_project_list=True to list what is here',
        retrySeconds: Math.ceil(this.#options.expiryMs / 1000),
      })
    }
    const waitMs = this.#flight === undefined ? this.#nextTrialMs - clock.now().getTime() : upstream.limits.listWaitMs
    return new Problem('upstream-failed', `${what}: ${failure ?? 'the list of upstream is not here yet'}`, {
      hint: 'it is fetched in the background; ask again in a minute, or ask for one project',
      retrySeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    })
  }

  /** Starts a refresh when the list is old. */
  async warm(): Promise<void> {
    await this.#look({})
    await this.#refreshWhenOld(this.#status.projects !== undefined)
  }

  /** Fetches the list now, or joins the fetch that is under way. Does not throw: a failure is reported and tried later. */
  async refresh(): Promise<void> {
    this.#flight ??= this.#fetch()
      .catch((error: unknown) => {
        // The disk is full, say, or a folder is gone. Nobody waits for most refreshes: thrown, it would end the process.
        if (!this.#isClosed) this.#failed(failed(reasonOf(error)))
      })
      .finally(() => {
        this.#flight = undefined
      })
    await this.#flight
  }

  /** True when the list is here and young enough; else a refresh is under way, unless one failed a moment ago. */
  async #refreshWhenOld(isHere: boolean): Promise<boolean> {
    const { clock, expiryMs, offline } = this.#options
    const fetched = Number((await this.#state(FETCHED)) ?? Number.NEGATIVE_INFINITY)
    const now = clock.now().getTime()
    // The time is in the catalog and the list is not: a restored backup has the one without the other.
    if (now - fetched < expiryMs && isHere) return true
    if (!offline && this.#flight === undefined && now >= this.#nextTrialMs) void this.refresh()
    return false
  }

  /** Once a list has its stamp, whoever reads lists for their numbers waits until it is in place. */
  async #inPlace(): Promise<void> {
    await this.#published
    const { shared, limits } = this.#options
    if (shared?.keeper === undefined) return
    for (let waitedMs = 0; shared.counters.isListComing && waitedMs < limits.listWaitMs; waitedMs += LOOK_MS) {
      await delay(LOOK_MS)
    }
    await this.#follow()
  }

  /** Looks at the list anew when worker 0 has put another in place, or upstream confirmed it. */
  async #follow(): Promise<void> {
    const { shared } = this.#options
    if (shared?.keeper === undefined || shared.counters.lists === this.#seen) return
    this.#seen = shared.counters.lists
    const fetched = await this.#state(FETCHED)
    await this.#look(fetched === undefined ? {} : { fetchedMs: Number(fetched) })
  }

  async #askKeeper(): Promise<void> {
    const { shared, record, clock, limits } = this.#options
    const { failure: _healed, ...before } = this.#status
    try {
      const { failure, nextTrialMs } = await shared!.keeper!.refreshList(record.id)
      this.#nextTrialMs = nextTrialMs ?? Number.NEGATIVE_INFINITY
      this.#status = { ...before, ...(failure !== undefined && { failure }) }
    } catch (error) {
      this.#nextTrialMs = clock.now().getTime() + limits.backoffFirstMs
      this.#status = { ...before, failure: reasonOf(error) }
    }
  }

  async #fetch(): Promise<void> {
    if (this.#options.shared?.keeper !== undefined) return await this.#askKeeper()
    const nowMs = this.#options.clock.now().getTime()
    const result = await this.#work(nowMs)
    if (this.#isClosed) return
    if (result.kind === 'failed' || result.kind === 'absent') {
      this.#failed(result)
      return
    }
    this.#failures = 0
    this.#nextTrialMs = Number.NEGATIVE_INFINITY
    await this.#keep(result, nowMs)
  }

  async #keep(result: NamesResult & { kind: 'list' | 'unchanged' }, fetchedMs: number): Promise<void> {
    const { catalog, record, path } = this.#options
    const isHere = await catalog.write(async (writer) => {
      // The index may have been removed while its list was on the way.
      if ((await findIndex(writer, record.name))?.id !== record.id) return false
      await setMirrorState(writer, record, FETCHED, String(fetchedMs))
      if (result.kind === 'list') await setMirrorState(writer, record, VALIDATORS, JSON.stringify(result.validators))
      return true
    })
    if (!isHere) return await rm(path, { force: true })
    this.#options.shared?.counters.listsChanged()
    const lastChange = result.kind === 'list' ? result.change : undefined
    await this.#look({ fetchedMs, ...(lastChange !== undefined && { lastChange }) })
    if (lastChange !== undefined) this.#options.onChange({ ...lastChange, count: this.#status.projects ?? 0 })
  }

  #failed(result: NamesResult & { kind: 'failed' | 'absent' }): void {
    const { clock, limits, expiryMs, onFailure } = this.#options
    const reason = result.kind === 'absent' ? NO_LIST : result.reason
    const doubledMs = limits.backoffFirstMs * 2 ** Math.min(this.#failures++, 30)
    const pauseMs = Math.max(Math.min(doubledMs, limits.backoffMostMs), retryMs(result))
    this.#nextTrialMs = clock.now().getTime() + (result.kind === 'absent' ? expiryMs : pauseMs)
    this.#status = { ...this.#status, failure: reason }
    onFailure(reason, result.kind === 'failed' && result.isUnreachable)
  }

  /** In a folder that goes however the thread ends. */
  async #work(nowMs: number): Promise<NamesResult> {
    const { path, temp, nearOf } = this.#options
    const near = nearOf?.()
    const upstream = { ...this.#options.upstream, ...(near !== undefined && { near }) }
    await mkdir(temp, { recursive: true })
    const folder = await mkdtemp(join(temp, 'names-'))
    try {
      const known = await this.#state(VALIDATORS)
      const validators = known === undefined ? {} : { known: JSON.parse(known) as ListValidators }
      return await this.#thread({ path, folder, upstream, nowMs, ...validators })
    } catch (error) {
      return failed(reasonOf(error))
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  #thread(work: NamesWork): Promise<NamesResult> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve(failed('the server stops'))
      const worker = new Worker(new URL('./names-worker.ts', import.meta.url), {
        workerData: work,
        resourceLimits: HEAP,
      })
      this.#worker = worker
      let result: NamesResult = failed('the thread that reads the list ended early')
      worker.on('message', (said: NamesResult | typeof STAMP_WANTED) => {
        if (said !== STAMP_WANTED) result = said
        else void this.#stamp(worker)
      })
      worker.once('error', (error) => {
        result = failed(reasonOf(error))
      })
      // Not before: until then the thread may still write.
      worker.once('exit', () => resolve(result))
    })
  }

  /**
   * Who reads the list for its numbers waits from here on until it is in place: had they seen a later change elsewhere
   * before this one, they would take this one for old.
   */
  async #stamp(worker: Worker): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#published = promise
    const coming = this.#options.shared?.counters.listComes()
    this.#options.onNews()
    worker.once('exit', () => {
      this.#found = new Recent(NUMBERS_KEPT)
      coming?.[Symbol.dispose]()
      this.#options.onNews()
      resolve()
    })
    try {
      worker.postMessage(await this.#options.catalog.stamp())
    } catch {
      // The catalog is closed or full: the list is fetched again later.
      await worker.terminate()
    }
  }

  /** What is known of the list anew, from its file. */
  async #look(news: ListStatus): Promise<void> {
    const seen = await this.#facts()
    const { failure, ...before } = this.#status
    this.#found = new Recent(NUMBERS_KEPT)
    this.#options.onNews()
    const isHealed = news.fetchedMs !== undefined
    this.#status = { ...before, ...(failure !== undefined && !isHealed && { failure }), ...news, ...seen }
  }

  async #facts(): Promise<Pick<ListStatus, 'projects' | 'changedMs'>> {
    await using list = await this.#open()
    const index = await list?.index()
    return index === undefined ? {} : { projects: index.count, changedMs: index.changedMs }
  }

  async #open(): Promise<NameList | undefined> {
    return await NameList.open(this.#options.path, this.#options.sections)
  }

  async #state(key: string): Promise<string | undefined> {
    const { catalog, record } = this.#options
    return await catalog.read((reader) => mirrorState(reader, record, key))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await this.#worker?.terminate()
    await this.#flight
  }
}

function failed(reason: string): NamesResult & { kind: 'failed' } {
  return { kind: 'failed', reason, isUnreachable: false }
}

function retryMs(result: NamesResult): number {
  return result.kind === 'failed' ? (result.retrySeconds ?? 0) * 1000 : 0
}
