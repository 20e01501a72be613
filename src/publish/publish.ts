/** An upload from form to file: receive, read the metadata, check, commit. One transaction, or nothing happened. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { type BlobStore, type Draft, writeBlob } from '../blob/blob-store.ts'
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog, Writer } from '../catalog/catalog.ts'
import { listFiles, type NewFile, saveFile } from '../catalog/files.ts'
import { listReleases, saveRelease } from '../catalog/projects.ts'
import type { Clock } from '../lib/clock.ts'
import type { May, Principal } from '../model/access.ts'
import { noSuchIndex, Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { File, IndexRecord } from '../model/records.ts'
import { ArchiveError, readArchiveMetadata } from '../pep/archive.ts'
import { MetadataError, parseMetadata } from '../pep/metadata.ts'
import { CHECKS, type Upload } from './checks.ts'
import { publishDocumentation } from './documentation.ts'
import { durably } from './durably.ts'
import { fieldOf, releaseOf } from './form-fields.ts'
import { formMetadata } from './form-metadata.ts'
import { receive, type UploadForm } from './receive.ts'
import { uploadLog } from './upload-log.ts'

export interface Publisher {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly limits: Limits
  readonly clock: Clock
  readonly may: May
}

export interface Published {
  /** What the sender is told beside "done"; empty when there is nothing to tell. */
  readonly note: string
}

/**
 * Whether `who` may upload to the index at all, before a byte of the body is read. `named` says that the sender sent
 * credentials: somebody without a name then sent wrong ones, and is told that.
 * Throws `no-such-index`, `mirror-read-only`, `login-required`, `not-allowed`.
 */
export async function mayUpload(
  { catalog, may }: Publisher,
  who: Principal,
  name: string,
  named: boolean,
): Promise<IndexRecord> {
  const record = await catalog.read((reader) => findIndex(reader, name))
  if (record === undefined) throw noSuchIndex(name)
  if (record.options.type === 'mirror') throw new Problem('mirror-read-only', 'cannot submit to mirror index')
  if (may(who, { do: 'upload', options: record.options })) return record
  if (who.name === undefined && named) {
    throw new Problem('login-required', `no permission to submit to ${name}: wrong user name or password`, {
      hint: 'send the right ones; a login token expires after ten hours, log in again then',
    })
  }
  if (who.name === undefined) {
    throw new Problem('login-required', `no permission to submit to ${name} without login`, {
      hint: 'send a user name and password, or log in first',
    })
  }
  throw new Problem('not-allowed', 'no permission to submit', {
    hint: `user ${who.name} is not in acl_upload of ${name}`,
  })
}

/**
 * Takes one upload form for the index (twine, uv, devpi-client: the legacy upload API).
 *
 * Throws `bad-request`, `file-invalid`, `metadata-invalid`, `digest-differs` for what is wrong with it, all reasons in
 * one message; `file-exists` when the index is not volatile and has other content under that name; and what `receive`
 * throws. The same content again is a success.
 */
export async function publish(
  publisher: Publisher,
  who: Principal,
  record: IndexRecord,
  headers: IncomingHttpHeaders,
  body: Readable,
): Promise<Published> {
  const form = await receive(headers, body, publisher.blobs, publisher.limits)
  await using _draft = form.content?.draft
  const action = fieldOf(form, ':action')
  if (action === undefined) throw new Problem('bad-request', ':action field not found')
  if (action === 'submit') return await register(publisher, record, form)
  if (action !== 'file_upload' && action !== 'doc_upload')
    throw new Problem('bad-request', `action '${action}' not supported`)
  if (form.content === undefined) throw new Problem('bad-request', 'content file field not found')
  if (action === 'doc_upload') return await publishDocumentation(publisher, who, record, form, form.content)
  const upload = await examine(publisher, form, form.content)
  return await keep(publisher, who, record, upload, form.content.draft)
}

/** `:action=submit`: a release without a file. Metadata that was registered before is replaced. */
async function register({ catalog }: Publisher, record: IndexRecord, form: UploadForm): Promise<Published> {
  const { project, version } = releaseOf(form)
  await catalog.write((writer) =>
    saveRelease(writer, record, { project, version, metadata: formMetadata(form.fields) }),
  )
  return { note: '' }
}

async function examine(
  { limits }: Publisher,
  form: UploadForm,
  { filename, draft }: NonNullable<UploadForm['content']>,
): Promise<Upload> {
  const { name, project, version } = releaseOf(form)
  const metadata = await metadataOf(filename, draft, limits)
  const upload: Upload = {
    name,
    version,
    project,
    filename,
    fields: form.fields,
    sizeBytes: draft.sizeBytes,
    digest: draft.digest(),
    ...(fieldOf(form, 'md5_digest') !== undefined && { md5: await md5Of(draft) }),
    ...(metadata !== undefined && !(metadata instanceof Problem) && metadata),
  }
  const refusals = CHECKS.flatMap((check) => check(upload) ?? [])
  if (refusals.length > 0) throw new Problem(refusals[0]!.code, refusals.map((each) => each.message).join('; '))
  if (metadata instanceof Problem) throw metadata
  return upload
}

