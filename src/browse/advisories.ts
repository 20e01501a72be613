/** Answers queries about known vulnerabilities from the imported advisories. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AdvisoryOfProject, advisoriesOf, findAdvisory, lastImport } from '../catalog/advisories.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { ProjectName } from '../pep/name.ts'
import { matcherOf } from '../pep/osv-match.ts'
import { type AdvisoryQuery, pageToken } from '../pep/osv-query.ts'
import { fixedVersions } from '../pep/osv-record.ts'

export interface AdvisoryPage {
  /** By id. */
  readonly advisories: readonly Pick<AdvisoryOfProject, 'id' | 'modified'>[]
  /** Asks for the rest, where there is one. */
  readonly nextPageToken?: string
}

/** An advisory with its whole record, and the versions that mend the project that was asked for. */
export interface FullAdvisory {
  readonly record: Readonly<Record<string, unknown>>
  readonly fixed: readonly string[]
}

export class Advisories {
  readonly #catalog: Catalog
  readonly #limits: Limits

  constructor({ catalog, limits }: { readonly catalog: Catalog; readonly limits: Limits }) {
    this.#catalog = catalog
    this.#limits = limits
  }

  /**
   * What is known to each question, in their order; withdrawn advisories are not. Throws `advisories-missing` where none
   * was imported to the end, which nobody must take for "none is known", and `bad-request` for too many questions.
   */
  async find(queries: readonly AdvisoryQuery[]): Promise<AdvisoryPage[]> {
    const { advisoryQueries, advisoriesPerPage, advisoriesPerBatch } = this.#limits
    if (queries.length > advisoryQueries) {
      throw new Problem('bad-request', `Too many queries: ${queries.length}, at most ${advisoryQueries} are allowed`)
    }
    await this.#requireAny()
    const byProject = Map.groupBy(queries.entries(), ([, { project }]) => project)
    const pages: AdvisoryPage[] = queries.map(() => ({ advisories: [] }))
    let rest = advisoriesPerBatch
    for (const [project, asked] of byProject) {
      const known = (await this.#catalog.read((reader) => advisoriesOf(reader, project)))
        .filter(({ withdrawn }) => withdrawn === undefined)
        .map((each) => ({ ...each, matches: matcherOf(each.affected) }))
      for (const [place, { version, after = '' }] of asked) {
        const isAsked = ({ id, matches }: (typeof known)[number]) =>
          id > after && (version === undefined || matches(version))
        const found = known.filter(isAsked)
        const page = found.slice(0, Math.min(advisoriesPerPage, rest))
        rest -= page.length
        pages[place] = {
          advisories: page.map(({ id, modified }) => ({ id, modified })),
          ...(page.length < found.length && { nextPageToken: pageToken(page.at(-1)?.id ?? after) }),
        }
        // A thousand questions take a while, and others ask as well.
        await nextTurn()
      }
    }
    return pages
  }

  /** The record as JSON. Throws `no-such-advisory`, and `advisories-missing` as `find` does. */
  async record(id: string): Promise<string> {
    const found = await this.#catalog.read((reader) => findAdvisory(reader, id))
    if (found !== undefined) return found
    await this.#requireAny()
    throw new Problem('no-such-advisory', 'Vulnerability not found.')
  }

  /** Those that a version is affected by, also the withdrawn, up to the bound of one page; none where none was imported. */
  async ofVersion(project: ProjectName, version: string): Promise<FullAdvisory[]> {
    const known = await this.#catalog.read((reader) => advisoriesOf(reader, project))
    const matching = known.filter(({ affected }) => matcherOf(affected)(version))
    const found: FullAdvisory[] = []
    for (const { id, affected } of matching.slice(0, this.#limits.advisoriesPerPage)) {
      const record = await this.#catalog.read((reader) => findAdvisory(reader, id))
      // Removed or replaced in between.
      if (record === undefined) continue
      found.push({ record: JSON.parse(record) as FullAdvisory['record'], fixed: fixedVersions(affected) })
    }
    return found
  }

  async #requireAny(): Promise<void> {
    if ((await this.#catalog.read(lastImport)) !== undefined) return
    throw new Problem('advisories-missing', 'Cannot look up vulnerabilities: no advisories were imported', {
      hint: 'on the server run: airlock advisories import all.zip',
    })
  }
}
