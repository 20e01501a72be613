/** A stage as a layer: what people uploaded, from the catalog and the blobs. */

import { provenanceAddress } from '../browse/provenance-address.ts'
import type { Catalog, Reader } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import { findProject, listProjects, listProjectsWithFiles, listReleases, type ProjectRow } from '../catalog/projects.ts'
import { listProvenance } from '../catalog/provenance.ts'
import { Problem } from '../model/errors.ts'
import { fileAddress } from '../model/file-address.ts'
import { packagesPath } from '../model/packages-path.ts'
import type { File, IndexRecord, StageRecord } from '../model/records.ts'
import type { ListedName } from '../names/name-batches.ts'
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
    listed: () => heldListed(catalog, record),
    stamp: async (name) => (await catalog.read((reader) => findProject(reader, record, name)))?.stamp,
    project: (name) => page(catalog, record, name),
    file: (name, filename) => file(catalog, record, name, filename),
  }
}

/** The names an index has, in order: of a stage without quarantined ones (PEP 792), of a mirror those with a file that can be delivered. */
export async function* heldNames(catalog: Catalog, record: IndexRecord): AsyncGenerator<readonly ProjectName[]> {
  for await (const batch of heldListed(catalog, record)) yield batch.map((each) => each.name)
}

/** As `heldNames`, with the numbers of the last changes. */
export async function* heldListed(catalog: Catalog, record: IndexRecord): AsyncGenerator<readonly ListedName[]> {
  let after = ''
  while (true) {
    const rows = await catalog.read((reader) => heldProjects(reader, record, after, NAMES_PER_READ))
    const listed = rows.filter((row) => row.status?.status !== 'quarantined')
    if (listed.length > 0) yield listed.map(({ name, stamp: serial }) => ({ name, own: serial }))
    if (rows.length < NAMES_PER_READ) return
    after = rows.at(-1)!.name
  }
}

/** As `heldNames`, and a stage's quarantined ones too; at most `most` of those after `after`. */
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

/** Throws `file-withheld` where its owner has quarantined the project: PEP 792 has none of its files offered. */
async function file(
  catalog: Catalog,
  record: StageRecord,
  name: ProjectName,
  filename: string,
): Promise<FileSource | undefined> {
  const { project, files } = await catalog.read(async (reader) => ({
    project: await findProject(reader, record, name),
    files: await listFiles(reader, record, name),
  }))
  const source = heldSource(files, filename)
  if (source !== undefined && project?.status?.status === 'quarantined') {
    throw new Problem('file-withheld', `Cannot deliver "${filename}": ${name} is quarantined on ${record.name}`, {
      hint: `who may delete there ends that with: airlock status ${name} active --index ${record.name}`,
    })
  }
  return source
}

async function page(catalog: Catalog, record: StageRecord, name: ProjectName): Promise<IndexPage | undefined> {
  return await catalog.read(async (reader) => {
    const project = await findProject(reader, record, name)
    if (project === undefined) return undefined
    const files = await listFiles(reader, record, name)
    const releases = await listReleases(reader, record, name)
    const provenance = await listProvenance(reader, record, name)
    return {
      index: record.name,
      name,
      ownSerial: project.stamp,
      files: project.status?.status === 'quarantined' ? [] : files.map((each) => attested(each, provenance)),
      versions: [...new Set([...releases.map((release) => release.version), ...files.map((file) => file.version)])],
      ...(project.status !== undefined && { status: project.status }),
    }
  })
}

function attested(file: File, provenance: ReadonlySet<number>): IndexFile {
  const listed = heldFile(file)
  return provenance.has(file.id) ? { ...listed, provenance: provenanceAddress(listed.url) } : listed
}
