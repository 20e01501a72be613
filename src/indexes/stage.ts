/** A stage as a layer: uploaded files, from the catalog and the blobs. */
import type { Catalog } from '../catalog/catalog.ts'
import { findFiles, listFiles } from '../catalog/files.ts'
import { findProject, listReleases } from '../catalog/projects.ts'
import { listProvenance } from '../catalog/provenance.ts'
import { Problem } from '../model/errors.ts'
import { provenanceAddress } from '../model/provenance-address.ts'
import type { File, StageRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { type AskedAddress, archiveOf, isAddressed } from './asked-address.ts'
import { heldFile, heldListed, heldSource } from './held.ts'
import { otherAt } from './other-at.ts'
import type { Conditions, IndexFile, IndexPage, Layer, LocatedFile } from './package-index.ts'

/** Opens the stage; cheap, made anew for each request. */
export function stage(catalog: Catalog, record: StageRecord): Layer & { readonly kind: 'stage' } {
  return {
    kind: 'stage',
    name: record.name,
    listed: () => heldListed(catalog, record),
    stamp: async (name) => (await catalog.read((reader) => findProject(reader, record, name)))?.stamp,
    project: (name) => page(catalog, record, name),
    at: (address, filename, asked) => at(catalog, record, address, filename, asked),
  }
}

/** Throws `file-withheld` where the owner has quarantined the project: PEP 792 has none of its files offered. */
async function at(
  catalog: Catalog,
  record: StageRecord,
  address: AskedAddress,
  filename: string,
  { mayAnswer, admit }: Conditions = {},
): Promise<LocatedFile | 'deleted' | undefined> {
  const held = await catalog.read((reader) => findFiles(reader, record, archiveOf(filename)))
  for (const file of held) {
    if (!isAddressed(file, address) || (await mayAnswer?.(file.project)) === false) continue
    const source = heldSource(file, filename)
    if (source === undefined) continue
    await checkOffered(catalog, record, file)
    const facts = { project: file.project, file: heldFile(file) }
    await admit?.(facts)
    return { ...facts, source }
  }
  return await otherAt(catalog, record, address, filename, admit)
}

async function checkOffered(catalog: Catalog, record: StageRecord, { project, filename }: File): Promise<void> {
  const row = await catalog.read((reader) => findProject(reader, record, project))
  if (row?.status?.status !== 'quarantined') return
  throw new Problem('file-withheld', `Cannot deliver "${filename}": ${project} is quarantined on ${record.name}`, {
    hint: `anyone who may delete there can end the quarantine: airlock status ${project} active --index ${record.name}`,
  })
}

async function page(catalog: Catalog, record: StageRecord, name: ProjectName): Promise<IndexPage | undefined> {
  return await catalog.read(async (reader) => {
    const project = await findProject(reader, record, name)
    if (project === undefined) return undefined
    const files = await listFiles(reader, record, name)
    const releases = await listReleases(reader, record, name)
    const provenance = await listProvenance(reader, record, name)
    const listed = files.map((each) => attested(each, provenance))
    const isQuarantined = project.status?.status === 'quarantined'
    return {
      index: record.name,
      name,
      ownStamp: project.stamp,
      ...(isQuarantined ? { files: [], withheld: listed } : { files: listed }),
      versions: [...new Set([...releases.map((release) => release.version), ...files.map((file) => file.version)])],
      ...(project.status !== undefined && { status: project.status }),
    }
  })
}

function attested(file: File, provenance: ReadonlySet<number>): IndexFile {
  const listed = heldFile(file)
  return provenance.has(file.id) ? { ...listed, provenance: provenanceAddress(listed.url) } : listed
}
