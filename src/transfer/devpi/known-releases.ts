/** The releases that files of a dump are put with. */
import type { Catalog } from '../../catalog/catalog.ts'
import { listReleases } from '../../catalog/projects.ts'
import type { IndexRecord, Release } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { asVersion, compareVersions } from '../../pep/version.ts'

export interface KnownRelease {
  readonly version: string
  readonly requiresPython?: string
}

/** The releases of the project that was asked for last: in a dump its files stand together. */
export class KnownReleases {
  readonly #catalog: Catalog
  #of = ''
  #releases = new Map<string, KnownRelease>()

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** By the version as written, with `-` for `_` (devpi's rule for versions read from names), or equal under PEP 440. */
  async find(index: IndexRecord, project: ProjectName, version: string): Promise<KnownRelease | undefined> {
    if (this.#of !== `${index.name}/${project}`) {
      const releases = await this.#catalog.read((reader) => listReleases(reader, index, project))
      this.#of = `${index.name}/${project}`
      this.#releases = new Map(releases.map((release) => [release.version, knownRelease(release)]))
    }
    const exact = this.#releases.get(version) ?? this.#releases.get(version.replaceAll('_', '-'))
    if (exact !== undefined || asVersion(version) === undefined) return exact
    return this.#releases.values().find((each) => compareVersions(each.version, version) === 0)
  }

  /** One of the project that was asked for last. */
  add(release: KnownRelease): void {
    this.#releases.set(release.version, release)
  }
}

function knownRelease({ version, metadata }: Release): KnownRelease {
  const requiresPython = metadata.requires_python
  return { version, ...(typeof requiresPython === 'string' && { requiresPython }) }
}
