/** The project pages of a mirror: cached, revalidated when they are old, and served stale while upstream fails. */
import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import type { Clock } from '../lib/clock.ts'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { MirrorMemory, RememberedPage } from './mirror-memory.ts'
import type { MirrorNames } from './mirror-names.ts'

export interface MirrorPagesOptions {
  readonly record: MirrorRecord
  readonly catalog: Catalog
  readonly upstream: Upstream
  readonly memory: MirrorMemory
  /** Absent for an upstream without a list. */
  readonly names?: MirrorNames
  readonly expiryMs: number
  readonly offline: boolean
  readonly limits: Limits
  readonly clock: Clock
  readonly figures: { pageHits: number; pageMisses: number }
}

/** The part of a page's life after which a request for it has it refreshed in the background. */
const REFRESH_AHEAD = 0.75

export class MirrorPages {
  readonly #options: MirrorPagesOptions
  readonly #flights = new Map<ProjectName, Promise<RememberedPage>>()

  constructor(options: MirrorPagesOptions) {
    this.#options = options
  }

  /** Asks upstream for the page anew, whatever its age. Throws what upstream's failure is; what is remembered stays then. */
  async refresh(name: ProjectName): Promise<void> {
    const known = await this.#options.memory.recall(name)
    const page = known?.detail === undefined ? undefined : { fetchedMs: 0, detail: known.detail }
    await this.#renew(name, page, true)
  }

  /** The page as it is remembered or as upstream gives it now. Throws when nothing is remembered and nobody can tell. */
  async page(name: ProjectName): Promise<{ page?: RememberedPage; stale?: string; freshUntilMs: number }> {
    const found = await this.#page(name)
    const lifeMs = found.page?.detail === undefined || found.stale !== undefined ? 0 : this.#options.expiryMs
    return { ...found, freshUntilMs: (found.page?.fetchedMs ?? 0) + lifeMs }
  }

  async #page(name: ProjectName): Promise<{ page?: RememberedPage; stale?: string }> {
    const { clock, expiryMs, limits, offline, upstream, names } = this.#options
    const known = await this.#options.memory.recall(name)
    const ageMs = clock.now().getTime() - (known?.fetchedMs ?? 0)
    const lifeMs = known?.detail === undefined ? Math.min(expiryMs, limits.negativeMs) : expiryMs
    // While upstream is taken to be gone pages list less than they could: such a page is as old as none.
    const isGone = !offline && upstream.reachability.failure !== undefined
    const isFresh = known !== undefined && ageMs < lifeMs && !(await names?.isNewer(name, known))
    this.#options.figures[isFresh ? 'pageHits' : 'pageMisses']++
    if (isFresh && !isGone) {
      // What is used is asked for again before it is old, so that nobody waits for it. A failure is the next request's to tell.
      const isUsed = known.detail !== undefined && ageMs > lifeMs * REFRESH_AHEAD && !offline
      if (isUsed) this.#renew(name, known).catch(() => {})
      return { page: known }
    }
    if (known?.detail === undefined && (await names?.knows(name)) === 'no') return {}
    if (offline) {
      if (known !== undefined) return { page: known }
      return await this.#withoutUpstream(
        name,
        new Problem('upstream-offline', `Cannot tell whether ${name} exists: the server runs in offline mode`),
      )
    }
    const waitMs = isGone && !upstream.reachability.isTrialDue ? 0 : limits.staleWaitMs
    const flight = this.#renew(name, known)
    if (known?.detail === undefined) {
      try {
        return { page: await flight }
      } catch (error) {
        return await this.#withoutUpstream(name, error)
      }
    }
    return await this.#freshOrStale(known, flight, waitMs)
  }

  /** A project with files here is known even if no page is; of any other nobody can tell. */
  async #withoutUpstream(name: ProjectName, error: unknown): Promise<{ stale: string }> {
    const { catalog, record } = this.#options
    const held = await catalog.read((reader) => listFiles(reader, record, name))
    if (held.length === 0) throw error
    return { stale: reasonOf(error) }
  }

  /** Waits a little for upstream; when it does not answer, the older page serves, and the answer the next request. */
  async #freshOrStale(
    known: RememberedPage,
    flight: Promise<RememberedPage>,
    waitMs: number,
  ): Promise<{ page: RememberedPage; stale?: string }> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, waitMs)
    try {
      const fresh = await Promise.race([flight, late])
      return fresh === undefined ? { page: known, stale: 'upstream has not answered yet' } : { page: fresh }
    } catch (error) {
      return { page: known, stale: reasonOf(error) }
    } finally {
      clearTimeout(timer)
      // The flight goes on in the background; its failure was told above or is told by the next request.
      flight.catch(() => {})
    }
  }

  /** One request to upstream per project, however many ask. */
  #renew(name: ProjectName, known: RememberedPage | undefined, isForced = false): Promise<RememberedPage> {
    const running = this.#flights.get(name)
    if (running !== undefined) return running
    const fetched = isForced ? this.#fetchPage(name, known) : this.#fetchUnlessLanded(name, known)
    const flight = fetched.finally(() => this.#flights.delete(name))
    this.#flights.set(name, flight)
    return flight
  }

  /** While this request looked what is known, another one's flight may have landed. */
  async #fetchUnlessLanded(name: ProjectName, known: RememberedPage | undefined): Promise<RememberedPage> {
    const landed = await this.#options.memory.recall(name)
    if (landed !== undefined && landed.fetchedMs > (known?.fetchedMs ?? Number.NEGATIVE_INFINITY)) return landed
    return await this.#fetchPage(name, known)
  }

  async #fetchPage(name: ProjectName, known: RememberedPage | undefined): Promise<RememberedPage> {
    const { upstream, clock } = this.#options
    const answer = await upstream.page(name, known?.detail === undefined ? {} : known)
    const fetchedMs = clock.now().getTime()
    if (answer.kind === 'unchanged') {
      await this.#options.memory.confirm(name, known!, fetchedMs)
      return { ...known!, fetchedMs }
    }
    const { kind, ...found } = answer
    if (kind === 'absent' && (known?.detail?.files.length ?? 0) > 0) {
      // devpi's rule: what upstream had once stays listed, as old; lock files and caches outlive a name there.
      throw new Problem('upstream-failed', `Cannot get the page of ${name} anew: ${upstream.url} has it no longer`)
    }
    if (kind === 'page') this.#checkStamp(name, known?.detail?.lastStamp, answer.detail.lastStamp)
    const page: RememberedPage =
      kind === 'absent' ? { fetchedMs } : { fetchedMs, ...(found as Omit<typeof answer & { kind: 'page' }, 'kind'>) }
    await this.#options.memory.remember(name, page, known?.detail)
    return page
  }

  /** An upstream whose page is older than what is here already is a stale cache, not news (devpi's rule). */
  #checkStamp(name: ProjectName, before: number | undefined, now: number | undefined): void {
    if (this.#options.record.options.mirror_ignore_serial_header === true) return
    if (before === undefined || now === undefined || now >= before) return
    throw new Problem(
      'upstream-failed',
      `Cannot take the page of ${name}: upstream sent serial ${now}, and ${before} before`,
      { hint: 'where upstream was changed on purpose, set mirror_ignore_serial_header=True on the mirror' },
    )
  }
}
