/** Reads what is inside a mirrored file: its metadata, for `.metadata` requests, for the release's page and for search. */

import { ArchiveError, type ArchiveSource } from '../archive/source.ts'
import { BlobMissing, type BlobStore, writeBlob } from '../blob/blob-store.ts'
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog, Reader, Writer } from '../catalog/catalog.ts'
import { findFiles, recordDescription as saveDescription } from '../catalog/files.ts'
import { listMadeMetadata, saveMadeMetadata } from '../catalog/made-metadata.ts'
import { deleteMetadata } from '../catalog/mirror-uses.ts'
import { saveRelease } from '../catalog/projects.ts'
import type { Digest } from '../lib/digest.ts'
import type { Limits } from '../model/limits.ts'
import type { File, IndexRecord, Job } from '../model/records.ts'
import { type CoreMetadata, MetadataError, parseMetadata } from '../pep/metadata.ts'

export interface Describing {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly limits: Limits
  /** Told when what was read from a wheel at its upstream is not what the whole wheel has. */
  readonly warn?: (message: string, fields: Record<string, unknown>) => void
}

/** What an archive says of itself, or why there is nothing in it that can be used: a sentence. */
export type Described = { readonly bytes: Buffer; readonly metadata: CoreMetadata } | { readonly fault: string }

/** Doing it twice is the same as once. A file that is gone, or that cannot be described, needs no further work. */
export async function describeFile(
  { catalog, blobs, limits, warn }: Describing,
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
  const described = await readHeld({ blobs, limits }, file).catch(async (error: unknown) => {
    // A mirror's file may be let go at any time, and comes again with a job of its own.
    if (error instanceof BlobMissing && !(await catalog.read((reader) => isHere(reader, index, file)))) return undefined
    throw error
  })
  if (described === undefined) return
  const isWheel = file.filename.endsWith('.whl')
  const isMirrored = isWheel && index.options.type === 'mirror'
  if ('fault' in described) {
    // Remembered, so that it is announced no longer.
    const none = { filename: file.filename, wheel: file.digest, fault: described.fault }
    if (isMirrored) await catalog.write((writer) => saveMadeMetadata(writer, index, file.project, none))
    return
  }
  const coreMetadata = isWheel
    ? await writeBlob(blobs, [described.bytes], { limitBytes: limits.metadataBytes })
    : undefined
  const { fields } = described.metadata
  const requiresPython = typeof fields.requires_python === 'string' ? fields.requires_python : undefined
  const replaced = await catalog.write(async (writer) => {
    if (!(await isHere(writer, index, file))) return false
    await saveDescription(writer, file, {
      ...(coreMetadata !== undefined && { coreMetadata }),
      ...(file.requiresPython === undefined && requiresPython && { requiresPython }),
    })
    await saveRelease(writer, index, { project: file.project, version: file.version, metadata: fields })
    return isMirrored && coreMetadata !== undefined && (await correct(writer, index, file, coreMetadata.digest))
  })
  if (replaced) {
    warn?.('Replaced the metadata of a wheel: its own differs from the metadata read at upstream', {
      'index.name': index.name,
      'file.name': file.filename,
      'url.full': file.origin,
    })
  }
}

/** The metadata inside a held archive; `undefined` where there is none that can be used. */
export async function readDescription(
  stores: { readonly blobs: BlobStore; readonly limits: Limits },
  file: Pick<File, 'digest' | 'sizeBytes' | 'filename'>,
): Promise<{ readonly bytes: Buffer; readonly metadata: CoreMetadata } | undefined> {
  const described = await readHeld(stores, file)
  return 'fault' in described ? undefined : described
}

/** The metadata in the archive named `filename`. Errors of `source` pass through. */
export async function readSource(filename: string, source: ArchiveSource, limits: Limits): Promise<Described> {
  try {
    // Loaded with the first archive that is read.
    const { readArchiveMetadata } = await import('../archive/read-metadata.ts')
    const bounds = { metadataBytes: limits.metadataBytes, members: limits.archiveMembers }
    const found = await readArchiveMetadata(filename, source, bounds)
    if (found === undefined)
      return { fault: `Cannot read archive: "${filename}" is of a kind that carries no metadata` }
    return { bytes: found.bytes, metadata: parseMetadata(found.bytes) }
  } catch (error) {
    // Upstream's file is what it is: old archives break today's rules and are still delivered, only without metadata.
    if (error instanceof ArchiveError || error instanceof MetadataError) return { fault: error.message }
    throw error
  }
}

async function readHeld(
  { blobs, limits }: { readonly blobs: BlobStore; readonly limits: Limits },
  { digest, sizeBytes, filename }: Pick<File, 'digest' | 'sizeBytes' | 'filename'>,
): Promise<Described> {
  const source: ArchiveSource = {
    size: sizeBytes,
    async *read(start, end) {
      yield* await blobs.open(digest, { start, end })
    },
  }
  return await readSource(filename, source, limits)
}

/** Whether something else was known of the wheel: parts of it are not covered by its hash, the whole is. */
async function correct(writer: Writer, index: IndexRecord, file: File, digest: Digest): Promise<boolean> {
  const known = (await listMadeMetadata(writer, index, file.project)).get(file.filename)
  if (known === undefined || ('digest' in known && known.digest === digest)) return false
  await saveMadeMetadata(writer, index, file.project, { filename: file.filename, wheel: known.wheel, digest })
  if ('fault' in known) return false
  await deleteMetadata(writer, index, known.digest)
  return true
}

async function isHere(reader: Reader, index: IndexRecord, file: File): Promise<boolean> {
  return (await findFiles(reader, index, file.filename)).some((each) => each.id === file.id)
}
