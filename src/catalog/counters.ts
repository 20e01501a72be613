/**
 * The numbers that all who serve one catalog have in common, besides the serial. The workers of one server keep them in memory
 * that their threads share (`SharedCounters`), where each is read at once. Servers on several machines would keep them in the
 * catalog and tell each other of changes; until a change is heard of, a number is an older one, and never a newer one.
 */
export interface Counters {
  /** Another number when a remembered page of a mirror was committed, or some were forgotten. */
  readonly pages: bigint
  /** To be called after the commit. */
  pagesChanged(): void
  /** Another number when a mirror's list of names was put in place or confirmed. */
  readonly lists: bigint
  listsChanged(): void
  /** Changes with `pages` and `lists`. */
  readonly mirrorNews: bigint
  /** Whether a list has its stamp already, and is not in place yet. */
  readonly isListComing: boolean
  /** Before a list gets its stamp; dispose when it is in place, or will not be. */
  listComes(): Disposable
}
