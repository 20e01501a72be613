/** Rows of the catalog as an index lists them, for stages and for the stored files of mirrors. */
import type { Catalog, Reader } from '../catalog/catalog.ts'
import { listProjects, listProjectsWithFiles, type ProjectRow } from '../catalog/projects.ts'
import { fileAddress } from '../model/file-address.ts'
import { packagesPath } from '../model/packages-path.ts'
import type { Attachment, File, IndexRecord } from '../model/records.ts'
import type { ListedName } from '../names/name-batches.ts'
import type { FileSource, IndexFile } from './package-index.ts'

/** Names read from the catalog at a time. */
const NAMES_PER_READ = 1000

/**
 * The names an index has, in order, each with the stamp of its last change: of a stage without quarantined ones (PEP 792),
 * of a mirror those with a file that can be delivered.
 */
export async function* heldListed(catalog: Catalog, record: IndexRecord): AsyncGenerator<readonly ListedName[]> {
  let after = ''
  while (true) {
    const rows = await catalog.read((reader) => heldProjects(reader, record, after, NAMES_PER_READ))
    const listed = rows.filter((row) => row.status?.status !== 'quarantined')
    if (listed.length > 0) yield listed.map(({ name, stamp }) => ({ name, own: stamp }))
    if (rows.length < NAMES_PER_READ) return
    after = rows.at(-1)!.name
  }
}

/** As `heldListed`, with a stage's quarantined projects too; at most `most` of those after `after`. */
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
    packagesPath: packagesPath({ ...file, sha256: file.digest })!,
    ...(file.requiresPython !== undefined && { requiresPython: file.requiresPython }),
    ...(file.yanked !== undefined && { yanked: file.yanked }),
    ...(file.coreMetadata !== undefined && { coreMetadata: { sha256: file.coreMetadata.digest } }),
  }
}

/** Documentation or a test result, in the shape of a file: no page lists it. */
export function heldAttachment(index: IndexRecord, attachment: Attachment): IndexFile {
  const { filename, digest, sizeBytes, created, version, addressHash } = attachment
  return {
    filename,
    url: fileAddress(index.name, addressHash, filename),
    hashes: { sha256: digest },
    size: sizeBytes,
    uploadTime: created,
    index: index.name,
    version,
    held: true,
  }
}

/** Where the bytes of a held file are, or those of its metadata where `filename` ends in `.metadata`. */
export function heldSource(file: File, filename: string): FileSource | undefined {
  if (file.filename === filename) {
    return { from: 'blob', digest: file.digest, sizeBytes: file.sizeBytes, modified: file.uploadTime }
  }
  return file.coreMetadata && { from: 'blob', ...file.coreMetadata, modified: file.uploadTime }
}
