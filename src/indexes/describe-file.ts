/** Reads what is inside a mirrored file: its metadata, for `.metadata` requests, for the release's page and for search. */
import { BlobMissing, type BlobStore, writeBlob } from '../blob/blob-store.ts'
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog, Reader } from '../catalog/catalog.ts'
import { findFiles, describeFile as saveDescription } from '../catalog/files.ts'
import { saveRelease } from '../catalog/projects.ts'
import type { Limits } from '../model/limits.ts'
import type { File, IndexRecord, Job } from '../model/records.ts'
import { ArchiveError, type ArchiveSource, readArchiveMetadata } from '../pep/archive.ts'
import { type CoreMetadata, MetadataError, parseMetadata } from '../pep/metadata.ts'

/** Doing it twice is the same as once. A file that is gone, or that cannot be described, needs no further work. */
export async function describeFile(
  { catalog, blobs, limits }: { readonly catalog: Catalog; readonly blobs: BlobStore; readonly limits: Limits },
  job: Pick<Extract<Job, { kind: 'describe-file' }>, 'index' | 'project' | 'filename'>,
): Promise<void> {
  const found = await catalog.read(async (reader) => {
    const index = await findIndex(reader, job.index)
    const files = index === undefined ? [] : await findFiles(reader, index, job.filename)
    const file = files.find((each) => each.project === job.project)
    return index && file && { index, file }
  })
  if (found === undefined) return
  const { index, file } = found
  const described = await readDescription({ blobs, limits }, file).catch(async (error: unknown) => {
    // A mirror's file may be let go at any time, and comes again with a job of its own.
    if (error instanceof BlobMissing && !(await catalog.read((reader) => isHere(reader, index, file)))) return undefined
    throw error
  })
  if (described === undefined) return
  const coreMetadata = file.filename.endsWith('.whl')
    ? await writeBlob(blobs, [described.bytes], { limitBytes: limits.metadataBytes })
    : undefined
  const { fields } = described.metadata
  const requiresPython = typeof fields.requires_python === 'string' ? fields.requires_python : undefined
  await catalog.write(async (writer) => {
    if (!(await isHere(writer, index, file))) return
    await saveDescription(writer, file, {
      ...(coreMetadata !== undefined && { coreMetadata }),
      ...(file.requiresPython === undefined && requiresPython && { requiresPython }),
    })
    await saveRelease(writer, index, { project: file.project, version: file.version, metadata: fields })
  })
}

/** The metadata inside a held archive; `undefined` where there is none that can be used. */
export async function readDescription(
  { blobs, limits }: { readonly blobs: BlobStore; readonly limits: Limits },
  { digest, sizeBytes, filename }: Pick<File, 'digest' | 'sizeBytes' | 'filename'>,
): Promise<{ readonly bytes: Buffer; readonly metadata: CoreMetadata } | undefined> {
  const source: ArchiveSource = {
    size: sizeBytes,
    async *read(start, end) {
      yield* await blobs.open(digest, { start, end })
    },
  }
  try {
    const bounds = { metadataBytes: limits.metadataBytes, members: limits.archiveMembers }
    const found = await readArchiveMetadata(filename, source, bounds)
    return found && { bytes: found.bytes, metadata: parseMetadata(found.bytes) }
  } catch (error) {
    // Upstream's file is what it is: old archives break today's rules and are still delivered, only without metadata.
    if (error instanceof ArchiveError || error instanceof MetadataError) return undefined
    throw error
  }
}

async function isHere(reader: Reader, index: IndexRecord, file: File): Promise<boolean> {
  return (await findFiles(reader, index, file.filename)).some((each) => each.id === file.id)
}
