/** The thread that fetches, parses, sorts and compresses an upstream's list of all projects, so that no request waits for that work. */
import { once } from 'node:events'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../lib/clock.ts'
import { renameDurably } from '../lib/durable.ts'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'
import { finishList, UNTOLD_MS } from '../names/list-writer.ts'
import { difference } from '../names/name-batches.ts'
import { NameList } from '../names/name-list.ts'
import { sortNames } from '../names/name-sort.ts'
import type { UpstreamPlace } from '../upstream/request.ts'
import { Upstream } from '../upstream/upstream.ts'
import { STAMP_WANTED } from './stamp-wanted.ts'

export interface NamesWork {
  readonly upstream: UpstreamPlace
  /** The list to replace. */
  readonly path: string
  /** A folder on the same file system for unfinished files; the caller that made it removes it. */
  readonly folder: string
  /** Of the list that is here, and what upstream called it. */
  readonly known?: ListValidators
  readonly nowMs: number
}

/** For asking again; only of use while the list `id` is here. */
export interface ListValidators {
  readonly id: string
  readonly etag?: string
  readonly lastModified?: string
}

export type NamesResult =
  /** Upstream sent a list, which is at `path` now. Where it has the same names as the one before, that one still is. */
  | { readonly kind: 'list'; readonly validators: ListValidators; readonly change?: ListChange }
  /** Upstream said that its list is the one that is here. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'failed'
      readonly reason: string
      /** Upstream gave no answer at all. */
      readonly isUnreachable: boolean
      readonly retrySeconds?: number
    }

/** Names that came and went; of the first list all came. */
export interface ListChange {
  readonly added: number
  readonly removed: number
}

const work = workerData as NamesWork
await using upstream = new Upstream({ ...work.upstream, offline: false, clock: systemClock })
let result: NamesResult
try {
  result = await update(work)
} catch (error) {
  const retrySeconds = error instanceof Problem ? error.retrySeconds : undefined
  const isUnreachable = upstream.reachability.failure !== undefined
  result = {
    kind: 'failed',
    reason: reasonOf(error),
    isUnreachable,
    ...(retrySeconds !== undefined && { retrySeconds }),
  }
}
parentPort?.postMessage(result)

async function update({ path, folder, known, nowMs, upstream: { limits } }: NamesWork): Promise<NamesResult> {
  await using before = await NameList.open(path)
  const index = await before?.index()
  // Where nothing tells what has changed, "nothing has" is no answer for ever.
  const isUntold = index !== undefined && index.lastUpstream === undefined && nowMs - index.listedMs >= UNTOLD_MS
  const isKnown = index !== undefined && index.id === known?.id && !isUntold
  const answer = await upstream.list(isKnown ? known : {})
  if (answer.kind !== 'names') return answer
  const made = join(folder, 'list')
  await sortNames(answer.names, made, { folder, runNames: limits.sortRunNames })
  const finished = await finishList(made, { before, nowMs, stamp })
  const { names: _read, kind: _kind, ...validators } = answer
  const found = { kind: 'list', validators: { ...validators, id: finished.now.id } } as const
  if (!finished.isChanged) return found
  await using now = await NameList.open(made)
  const change: ListChange =
    before === undefined ? { added: finished.now.count, removed: 0 } : await difference(before.names(), now!.names())
  await renameDurably(made, path)
  const isTold = change.added > 0 || change.removed > 0
  return { ...found, ...(isTold && { change }) }
}

async function stamp(): Promise<number> {
  const answer = once(parentPort!, 'message')
  parentPort!.postMessage(STAMP_WANTED)
  return ((await answer) as [number])[0]
}
