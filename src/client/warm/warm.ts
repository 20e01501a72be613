/** Fills the mirrors behind an index with the wanted files. */

import {
  type Choice,
  type ChoiceOptions,
  type ChosenFile,
  chooseFiles,
  type Missing,
} from '../../locks/choose-files.ts'
import type { Wanted, WantedRelease } from '../../locks/wanted.ts'
import type { ProjectName } from '../../pep/name.ts'
import type { ProjectDetail } from '../../pep/simple.ts'
import { progressBar, progressCount } from '../progress.ts'
import type { Session } from '../session.ts'
import { type Held, NotHad, WarmRequests } from './warm-requests.ts'

export interface Warmed {
  readonly held: readonly HeldFile[]
  /** Projects without a version in the file, and the version taken. */
  readonly newest: readonly { readonly project: ProjectName; readonly specifier: string; readonly version: string }[]
  readonly missing: readonly Missing[]
  readonly skipped: Wanted['skipped']
}

export interface HeldFile {
  readonly project: ProjectName
  readonly version: string
  readonly filename: string
  readonly sizeBytes?: number
  readonly how: Held
}

/** Requests under way at once: what the server asks upstream for stays polite. */
const LANES = 4

/** Asks for every page, then for every file. What cannot be had is told in the result; only trouble of this side is thrown, and the signal to stop. */
export async function warm(session: Session, wanted: Wanted, options: ChoiceOptions): Promise<Warmed> {
  const { stop, stderr } = session.context
  // What is on its way is not waited for.
  stop?.addEventListener('abort', () => session.connection.close(), { once: true })
  const requests = new WarmRequests(session)
  const missing: Missing[] = []
  const newest: Warmed['newest'][number][] = []
  const files = new Map<string, ChosenFile>()
  const byProject = [...Map.groupBy(wanted.releases, (release) => release.project)]
  using count = progressCount(stderr, 'pages', byProject.length)
  await inLanes(byProject, async ([project, releases]) => {
    count.add()
    const chosen = await choices(requests, project, releases, options)
    if (chosen instanceof NotHad) {
      for (const { version } of releases) {
        missing.push({ project, ...(version !== undefined && { version }), reason: chosen.message })
      }
      return
    }
    for (const [at, choice] of chosen.entries()) {
      missing.push(...choice.missing)
      if (choice.newest !== undefined) {
        newest.push({ project, specifier: releases[at]!.specifier, version: choice.newest })
      }
      for (const each of choice.files) files.set(`${project} ${each.file.filename}`, each)
    }
  })

  count[Symbol.dispose]()

  const held: HeldFile[] = []
  const all = [...files.values()].sort((a, b) => (a.file.filename < b.file.filename ? -1 : 1))
  const totalBytes = all.reduce((sum, { file }) => sum + (file.size ?? 0), 0)
  using bar = progressBar(stderr, `${all.length} files`, totalBytes)
  let doneBytes = 0
  await inLanes(all, async (each) => {
    const { project, version, file } = each
    try {
      const how = await requests.file(each, (count) => {
        doneBytes += count
        bar.at(doneBytes)
      })
      const size = file.size === undefined ? {} : { sizeBytes: file.size }
      held.push({ project, version, filename: file.filename, ...size, how })
      // Those without a hash are read from the file, which is there now.
      if (typeof file.coreMetadata === 'object') await requests.metadata(file)
    } catch (error) {
      if (!(error instanceof NotHad)) throw error
      const isHeld = held.some((other) => other.filename === file.filename)
      missing.push({
        project,
        version,
        filename: isHeld ? `${file.filename}.metadata` : file.filename,
        reason: error.message,
      })
    }
  })
  const byName = (a: { project: string }, b: { project: string }) => (a.project < b.project ? -1 : 1)
  return {
    held: held.sort((a, b) => (a.filename < b.filename ? -1 : 1)),
    newest: newest.sort(byName),
    missing: missing.sort(byName),
    skipped: wanted.skipped,
  }
}

/** What is missing on the page that the server remembers may be on upstream's: it is asked for anew once. */
async function choices(
  requests: WarmRequests,
  project: ProjectName,
  releases: readonly WantedRelease[],
  options: ChoiceOptions,
): Promise<readonly Choice[] | NotHad> {
  const choose = (page: ProjectDetail) => releases.map((release) => chooseFiles(release, page, options))
  try {
    const first = choose(await requests.page(project))
    if (first.every((choice) => choice.missing.length === 0)) return first
    return await requests.page(project, true).then(choose, (error: unknown) => {
      if (error instanceof NotHad) return first
      throw error
    })
  } catch (error) {
    if (error instanceof NotHad) return error
    throw error
  }
}

async function inLanes<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const lane = async () => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}
