/** The catalog: the metadata database and its journal. Types say who writes: a function that takes a `Writer` changes something. */
import type { Kysely } from 'kysely'
import type { Change, Job, Serial } from '../model/records.ts'
import type { Counters } from './counters.ts'
import type { Schema } from './schema.ts'
import type { SearchFinder, SearchKeeper } from './search.ts'
import type { Runs } from './statement.ts'

/** A consistent view of the catalog at one serial. Used after its transaction, it and every query made with it throw `TypeError`. */
export interface Reader extends Runs {
  /** For the modules of this folder only: queries are written here and nowhere else. */
  readonly db: Kysely<Schema>
  readonly search: SearchFinder
}

/** One transaction. */
export interface Writer extends Reader {
  readonly search: SearchKeeper
  /** A line for the journal; a write without one takes no serial. */
  change(change: Change): void
  /** Later work commits with the change that caused it. Asking again under the same key is the same job. */
  enqueue(job: Job): Promise<void>
  /** Runs after the commit, to wake somebody up; never to do the work. */
  onCommit(fn: () => void): void
}

export interface Catalog extends AsyncDisposable {
  /**
   * Serial of the last committed write as it stood at most `ageMs` ago, 0 before the first; `undefined` where nothing so young is
   * known here. On one machine all workers share the number: it is always there, and always the last. Where several machines
   * write, each knows what it heard last: its own commits at once, those of others when it is told of them.
   */
  serialWithin(ageMs: number): Serial | undefined
  /** Serial of the last committed write, asked of the catalog itself where it is not known. */
  latestSerial(): Promise<Serial>
  /**
   * A number for a change that happens now, above every one that was given before: milliseconds since 1970, or the next
   * where several fall into one. Committed changes stamp their projects with it, so that whoever copies an index can tell
   * what changed since a visit, also across indexes and lists of upstreams. Later writes get greater ones.
   */
  stamp(): Promise<number>
  /** The greatest that was given. */
  readonly lastStamp: number
  readonly counters: Counters
  /** Calls `wake` after each commit here that left work in the job table. */
  whenEnqueued(wake: () => void): void
  read<T>(fn: (reader: Reader) => Promise<T>): Promise<T>
  /** One transaction at a time. Its changes are journalled and take the next serial, or none of it happened. */
  write<T>(fn: (writer: Writer) => Promise<T>): Promise<T>
}
