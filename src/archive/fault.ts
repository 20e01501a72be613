/** A fault of an archive or its metadata, and the rules that find faults. */

/** One rule. The list of them is also what `docs/uploads.md` is made of. */
export interface Rule<Seen> {
  /** What is refused, for the documentation: `Two members of the same name`. */
  readonly refuses: string
  /** What whoever uploads can do about it: a sentence without capital and full stop, for a hint. */
  readonly fix: string
  /** About form, not safety: an index whose `upload_checks` is `lenient` takes it. */
  readonly isForm?: true
  /** What is wrong, a clause that begins with "it" or "its"; `undefined` where nothing is. */
  readonly fault: (seen: Seen) => string | undefined
}

export interface Fault extends Pick<Rule<never>, 'refuses' | 'fix'> {
  readonly what: string
  readonly isForm: boolean
}

/** All that the rules find wrong, in their order. */
export function faultsOf<Seen>(rules: readonly Rule<Seen>[], seen: Seen): Fault[] {
  const faults: Fault[] = []
  for (const rule of rules) {
    const what = rule.fault(seen)
    if (what !== undefined) faults.push({ what, refuses: rule.refuses, fix: rule.fix, isForm: rule.isForm ?? false })
  }
  return faults
}

/** Text from an archive for a message: quoted, and not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
