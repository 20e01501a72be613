/** The status of a mirror, for operators. */
import type { CircuitState } from '../upstream/reachability.ts'
import type { UpstreamFigures } from '../upstream/request.ts'
import type { ListChange } from './names-worker.ts'

/** Cache hits and misses since the mirror was opened. */
export interface CacheFigures {
  pageHits: number
  pageMisses: number
  fileHits: number
  fileMisses: number
}

export interface MirrorStatus extends UpstreamFigures, CacheFigures {
  readonly name: string
  /** Without credentials. */
  readonly upstream: string
  readonly state: CircuitState
  /** Why upstream is taken to be gone, since when, and when it is asked again (also when it wants a pause). */
  readonly failure?: string
  readonly downSinceMs?: number
  readonly nextTryMs?: number
  readonly list?: ListStatus
}

/** What operators want to see of a list. Times are ms since 1970. */
export interface ListStatus {
  readonly projects?: number
  /** Since when the names are these. */
  readonly changedMs?: number
  /** When upstream last told its names, or that they had not changed. */
  readonly fetchedMs?: number
  /** What the last change since the server started brought. */
  readonly lastChange?: ListChange
  readonly failure?: string
}
