/** A stage as a layer: what people uploaded, from the catalog and the blobs. */

import type { Catalog, Reader } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import { findProject, listProjects, listProjectsWithFiles, listReleases, type ProjectRow } from '../catalog/projects.ts'
import { fileAddress } from '../model/file-address.ts'
import type { File, IndexRecord, StageRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { FileSource, IndexFile, IndexPage, Layer } from './package-index.ts'

/** Names read from the catalog at a time. */
const NAMES_PER_READ = 1000

/** Opens the stage; cheap, made anew for each request. */
export function stage(catalog: Catalog, record: StageRecord): Layer {
  return {
    kind: 'stage',
    name: record.name,
    projects: () => heldNames(catalog, record),
    project: (name) => page(catalog, record, name),
    file: async (name, filename) =>
      heldSource(await catalog.read((reader) => listFiles(reader, record, name)), filename),
  }
}

/** The names an index has, in order: of a mirror those with a file that can be delivered. */
export async function* heldNames(catalog: Catalog, record: IndexRecord): AsyncGenerator<readonly ProjectName[]> {
  let after = ''
  while (true) {
    const rows = await catalog.read((reader) => heldProjects(reader, record, after, NAMES_PER_READ))
    if (rows.length > 0) yield rows.map((row) => row.name)
    if (rows.length < NAMES_PER_READ) return
    after = rows.at(-1)!.name
  }
}

/** As `heldNames`, at most `most` of those after `after`. */
export async function heldProjects(
  reader: Reader,
  record: IndexRecord,
  after: string,
  most: number,
): Promise<ProjectRow[]> {
  const { options } = record
  // A stage knows a name by a registered release alone (devpi's rule).
  if (options.type !== 'mirror') return await listProjects(reader, record, after, most)
  return await listProjectsWithFiles(reader, record, after, most, (options.mirror_removals ?? 'keep') === 'keep')
}

/** A file that is here as a page lists it. */
export function heldFile(file: File): IndexFile {
  return {
    filename: file.filename,
    url: fileAddress(file.index, file.addressHash, file.filename),
    hashes: { sha256: file.digest },
    size: file.sizeBytes,
    uploadTime: file.uploadTime,
    index: file.index,
    version: file.version,
    held: true,
    ...(file.requiresPython !== undefined && { requiresPython: file.requiresPython }),
    ...(file.yanked !== undefined && { yanked: file.yanked }),
    ...(file.coreMetadata !== undefined && { coreMetadata: { sha256: file.coreMetadata.digest } }),
  }
}

/** Where the bytes of a held file are, or those of its metadata for a name with `.metadata` behind. */
export function heldSource(files: readonly File[], filename: string): FileSource | undefined {
  const file = files.find((each) => each.filename === filename)
  if (file !== undefined) {
    return { from: 'blob', digest: file.digest, sizeBytes: file.sizeBytes, modified: file.uploadTime }
  }
  if (!filename.endsWith('.metadata')) return undefined
  const wheel = files.find((each) => `${each.filename}.metadata` === filename)
  if (wheel?.coreMetadata === undefined) return undefined
  return { from: 'blob', ...wheel.coreMetadata, modified: wheel.uploadTime }
}

async function page(catalog: Catalog, record: StageRecord, name: ProjectName): Promise<IndexPage | undefined> {
  return await catalog.read(async (reader) => {
    if ((await findProject(reader, record, name)) === undefined) return undefined
    const files = await listFiles(reader, record, name)
    const releases = await listReleases(reader, record, name)
    return {
      index: record.name,
      name,
      files: files.map(heldFile),
      versions: [...new Set([...releases.map((release) => release.version), ...files.map((file) => file.version)])],
    }
  })
}
