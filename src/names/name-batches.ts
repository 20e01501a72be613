/** Project names on the move: sorted batches, because a list of 900,000 costs a thousand steps that way instead of a million. */
import type { ProjectName } from '../pep/name.ts'

/** Names in order of code points, each once, in batches of any size but zero; sorted also from batch to batch. */
export type NameBatches = AsyncIterable<readonly ProjectName[]>

/** As `NameBatches`, with change numbers. */
export type ListedBatches = AsyncIterable<readonly ListedName[]>

/** A name with its change numbers: the server's own (see `Catalog.stamp`), and upstream's where it tells one. */
export interface ListedName {
  readonly name: ProjectName
  readonly own: number
  readonly upstream?: number
}

/** Names in one batch that is made here. */
const BATCH = 1000

/** Several sorted sources as one, each name once. */
export async function* mergeNames(sources: readonly NameBatches[]): AsyncGenerator<readonly ProjectName[]> {
  if (sources.length === 1) {
    yield* sources[0]!
    return
  }
  const readers = sources.map((source) => new BatchReader(source))
  try {
    for (const reader of readers) await reader.fill()
    let batch: ProjectName[] = []
    while (true) {
      let least: ProjectName | undefined
      for (const { head } of readers) if (head !== undefined && (least === undefined || head < least)) least = head
      if (least === undefined) break
      batch.push(least)
      for (const reader of readers) {
        // Only the end of a batch is waited for: the million steps between are plain ones.
        if (reader.head === least && !reader.advance()) await reader.fill()
      }
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  } finally {
    for (const reader of readers) await reader.close()
  }
}

/** Several sorted sources as one, each name once, with the greatest of its change numbers. */
export async function* mergeListed(sources: readonly ListedBatches[]): AsyncGenerator<readonly ListedName[]> {
  const readers = sources.map((source) => new BatchReader(source))
  try {
    for (const reader of readers) await reader.fill()
    let batch: ListedName[] = []
    while (true) {
      let least: ProjectName | undefined
      for (const { head } of readers) {
        if (head !== undefined && (least === undefined || head.name < least)) least = head.name
      }
      if (least === undefined) break
      let own = 0
      for (const reader of readers) {
        if (reader.head?.name !== least) continue
        own = Math.max(own, reader.head.own)
        if (!reader.advance()) await reader.fill()
      }
      batch.push({ name: least, own })
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  } finally {
    for (const reader of readers) await reader.close()
  }
}

/** How many names `now` has that `before` lacks, and the other way round. */
export async function difference(
  before: NameBatches,
  now: NameBatches,
): Promise<{ readonly added: number; readonly removed: number }> {
  const [old, young] = [new BatchReader(before), new BatchReader(now)]
  let [added, removed] = [0, 0]
  try {
    await old.fill()
    await young.fill()
    while (old.head !== undefined || young.head !== undefined) {
      const isOld = young.head === undefined || (old.head !== undefined && old.head <= young.head)
      const isYoung = old.head === undefined || (young.head !== undefined && young.head <= old.head)
      if (!isOld) added++
      if (!isYoung) removed++
      if (isOld && !old.advance()) await old.fill()
      if (isYoung && !young.advance()) await young.fill()
    }
    return { added, removed }
  } finally {
    await old.close()
    await young.close()
  }
}

/** Reads what comes in batches one by one; `fill` comes before the first. */
export class BatchReader<T> {
  /** The next; `undefined` at the end. */
  head: T | undefined
  readonly #source: AsyncIterator<readonly T[]>
  #batch: readonly T[] = []
  #place = 0

  constructor(source: AsyncIterable<readonly T[]>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Steps on; false where the next batch has to be fetched. */
  advance(): boolean {
    this.#place++
    this.head = this.#batch[this.#place]
    return this.head !== undefined
  }

  async fill(): Promise<void> {
    do {
      const next = await this.#source.next()
      this.#batch = next.done ? [] : next.value
      this.#place = 0
      this.head = this.#batch[0]
      if (next.done) return
    } while (this.head === undefined)
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }
}
