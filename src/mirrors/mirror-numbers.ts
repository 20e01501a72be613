/** The change numbers of a mirror's projects: from its list, or from the stored files while there is no list. */
import type { Catalog } from '../catalog/catalog.ts'
import { findProject } from '../catalog/projects.ts'
import type { IndexPage } from '../indexes/package-index.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { MirrorNames } from './mirror-names.ts'

export class MirrorNumbers {
  readonly #catalog: Catalog
  readonly #record: MirrorRecord
  readonly #names: MirrorNames | undefined

  constructor({ catalog, record, names }: { catalog: Catalog; record: MirrorRecord; names?: MirrorNames }) {
    this.#catalog = catalog
    this.#record = record
    this.#names = names
  }

  /** The server's own number; `isCut`: only what is here is listed now. Asks no upstream. */
  async own(name: ProjectName, isCut: boolean): Promise<number | undefined> {
    if (!isCut && this.#names !== undefined) return (await this.#names.numbers(name))?.own
    return (await this.#catalog.read((reader) => findProject(reader, this.#record, name)))?.stamp
  }

  /**
   * The page with the numbers that the list has: upstream's where the list tells them, else the server's own. A page that is
   * older than its place on the list keeps what it came with, so that its reader asks again.
   */
  async numbered(page: IndexPage, isCut: boolean): Promise<IndexPage> {
    const { lastStamp: came, ...rest } = page
    const listed = isCut ? undefined : await this.#names?.numbers(page.name)
    if (listed === undefined) {
      const own = await this.own(page.name, isCut)
      return own === undefined ? page : { ...rest, ownStamp: own, lastStamp: Math.max(own, came ?? 0) }
    }
    const { own, upstream } = listed
    if (upstream === undefined) return page.stale !== undefined ? rest : { ...rest, ownStamp: own, lastStamp: own }
    const isOlder = came === undefined ? page.stale !== undefined : came < upstream
    return isOlder ? page : { ...rest, ownStamp: own, lastStamp: came ?? upstream }
  }
}
