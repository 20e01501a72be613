/** Brings advisories in, record by record, also beside a server that runs: it answers with each as soon as it is here. */

import { setTimeout as delay } from 'node:timers/promises'
import { ArchiveError } from '../../archive/source.ts'
import {
  completeImport,
  countAdvisories,
  modifiedTimes,
  removeAdvisories,
  type StoredAdvisory,
  saveAdvisories,
} from '../../catalog/advisories.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { parseBoundedJson } from '../../lib/bounded-json.ts'
import type { Clock } from '../../lib/clock.ts'
import { TooLong } from '../../lib/streams.ts'
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import { readAdvisory } from '../../pep/osv-record.ts'
import { type AdvisorySource, advisorySources } from './advisory-sources.ts'

export interface AdvisoryImport {
  /** New, or newer than what was here. */
  imported: number
  /** Here already, as new or newer. */
  unchanged: number
  /** About no Python package. */
  others: number
  /** Could not be read, and were left out. */
  faults: number
}

/**
 * Imports files and folders; `onFault` is told in a sentence of each record that is left out. The import counts as
 * complete when everything was seen. Throws `bad-request` where a file is not there or is a damaged zip (what was read
 * before stays), and where nothing about Python packages was found and none is here.
 */
export async function importAdvisories(
  { catalog, limits, clock }: { readonly catalog: Catalog; readonly limits: Limits; readonly clock: Clock },
  paths: readonly string[],
  onFault: (sentence: string) => void,
): Promise<AdvisoryImport> {
  const counts: AdvisoryImport = { imported: 0, unchanged: 0, others: 0, faults: 0 }
  const batch = new Batch(catalog, counts)
  for (const path of paths) {
    try {
      for await (const source of advisorySources(path, limits)) {
        try {
          await batch.add(await readSource(source))
        } catch (error) {
          if (!isFaultOfRecord(error)) throw error
          counts.faults++
          onFault(`Cannot use advisory ${JSON.stringify(source.name)}: ${error.message}`)
        }
      }
    } catch (error) {
      throw explained(error, path)
    }
  }
  await batch.flush()
  const { advisories } = await catalog.read(countAdvisories)
  if (advisories === 0) {
    throw new Problem('bad-request', 'Cannot import advisories: there is none about a Python package', {
      hint: 'take the file all.zip of the ecosystem PyPI from an OSV dump',
    })
  }
  await catalog.write((writer) => completeImport(writer, clock.now().toISOString()))
  return counts
}

/** Records have some eight levels, and list versions by the thousand. */
const BOUNDS = { depth: 64, values: 2_000_000 }
/** Records written in one transaction, and their text: a server beside it waits for no more than that. */
const BATCH_RECORDS = 200
const BATCH_CHARACTERS = 4 * 1024 * 1024
/** Between two transactions a server beside it gets its turn. */
const PAUSE_MS = 10

class Batch {
  readonly #catalog: Catalog
  readonly #counts: AdvisoryImport
  readonly #waiting = new Map<string, StoredAdvisory>()
  #characters = 0

  constructor(catalog: Catalog, counts: AdvisoryImport) {
    this.#catalog = catalog
    this.#counts = counts
  }

  async add(advisory: StoredAdvisory): Promise<void> {
    if (this.#waiting.has(advisory.id)) await this.flush()
    this.#waiting.set(advisory.id, advisory)
    this.#characters += advisory.record.length
    if (this.#waiting.size >= BATCH_RECORDS || this.#characters >= BATCH_CHARACTERS) await this.flush()
  }

  async flush(): Promise<void> {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#characters = 0
    const known = await this.#catalog.read((reader) =>
      modifiedTimes(
        reader,
        all.map(({ id }) => id),
      ),
    )
    const newer = all.filter(({ id, modified }) => isNewer(modified, known.get(id)))
    const wanted = newer.filter(({ packages }) => packages.length > 0)
    // It was about a Python package once.
    const gone = newer.filter(({ id, packages }) => packages.length === 0 && known.has(id)).map(({ id }) => id)
    this.#counts.imported += wanted.length
    this.#counts.others += newer.length - wanted.length
    this.#counts.unchanged += all.length - newer.length
    if (wanted.length + gone.length === 0) return
    await this.#catalog.write(async (writer) => {
      await removeAdvisories(writer, gone)
      await saveAdvisories(writer, wanted)
    })
    await delay(PAUSE_MS)
  }
}

/** Dumps tell times to the microsecond, which `Date` does not know. */
function isNewer(modified: string, known: string | undefined): boolean {
  if (known === undefined) return true
  const laterMs = Date.parse(modified) - Date.parse(known)
  return laterMs > 0 || (laterMs === 0 && modified !== known)
}

async function readSource(source: AdvisorySource): Promise<StoredAdvisory> {
  const record: unknown = parseBoundedJson(await source.text(), BOUNDS)
  return { ...readAdvisory(record), record: JSON.stringify(record) }
}

/** A member of a zip that is damaged says nothing about the others; a directory that is damaged does. */
function isFaultOfRecord(error: unknown): error is Error {
  return error instanceof SyntaxError || error instanceof TooLong || error instanceof ArchiveError
}

function explained(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  const why =
    error instanceof ArchiveError
      ? error.message
      : code === 'ENOENT' || code === 'EACCES'
        ? 'it cannot be opened'
        : undefined
  if (why === undefined) return error
  return new Problem('bad-request', `Cannot import advisories from "${path}": ${why}`, { cause: error })
}
