/** From a file's place below `packages/` on an index to the file, wherever in the chain it lies. */
import type { Catalog } from '../catalog/catalog.ts'
import { wasDeleted } from '../catalog/deleted-addresses.ts'
import { findFiles } from '../catalog/files.ts'
import { fileAddress } from '../model/file-address.ts'
import { packagesPath } from '../model/packages-path.ts'
import type { File, IndexRecord } from '../model/records.ts'
import { candidates } from '../pep/filename.ts'
import type { AskedAddress } from './locate-file.ts'
import type { OpenIndex } from './open-index.ts'

export interface AskedPackage {
  /** `aa/bb/rest`. */
  readonly path: string
  /** May end in `.metadata`. */
  readonly filename: string
}

export interface LocatedPackage {
  /** The index that it lies on. */
  readonly record: IndexRecord
  /** Its address there. */
  readonly address: AskedAddress
}

/**
 * Only layers that may answer for the file's project are asked, as for its page: a name that a stage keeps from the mirrors
 * is not looked for there. Throws what the layers throw.
 */
export async function locatePackage(
  catalog: Catalog,
  opened: OpenIndex,
  { path, filename }: AskedPackage,
): Promise<LocatedPackage | undefined> {
  const archive = filename.replace(/\.(metadata|provenance)$/, '')
  const likely = candidates(archive).map((each) => each.project)
  const held = await catalog.read(async (reader) => {
    const found: File[] = []
    for (const record of opened.chain) found.push(...(await findFiles(reader, record, archive)))
    return found
  })
  for (const project of new Set([...held.map((file) => file.project), ...likely])) {
    for (const layer of await opened.index.answering(project)) {
      const record = opened.chain.find((each) => each.name === layer.name)!
      const here = held.find((file) => file.project === project && file.index === record.name)
      if (here !== undefined) {
        if (packagesPath({ ...here, sha256: here.digest }) !== path) continue
        return { record, address: { kind: '+f', hashStart: here.addressHash.slice(0, 16) } }
      }
      if (layer.kind === 'stage') continue
      const source = await layer.file(project, archive)
      if (source?.from !== 'upstream') continue
      const { origin, digest } = source
      if (packagesPath({ origin, ...(digest !== undefined && { sha256: digest }) }) !== path) continue
      return { record, address: addressIn(source.address) }
    }
  }
  const gone = await goneFrom(catalog, opened, { path, filename })
  return gone && { record: gone, address: { kind: '+f', hashStart: path.replaceAll('/', '').slice(0, 16) } }
}

/** The stage of the chain that had it until it was removed or replaced. */
async function goneFrom(
  catalog: Catalog,
  opened: OpenIndex,
  { path, filename }: AskedPackage,
): Promise<IndexRecord | undefined> {
  const hash = path.replaceAll('/', '')
  return await catalog.read(async (reader) => {
    for (const record of opened.chain) {
      if (await wasDeleted(reader, fileAddress(record.name, hash, filename))) return record
    }
    return undefined
  })
}

function addressIn(listed: string): AskedAddress {
  const [, folder] = /\/\+e\/([^/]+)\//.exec(listed) ?? []
  if (folder !== undefined) return { kind: '+e', folder }
  const [, first, second] = /\/\+f\/([^/]+)\/([^/]+)\//.exec(listed)!
  return { kind: '+f', hashStart: `${first}${second}` }
}
