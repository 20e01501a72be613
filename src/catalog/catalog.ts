/** What exists, and what happened. The type says who may write: a function that takes a `Writer` changes something. */
import type { Kysely } from 'kysely'
import type { Change, Job, Serial } from '../model/records.ts'
import type { Schema } from './schema.ts'
import type { Prepares } from './sqlite/statement.ts'

/** A consistent view of the catalog at one serial. */
export interface Reader extends Prepares {
  /** For the modules of this folder only: queries are written here and nowhere else. */
  readonly db: Kysely<Schema>
}

/** One transaction. */
export interface Writer extends Reader {
  /** A line for the journal; a write without one takes no serial. */
  change(change: Change): void
  /** Later work commits with the change that caused it. Asking again under the same key is the same job. */
  enqueue(job: Job): Promise<void>
  /** Runs after the commit, to wake somebody up; never to do the work. */
  onCommit(fn: () => void): void
}

export interface Catalog extends AsyncDisposable {
  /** Serial of the last committed write; 0 before the first. */
  readonly serial: Serial
  /**
   * A number for a change that happens now, above every one that was given before: milliseconds since 1970, or the next
   * where several fall into one. Committed changes stamp their projects with it, so that whoever copies an index can tell
   * what changed since a visit, also across indexes and lists of upstreams. Later writes get greater ones.
   */
  stamp(): Promise<number>
  /** The greatest that was given. */
  readonly lastStamp: number
  read<T>(fn: (reader: Reader) => Promise<T>): Promise<T>
  /** One transaction at a time. Its changes are journalled and take the next serial, or none of it happened. */
  write<T>(fn: (writer: Writer) => Promise<T>): Promise<T>
}
