/** A file of a dump as a blob: checked against every hash that the dump gives, on its way. */
import { createHash } from 'node:crypto'
import { ArchiveError, readArchiveMetadata } from '../../archive/read-metadata.ts'
import { type BlobInfo, type BlobStore, BlobTooLarge, writeBlob } from '../../blob/blob-store.ts'
import type { Digest } from '../../lib/digest.ts'
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import { isFinal } from '../../pep/final-metadata.ts'
import { type CoreMetadata, MetadataError, parseMetadata } from '../../pep/metadata.ts'
import { type DumpFile, HashCheck, openDumpFile } from './dump-file.ts'
import type { FileDescription } from './file-description.ts'
import type { ImportReport } from './import-report.ts'

export interface FileStoring {
  /** The dump. */
  readonly folder: string
  readonly blobs: BlobStore
  /** Makes a blob of a file without copying it; `false` where the file system cannot. Files are copied unless it is given. */
  readonly adopt?: (path: string, digest: Digest) => Promise<boolean>
  readonly limits: Limits
  readonly report: ImportReport
}

export interface StoredFile extends BlobInfo {
  /** RFC 3339: when the file in the dump was written. */
  readonly modified: string
  /** What the archive says of itself, where it was asked and could be read. */
  readonly fields?: CoreMetadata['fields']
  /** A wheel's METADATA. */
  readonly coreMetadata?: BlobInfo
}

/** Throws `digest-differs`, `too-large`, and what `openDumpFile` throws. */
export async function storeFile(
  storing: FileStoring,
  { relpath, filename, hashes }: FileDescription,
  isArchive: boolean,
): Promise<StoredFile> {
  const { folder, report } = storing
  await using file = await openDumpFile(folder, relpath)
  const check = new HashCheck(hashes)
  for (const name of check.unknown) report.changed(relpath, `its ${name} was not checked: no such hash is known here`)
  const blob = await keep(storing, file, check, relpath)
  report.counts.bytes += blob.sizeBytes
  const stored = { ...blob, modified: file.modified.toISOString() }
  if (!isArchive) return stored
  try {
    return { ...stored, ...(await describe(storing, file, filename)) }
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof MetadataError)) throw error
    report.changed(relpath, `no metadata of its own is served: ${error.message}`)
    return stored
  }
}

async function keep(storing: FileStoring, file: DumpFile, check: HashCheck, relpath: string): Promise<BlobInfo> {
  const { blobs, limits, adopt } = storing
  const bytes = () => file.read({ start: 0, end: file.sizeBytes }, limits.readChunkBytes)
  if (adopt !== undefined) {
    const sha256 = createHash('sha256')
    for await (const chunk of bytes()) {
      sha256.update(chunk)
      check.update(chunk)
    }
    refuseWrong(check, relpath)
    const digest = sha256.digest('hex') as Digest
    if (await adopt(file.path, digest)) return { digest, sizeBytes: file.sizeBytes }
    return await writeBlob(blobs, bytes(), { limitBytes: file.sizeBytes, expect: digest })
  }
  try {
    await using draft = await blobs.draft({ limitBytes: limits.upstreamFileBytes })
    for await (const chunk of bytes()) {
      check.update(chunk)
      await draft.append(chunk)
    }
    refuseWrong(check, relpath)
    return await draft.commit()
  } catch (error) {
    if (!(error instanceof BlobTooLarge)) throw error
    throw new Problem('too-large', `Cannot import "${relpath}": it has more than ${error.limitBytes} bytes`)
  }
}

async function describe(
  { blobs, limits }: FileStoring,
  file: DumpFile,
  filename: string,
): Promise<Pick<StoredFile, 'fields' | 'coreMetadata'>> {
  const source = {
    size: file.sizeBytes,
    read: (start: number, end: number) => file.read({ start, end }, limits.readChunkBytes),
  }
  const bounds = { metadataBytes: limits.metadataBytes, members: limits.archiveMembers }
  const found = await readArchiveMetadata(filename, source, bounds)
  if (found === undefined) return {}
  const metadata = parseMetadata(found.bytes)
  const { fields } = metadata
  if (!filename.endsWith('.whl') && !isFinal(metadata)) return { fields }
  return { fields, coreMetadata: await writeBlob(blobs, [found.bytes], { limitBytes: limits.metadataBytes }) }
}

function refuseWrong(check: HashCheck, relpath: string): void {
  const wrong = check.verdict()
  if (wrong !== undefined) throw new Problem('digest-differs', `Cannot import "${relpath}": ${wrong}`)
}
