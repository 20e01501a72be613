/** Compares two versions of an upstream page, and derives the changes for the journal and for the stored files. */
import type { File } from '../model/records.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import { isQuarantined } from './removal-policy.ts'

/** One line for the journal. */
export type UpstreamChange =
  | { readonly what: 'removed' | 'returned' | 'yanked' | 'unyanked'; readonly filename: string }
  | { readonly what: 'status'; readonly status: string }

/** Where a held file stands upstream: gone from the page since a time, or of a project that is quarantined (PEP 792). */
export type UpstreamState = { readonly removed: string } | 'quarantined'

/** From one page to the next; `undefined` is a project that upstream does not have. New files are no news of this kind. */
export function upstreamChanges(
  before: ProjectDetail | undefined,
  after: ProjectDetail | undefined,
): readonly UpstreamChange[] {
  const changes: UpstreamChange[] = []
  const now = byName(after)
  for (const file of before?.files ?? []) {
    const same = now.get(file.filename)
    if (same === undefined) changes.push({ what: 'removed', filename: file.filename })
    else if ((same.yanked === undefined) !== (file.yanked === undefined)) {
      changes.push({ what: same.yanked === undefined ? 'unyanked' : 'yanked', filename: file.filename })
    }
  }
  const [old, status] = [before, after].map((page) => page?.status?.status ?? 'active')
  if (before !== undefined && after !== undefined && old !== status) changes.push({ what: 'status', status: status! })
  return changes
}

/**
 * What the rows of held files should say now; only those that say something else. `now`: RFC 3339. Removed is what the
 * page `before` listed: a file of another upstream, mirrored before the URL was changed, was never this one's to remove.
 */
export function restated(
  held: readonly File[],
  before: ProjectDetail | undefined,
  page: ProjectDetail | undefined,
  now: string,
): readonly { readonly file: File; readonly yanked?: true | string; readonly state?: UpstreamState }[] {
  const listed = byName(page)
  const known = byName(before)
  const isSuspect = page !== undefined && isQuarantined(page)
  return held.flatMap((file) => {
    const same = listed.get(file.filename)
    const marked = typeof file.upstream === 'object' ? file.upstream : undefined
    const since = marked ?? (known.has(file.filename) ? { removed: now } : undefined)
    const state = isSuspect ? ('quarantined' as const) : same === undefined ? since : undefined
    // What is no longer listed keeps the mark it had: nobody says anything else of it.
    const yanked = same === undefined ? file.yanked : same.yanked
    if (JSON.stringify([state, yanked]) === JSON.stringify([file.upstream, file.yanked])) return []
    return [{ file, ...(yanked !== undefined && { yanked }), ...(state !== undefined && { state }) }]
  })
}

function byName(page: ProjectDetail | undefined): ReadonlyMap<string, DistributionFile> {
  return new Map((page?.files ?? []).map((file) => [file.filename, file]))
}
