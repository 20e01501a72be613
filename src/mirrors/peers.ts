/**
 * The interface between workers. Worker 0 does for all workers what must happen once: it opens mirrors anew and fetches
 * their lists. Servers on several machines would choose that worker by a lease in the catalog, and ask it over the network.
 */
import type { SharedHolds } from '../blob/shared-holds.ts'
import type { Counters } from '../catalog/counters.ts'
import type { MirrorStatus } from './mirror-status.ts'

/** How worker 0 stands with the list of a mirror. */
export interface ListStanding {
  /** Why there is no new one. */
  readonly failure?: string
  /** Before that it is not asked for again, ms since 1970. */
  readonly nextTrialMs?: number
}

/** Worker 0, as the others see it. Each throws `busy` when it does not answer in time. */
export interface MirrorKeeper {
  /** When this returns, worker 0 has the mirror open as its record is now, and what another upstream left is forgotten. */
  openMirror(indexId: number): Promise<void>
  /** Fetches the list now, or joins the fetch that is under way. */
  refreshList(indexId: number): Promise<ListStanding>
}

/** What the mirrors of one worker have in common with those of the others. */
export interface SharedMirrors {
  readonly counters: Counters
  readonly holds: SharedHolds
  /** Absent in worker 0. */
  readonly keeper?: MirrorKeeper
  /** To be told after an index was removed. */
  readonly onPruned: () => void
}

/** What one worker has counted by itself since it started. */
export interface WorkerFigures {
  /** Answers, by the labels they are counted under. */
  readonly requests: ReadonlyMap<string, number>
  readonly uploads: number
  /** Of the answers, those that stood ready. */
  readonly ready: number
  readonly mirrors: readonly MirrorStatus[]
}

/** The other workers of this server, as one of them sees them. */
export interface Peers extends Omit<SharedMirrors, 'onPruned' | 'counters' | 'holds'> {
  /** This one's number; 0 does what happens in the background. */
  readonly worker: number
  /** There may be a job to do. */
  wake(): void
  pruned(): void
  /** Of all others. Throws `busy` when one does not answer in time: a sum without it would be wrong. */
  figures(): Promise<readonly WorkerFigures[]>
}

/** What the others may ask of one worker. */
export interface Duties extends MirrorKeeper {
  wake(): void
  pruned(): Promise<void>
  figures(): WorkerFigures
}
