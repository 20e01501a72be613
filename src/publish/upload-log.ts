/** The entries that an upload adds to a file's history (devpi's log). */
import { type Principal, signatureOf } from '../model/access.ts'
import { devpiTime, type IndexRecord, type LogEntry } from '../model/records.ts'

/** The history of a new file, or of one in the place of `replaced`: how often it was replaced is counted on. */
export function uploadLog(
  replaced: { readonly log: readonly LogEntry[] } | undefined,
  who: Principal,
  record: IndexRecord,
  now: Date,
): readonly LogEntry[] {
  const by = signatureOf(who)
  const entry = { ...(by !== undefined && { who: by }), when: devpiTime(now), dst: record.name }
  const uploaded = { what: 'upload', ...entry } as const
  if (replaced === undefined) return [uploaded]
  const count = 1 + (replaced.log.find((each) => each.what === 'overwrite')?.count ?? 0)
  return [{ what: 'overwrite', ...entry, count }, uploaded]
}
