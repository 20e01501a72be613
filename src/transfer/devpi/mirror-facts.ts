/** Facts about a mirror's files, from its releases in a dump: yanks and `requires-python`. */
import type { Catalog } from '../../catalog/catalog.ts'
import { listFiles, saveFile } from '../../catalog/files.ts'
import type { File, IndexRecord } from '../../model/records.ts'
import { projectName } from '../../pep/name.ts'
import { asRecord, yankedOf } from './dump-values.ts'

export class MirrorFacts {
  readonly #catalog: Catalog
  /** Of the project that was told of last: in a dump its releases stand together. */
  #of = ''
  #files: ReadonlyMap<string, readonly File[]> = new Map()

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Adds what a release says to its files that are here. Throws `SyntaxError` for a bad name. */
  async take(
    index: IndexRecord,
    release: { readonly project: string; readonly version: string; readonly value: unknown },
  ): Promise<void> {
    const given = asRecord(release.value)
    const yanked = yankedOf(given?.yanked)
    const requiresPython = given?.requires_python
    for (const file of await this.#filesOf(index, release.project, release.version)) {
      const isOpen = typeof requiresPython === 'string' && requiresPython !== '' && file.requiresPython === undefined
      if (yanked === undefined && !isOpen) continue
      const more = { ...(yanked !== undefined && { yanked }), ...(isOpen && { requiresPython }) }
      await this.#catalog.write((writer) => saveFile(writer, index, { ...file, ...more }, 'mirrored'))
    }
  }

  async #filesOf(index: IndexRecord, text: string, version: string): Promise<readonly File[]> {
    const project = projectName(text)
    if (this.#of !== `${index.name}/${project}`) {
      const files = await this.#catalog.read((reader) => listFiles(reader, index, project))
      this.#of = `${index.name}/${project}`
      this.#files = Map.groupBy(files, (file) => file.version)
    }
    return this.#files.get(version) ?? []
  }
}
