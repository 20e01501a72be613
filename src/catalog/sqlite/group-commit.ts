/**
 * Group commit: writes that come at the same time share one transaction, and with it the one sync of its COMMIT, which costs
 * more than all else that a small write does. Each is a savepoint of its own: one that fails takes nothing of the others with it.
 */
import type { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../model/errors.ts'

/** Writes in one group. More would not make the share of a sync any smaller, and all wait for the last. */
const GROUP_MOST = 64
/** A group that has been at it for so long takes no more writes: the first of it waits for its COMMIT. */
const GROUP_MS = 20
/** Writes that wait for their turn. Each is a request or a job under way; past this, whoever sends them should hear of it. */
const WAITING_MOST = 10_000

/** A write that has run, and not been committed. */
export interface Written<T> {
  readonly result: T
  /** Called when it is committed, before its caller hears of it. What it throws is told to that caller. */
  readonly committed: () => void
}

/** The connection that writes. */
export type WritingConnection = Pick<DatabaseSync, 'exec' | 'isTransaction'>

/** The turn of a connection among those of other workers that write to the same file. */
export interface Turn {
  /** Begins a transaction that may write. */
  begin(): Promise<void>
  /** It has ended, however it did. */
  ended(): void
  /** Its work is committed, and survives a crash. */
  committed(): void
}

interface Waiting {
  /** Does the work. Throws what the work throws. */
  run(): Promise<void>
  /** Tells the caller that it is committed. */
  resolve(): void
  reject(error: unknown): void
}

export class GroupCommit {
  readonly #raw: WritingConnection
  readonly #turn: Turn
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(raw: WritingConnection, turn: Turn) {
    this.#raw = raw
    this.#turn = turn
  }

  /**
   * Runs `work` after all that were given before, in a transaction that it may share with those that wait beside it, and
   * resolves after the COMMIT. Rejects with what `work` threw, of which then nothing is kept, or with what kept the group
   * from being committed. Throws `busy` where too many wait.
   */
  async write<T>(work: () => Promise<Written<T>>): Promise<T> {
    if (this.#waiting.length >= WAITING_MOST) {
      throw new Problem('busy', 'Cannot record the change now: too many others are waiting', { retrySeconds: 5 })
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    let written: Written<T>
    this.#waiting.push({
      run: async () => {
        written = await work()
      },
      resolve: () => {
        try {
          written.committed()
          resolve(written.result)
        } catch (error) {
          reject(error)
        }
      },
      reject,
    })
    this.#running ??= this.#runAll()
    return await promise
  }

  /** Waits until nothing is left to write. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #runAll(): Promise<void> {
    // Whose request or file is ready at this very moment joins: what has happened already is told before the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#runGroup()
    this.#running = undefined
  }

  async #runGroup(): Promise<void> {
    const began = performance.now()
    let done: Waiting[] = []
    for (let count = 0; count < GROUP_MOST && performance.now() - began < GROUP_MS; count++) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      try {
        if (done.length === 0) await this.#asFirst(next)
        else await this.#asAnother(next)
        done.push(next)
      } catch (error) {
        next.reject(error)
        // A disk that is full, or cannot be read, may make SQLite give up the whole transaction.
        if (this.#raw.isTransaction) continue
        for (const each of done) each.reject(error)
        done = []
      }
    }
    if (done.length > 0) this.#commit(done)
    this.#turn.ended()
  }

  /** Nothing is in the transaction that a failure could hurt. */
  async #asFirst(write: Waiting): Promise<void> {
    await this.#turn.begin()
    try {
      await write.run()
    } catch (error) {
      if (this.#raw.isTransaction) this.#raw.exec('ROLLBACK')
      throw error
    }
  }

  async #asAnother(write: Waiting): Promise<void> {
    this.#raw.exec('SAVEPOINT one')
    try {
      await write.run()
      this.#raw.exec('RELEASE one')
    } catch (error) {
      if (this.#raw.isTransaction) this.#raw.exec('ROLLBACK TO one; RELEASE one')
      throw error
    }
  }

  #commit(done: readonly Waiting[]): void {
    try {
      this.#raw.exec('COMMIT')
    } catch (error) {
      if (this.#raw.isTransaction) this.#raw.exec('ROLLBACK')
      for (const each of done) each.reject(error)
      return
    }
    this.#turn.committed()
    for (const each of done) each.resolve()
  }
}
