/** From a file's address on one index to the file: by what is held, else by the projects its name can belong to. */
import type { Catalog } from '../catalog/catalog.ts'
import { findFiles } from '../catalog/files.ts'
import { upstreamFolder } from '../mirrors/mirror-address.ts'
import type { IndexRecord } from '../model/records.ts'
import { candidates } from '../pep/filename.ts'
import type { ProjectName } from '../pep/name.ts'
import type { FileSource, Layer } from './package-index.ts'

export type AskedAddress =
  | { readonly kind: '+f'; readonly hashStart: string }
  | { readonly kind: '+e'; readonly folder: string }

export interface LocatedFile {
  readonly project: ProjectName
  readonly source: FileSource
}

/**
 * `filename` may end in `.metadata`. The hash or folder in the address must be the file's own, so that an address never
 * names other content than it did. Works for a mirror's file that nobody asked a page for yet (lock files hold such
 * addresses). Throws what the layer throws.
 */
export async function locateFile(
  catalog: Catalog,
  record: IndexRecord,
  layer: Layer,
  address: AskedAddress,
  filename: string,
): Promise<LocatedFile | undefined> {
  const archive = filename.endsWith('.metadata') ? filename.slice(0, -'.metadata'.length) : filename
  const held = await catalog.read((reader) => findFiles(reader, record, archive))
  for (const file of held) {
    if (!isAddressed(file, address)) continue
    const source = await layer.file(file.project, filename)
    return source && { project: file.project, source }
  }
  if (layer.kind === 'stage') return undefined
  for (const { project } of candidates(archive)) {
    // Not by way of the project's page: cut off from upstream, that does not list what cannot be delivered now.
    const source = await layer.file(project, filename)
    if (source === undefined || source.from === 'blob' || !isAt(source.address, address)) continue
    return { project, source }
  }
  return undefined
}

/** Whether what is held has that address. */
export function isAddressed(
  file: { readonly addressHash: string; readonly origin?: string },
  address: AskedAddress,
): boolean {
  if (address.kind === '+f') return file.addressHash.slice(0, 16) === address.hashStart
  return file.origin !== undefined && upstreamFolder(file.origin) === address.folder
}

function isAt(listed: string, asked: AskedAddress): boolean {
  if (asked.kind === '+e') return listed.includes(`/+e/${asked.folder}/`)
  const [, first, second] = /\/\+f\/([^/]+)\/([^/]+)\//.exec(listed) ?? []
  return first !== undefined && `${first}${second}`.startsWith(asked.hashStart)
}
