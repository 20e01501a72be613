/** Adds up the figures of all workers of a server. */

import type { MirrorStatus } from '../../mirrors/mirror-status.ts'
import type { WorkerFigures } from '../../mirrors/peers.ts'
import type { CircuitState } from '../../upstream/reachability.ts'
import { RequestCounts } from '../request-counts.ts'

/** What all together have answered. */
export function addedCounts(all: readonly WorkerFigures[]): RequestCounts {
  const sum = new RequestCounts()
  for (const figures of all) sum.add(figures)
  return sum
}

/**
 * Each mirror once: its figures added up, of the states the one that is worst, of the lists the one that knows most. Each
 * worker finds out for itself whether upstream can be reached.
 */
export function addedMirrors(all: readonly WorkerFigures[]): MirrorStatus[] {
  const sums = new Map<string, MirrorStatus>()
  for (const status of all.flatMap(({ mirrors }) => mirrors)) {
    const known = sums.get(status.name)
    sums.set(status.name, known === undefined ? status : added(known, status))
  }
  return [...sums.values()]
}

const WORST: readonly CircuitState[] = ['open', 'waiting', 'half-open', 'closed']

function added(one: MirrorStatus, other: MirrorStatus): MirrorStatus {
  const worse = WORST.indexOf(other.state) < WORST.indexOf(one.state) ? other : one
  const age = (status: MirrorStatus) => status.list?.fetchedMs ?? 0
  // What one does not say, the other may know: the last change is worker 0's to tell.
  const list = age(one) < age(other) ? { ...one.list, ...other.list } : { ...other.list, ...one.list }
  const hasList = one.list !== undefined || other.list !== undefined
  return {
    ...worse,
    requests: one.requests + other.requests,
    failures: one.failures + other.failures,
    bytes: one.bytes + other.bytes,
    pageHits: one.pageHits + other.pageHits,
    pageMisses: one.pageMisses + other.pageMisses,
    fileHits: one.fileHits + other.fileHits,
    fileMisses: one.fileMisses + other.fileMisses,
    ...(hasList && { list }),
  }
}
