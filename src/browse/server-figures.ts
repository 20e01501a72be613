/** Figures of the catalog for operators: counts, and the time of the last change. */
import type { Catalog } from '../catalog/catalog.ts'
import { countHeld } from '../catalog/file-totals.ts'
import { lastCommitTime } from '../catalog/journal.ts'
import { countJobs } from '../catalog/queue.ts'

export interface CatalogFigures {
  readonly held: { readonly projects: number; readonly files: number; readonly bytes: number }
  /** Jobs that wait or run. */
  readonly jobs: number
}

export async function catalogFigures(catalog: Catalog): Promise<CatalogFigures> {
  return await catalog.read(async (reader) => ({ held: await countHeld(reader), jobs: await countJobs(reader) }))
}

/** When the last change was committed, ms since 1970; `undefined` before the first. */
export async function lastChangeMs(catalog: Catalog): Promise<number | undefined> {
  const committed = await catalog.read((reader) => lastCommitTime(reader))
  return committed === undefined ? undefined : Date.parse(committed)
}
