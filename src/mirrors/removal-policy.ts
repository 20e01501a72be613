/** Decides what happens to stored files that the upstream removed, yanked or quarantined: option `mirror_removals`. */
import { Problem } from '../model/errors.ts'
import type { MirrorOptions } from '../model/index-options.ts'
import type { File } from '../model/records.ts'
import type { ProjectDetail } from '../pep/simple.ts'

/**
 * - `keep` (unless told): a removed file stays at its address, and on the page marked as yanked, so that who has pinned it
 *   gets it and nobody else.
 * - `follow`: a removed file is neither listed nor delivered.
 * - `block`: as `follow`, and a yanked file is not delivered either.
 *
 * What is quarantined (PEP 792: suspected to do harm) is never listed nor delivered.
 */
export type RemovalPolicy = NonNullable<MirrorOptions['mirror_removals']>

/** The held file as a page may list it; `undefined` where it may not. */
export function listable(policy: RemovalPolicy, file: File): File | undefined {
  if (file.upstream === undefined) return file
  if (file.upstream === 'quarantined' || policy !== 'keep') return undefined
  return { ...file, yanked: file.yanked ?? `removed from upstream, as seen on ${file.upstream.removed.slice(0, 10)}` }
}

/** Throws `file-withheld`, with the reason, for what must not be delivered. */
export function checkDeliverable(policy: RemovalPolicy, file: File): void {
  const reason =
    file.upstream === 'quarantined'
      ? QUARANTINED
      : file.upstream !== undefined && policy !== 'keep'
        ? `upstream removed it, as seen on ${file.upstream.removed.slice(0, 10)}`
        : file.yanked !== undefined && policy === 'block'
          ? `it was yanked${file.yanked === true ? '' : `: ${file.yanked}`}`
          : undefined
  if (reason !== undefined) throw withheld(file.filename, reason)
}

/** Whatever else its page says. */
export function isQuarantined(page: ProjectDetail): boolean {
  return page.status?.status === 'quarantined'
}

export function withheld(filename: string, reason = QUARANTINED): Problem {
  return new Problem('file-withheld', `Cannot deliver "${filename}": ${reason}`, {
    hint: 'choose another version; the owner of the mirror decides with mirror_removals',
  })
}

const QUARANTINED = 'its project is quarantined upstream'
