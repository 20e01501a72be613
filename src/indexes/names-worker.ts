/** The thread that fetches, parses and sorts an upstream's list of all projects, so that answering requests never waits for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../lib/clock.ts'
import { reasonOf } from '../lib/reason.ts'
import type { Limits } from '../model/limits.ts'
import { sortNames } from './name-sort.ts'
import { Upstream } from './upstream.ts'

export interface NamesWork {
  readonly url: string
  readonly userAgent: string
  readonly limits: Limits
  /** The list to replace. */
  readonly path: string
  /** A folder on the same file system for what is not finished. */
  readonly temp: string
}
export type NamesResult =
  | { readonly count: number }
  | {
      readonly failure: string
      /** Upstream gave no answer at all. */
      readonly isUnreachable: boolean
    }

const work = workerData as NamesWork
await using upstream = new Upstream({ ...work, offline: false, clock: systemClock })
let result: NamesResult
try {
  result = {
    count: await sortNames(upstream.names(), work.path, { temp: work.temp, runNames: work.limits.sortRunNames }),
  }
} catch (error) {
  result = { failure: reasonOf(error), isUnreachable: upstream.reachability.failure !== undefined }
}
parentPort?.postMessage(result)