/** The archive's own metadata. What is wrong with the archive is given back, so that the form's faults can be told first. */
async function metadataOf(
  filename: string,
  draft: Draft,
  limits: Limits,
): Promise<Pick<Upload, 'metadata' | 'metadataBytes'> | Problem | undefined> {
  const source = { size: draft.sizeBytes, read: (start: number, end: number) => draft.read({ start, end }) }
  try {
    const bounds = { metadataBytes: limits.metadataBytes, members: limits.archiveMembers }
    const found = await readArchiveMetadata(filename, source, bounds)
    return found && { metadata: parseMetadata(found.bytes), metadataBytes: found.bytes }
  } catch (error) {
    if (error instanceof ArchiveError) {
      const message = error.message.replace('Cannot read archive', () => `Cannot read archive '${filename}'`)
      return new Problem('file-invalid', message, { cause: error })
    }
    if (error instanceof MetadataError) {
      return new Problem('metadata-invalid', `invalid metadata: ${error.message}`, { cause: error })
    }
    throw error
  }
}

async function keep(
  publisher: Publisher,
  who: Principal,
  record: IndexRecord,
  upload: Upload,
  draft: Draft,
): Promise<Published> {
  const { catalog, blobs, clock, limits } = publisher
  const existing = await catalog.read((reader) => listFiles(reader, record, upload.project))
  const before = conflicting(record, existing, upload)
  if (before === 'same') return { note: 'Upload of identical file to non volatile index.' }
  const bytes = upload.metadataBytes
  const isWheel = upload.filename.endsWith('.whl')
  const coreMetadata =
    bytes !== undefined && isWheel
      ? await durably(() => writeBlob(blobs, [bytes], { limitBytes: limits.metadataBytes }))
      : undefined
  await durably(() => draft.commit())
  return await catalog.write(async (writer) => {
    // Somebody may have uploaded the same name meanwhile: decided again, now inside the transaction.
    const now = await listFiles(writer, record, upload.project)
    const replaced = conflicting(record, now, upload)
    if (replaced === 'same') return { note: 'Upload of identical file to non volatile index.' }
    const file: NewFile = {
      project: upload.project,
      version: upload.version,
      filename: upload.filename,
      digest: upload.digest,
      sizeBytes: upload.sizeBytes,
      uploadTime: clock.now().toISOString(),
      addressHash: upload.digest,
      log: uploadLog(replaced, who, record, clock.now()),
      ...requiresPython(upload),
      ...(coreMetadata !== undefined && { coreMetadata }),
    }
    await saveFile(writer, record, file, replaced === undefined ? 'uploaded' : 'replaced')
    await registerFrom(writer, record, upload)
    return { note: '' }
  })
}

/** What stands in the way: nothing, the same file on an index that keeps its files, or a file that may be replaced. */
function conflicting(record: IndexRecord, files: readonly File[], upload: Upload): File | 'same' | undefined {
  const before = files.find((file) => file.filename === upload.filename)
  if (before === undefined || record.options.volatile) return before
  if (before.digest === upload.digest) return 'same'
  throw new Problem('file-exists', `${upload.filename} already exists in non-volatile index`, {
    hint: 'raise the version, or upload to a volatile index',
  })
}

async function registerFrom(writer: Writer, record: IndexRecord, upload: Upload): Promise<void> {
  const known = (await listReleases(writer, record, upload.project)).find((each) => each.version === upload.version)
  const sent = formMetadata(upload.fields)
  // The file is the authority; the form fills what it leaves open (an egg carries no metadata that is read here).
  const metadata = {
    ...known?.metadata,
    ...sent,
    ...upload.metadata?.fields,
    name: upload.name,
    version: upload.version,
  }
  await saveRelease(writer, record, { project: upload.project, version: upload.version, metadata })
}

function requiresPython(upload: Upload): { requiresPython?: string } {
  const found = upload.metadata?.fields.requires_python ?? upload.fields.get('requires_python')?.[0]
  return typeof found === 'string' && found !== '' ? { requiresPython: found } : {}
}

async function md5Of(draft: Draft): Promise<string> {
  const hash = createHash('md5')
  for await (const chunk of draft.read({ start: 0, end: draft.sizeBytes })) hash.update(chunk)
  return hash.digest('hex')
}
