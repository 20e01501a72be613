/** The last step of every upload: records the checked file on the stage, in the transaction of the caller. */
import { writeHeldBlob } from '../blob/blob-store.ts'
import type { Reader, Writer } from '../catalog/catalog.ts'
import { noteDropped } from '../catalog/dropped-blobs.ts'
import { findFile, listOtherThanWheels, type NewFile, saveFile } from '../catalog/files.ts'
import { findRelease, saveRelease } from '../catalog/projects.ts'
import type { Principal } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import type { File, IndexRecord, Release } from '../model/records.ts'
import { fileTypeOf } from '../pep/filename.ts'
import { isFinal } from '../pep/final-metadata.ts'
import type { SignedAttestation } from '../pep/provenance.ts'
import { compareVersions } from '../pep/version.ts'
import { keepAttestations } from './attestations.ts'
import type { Upload } from './checks.ts'
import { durably } from './durably.ts'
import { formMetadata } from './form-metadata.ts'
import type { Publishing } from './publishing.ts'
import { checkTakesUploads } from './status-checks.ts'
import { uploadLog } from './upload-log.ts'

/** An upload as it is stored; its blobs are in the store. */
export interface Storable
  extends Pick<Upload, 'name' | 'project' | 'version' | 'filename' | 'sizeBytes' | 'digest'>,
    Pick<File, 'coreMetadata' | 'requiresPython'> {
  /** Of the release. */
  readonly metadata: Release['metadata']
}

/**
 * What there is to store of an upload; its METADATA is written into the blob store, and held until this is disposed. The
 * file itself is left to the caller.
 */
export async function storableOf(
  { blobs, limits }: Publishing,
  upload: Upload,
): Promise<{ readonly storable: Storable } & Disposable> {
  const bytes = upload.metadataBytes
  const isWheel = upload.filename.endsWith('.whl')
  const isServed = isWheel || (upload.metadata !== undefined && isFinal(upload.metadata))
  const written =
    bytes !== undefined && isServed
      ? await durably(() => writeHeldBlob(blobs, [bytes], { limitBytes: limits.metadataBytes }))
      : undefined
  const { name, project, version, filename, sizeBytes, digest } = upload
  const storable: Storable = {
    ...{ name, project, version, filename, sizeBytes, digest },
    // The file is the authority; the form fills what it leaves open (an egg carries no metadata that is read here).
    metadata: { ...formMetadata(upload.fields), ...upload.metadata?.fields },
    ...requiresPython(upload),
    ...(written !== undefined && { coreMetadata: written.blob }),
  }
  return { storable, [Symbol.dispose]: () => written?.[Symbol.dispose]() }
}

/** Stores it, unless the same is there. Throws `project-closed`, `file-exists`, and what `keepAttestations` throws. */
export async function storeUpload(
  { clock, limits }: Publishing,
  writer: Writer,
  who: Principal,
  record: IndexRecord,
  upload: Storable,
  attestations: readonly SignedAttestation[],
): Promise<'same' | 'stored'> {
  await checkTakesUploads(writer, record, upload.project)
  const replaced = await conflicting(writer, record, upload)
  if (replaced === 'same') return 'same'
  const { name, version, metadata, ...facts } = upload
  const now = clock.now()
  const file: NewFile = {
    ...facts,
    version,
    uploadTime: now.toISOString(),
    addressHash: upload.digest,
    log: uploadLog(replaced, who, record, now),
    ...(replaced?.yanked !== undefined && replaced.digest === upload.digest && { yanked: replaced.yanked }),
  }
  await saveFile(writer, record, file, replaced === undefined ? 'uploaded' : 'replaced')
  await keepAttestations(writer, record, file, attestations, limits)
  const known = await findRelease(writer, record, upload.project, version)
  await saveRelease(writer, record, {
    project: upload.project,
    version,
    metadata: { ...known?.metadata, ...metadata, name, version },
  })
  return 'stored'
}

/** After blobs were written and no row came to name them: has them collected, unless others do. */
export async function forgetStored(
  { catalog, clock }: Pick<Publishing, 'catalog' | 'clock'>,
  { digest, coreMetadata }: Storable,
): Promise<void> {
  const digests = coreMetadata === undefined ? [digest] : [digest, coreMetadata.digest]
  await catalog.write((writer) => noteDropped(writer, digests, clock.now().getTime()))
}

/**
 * What stands in the way: nothing, the same file on an index that keeps its files, or a file that may be replaced.
 * Throws `file-exists` for what may not.
 */
export async function conflicting(
  reader: Reader,
  record: IndexRecord,
  upload: Pick<Upload, 'project' | 'filename' | 'version'> & { readonly digest?: string },
): Promise<File | 'same' | undefined> {
  const before = await findFile(reader, record, upload.project, upload.filename)
  if (record.options.volatile) return before
  if (before === undefined) {
    await refuseSecondSdist(reader, record, upload)
    return undefined
  }
  if (before.digest === upload.digest) return 'same'
  throw new Problem('file-exists', `${upload.filename} already exists in non-volatile index`, {
    hint: 'raise the version, or upload to a volatile index',
  })
}

/** Installers take either of two, and nobody knows which: the public index allows one. */
async function refuseSecondSdist(
  reader: Reader,
  record: IndexRecord,
  { project, filename, version }: Pick<Upload, 'project' | 'filename' | 'version'>,
): Promise<void> {
  const { options } = record
  if (fileTypeOf(filename) !== 'sdist' || (options.type === 'stage' && options.upload_checks === 'lenient')) return
  const other = (await listOtherThanWheels(reader, record, project)).find(
    (file) => fileTypeOf(file.filename) === 'sdist' && compareVersions(file.version, version) === 0,
  )
  if (other === undefined) return
  throw new Problem('file-exists', `${filename} cannot be added: ${other.filename} already exists for that version`, {
    hint: 'a release has one sdist; raise the version, or upload to an index that is volatile or whose upload_checks are lenient',
  })
}

function requiresPython(upload: Upload): { requiresPython?: string } {
  const found = upload.metadata?.fields.requires_python ?? upload.fields.get('requires_python')?.[0]
  return typeof found === 'string' && found !== '' ? { requiresPython: found } : {}
}
