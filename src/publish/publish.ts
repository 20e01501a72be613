/** An upload from form to file: receive, read the metadata, check, commit. One transaction, or nothing happened. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { noteOnVersion } from '../archive/metadata-rules.ts'
import type { Draft } from '../blob/blob-store.ts'
import { saveRelease } from '../catalog/projects.ts'
import { beyondScope, type Principal, uploadOf } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import type { IndexRecord } from '../model/records.ts'
import { asProjectName } from '../pep/name.ts'
import type { SignedAttestation } from '../pep/provenance.ts'
import { keepAttestations, verifyAttestations } from './attestations.ts'
import type { Upload } from './checks.ts'
import { publishDocumentation } from './documentation.ts'
import { durably } from './durably.ts'
import { examineUpload } from './examine-upload.ts'
import { checkForm, fieldOf, projectOf, releaseOf } from './form-fields.ts'
import { formMetadata } from './form-metadata.ts'
import type { Published, Publishing } from './publishing.ts'
import { receive, type UploadForm } from './receive.ts'
import { checkTakesUploads } from './status-checks.ts'
import { conflicting, forgetStored, storableOf, storeUpload } from './store-upload.ts'

/**
 * Takes one upload form for the index (twine, uv, devpi-client: the legacy upload API).
 *
 * Throws `not-allowed` where the sender's token is for other projects; `bad-request`, `file-invalid`, `metadata-invalid`, `digest-differs`, `attestation-invalid` for what is wrong with it, all reasons in
 * one message; `file-exists` when the index is not volatile and has other content under that name; and what `receive`
 * throws. The same content again is a success.
 */
export async function publish(
  publisher: Publishing,
  who: Principal,
  record: IndexRecord,
  headers: IncomingHttpHeaders,
  body: Readable,
): Promise<Published> {
  const form = await receive(headers, body, publisher.blobs, publisher.limits)
  await using _draft = form.content?.draft
  checkForm(form)
  if (who.scope !== undefined) checkScope(publisher, who, record, form)
  const action = fieldOf(form, ':action')
  if (action === undefined) throw new Problem('bad-request', ':action field not found')
  const project = asProjectName(fieldOf(form, 'name') ?? '')
  if (project !== undefined) await publisher.catalog.read((reader) => checkTakesUploads(reader, record, project))
  if (action === 'submit') return await register(publisher, record, form)
  if (action !== 'file_upload' && action !== 'doc_upload')
    throw new Problem('bad-request', `action '${action}' not supported`)
  if (form.content === undefined) throw noContent(form)
  if (action === 'doc_upload') return await publishDocumentation(publisher, who, record, form, form.content)
  const upload = await examineUpload(publisher.limits, record, form, form.content)
  const attestations = await verifyAttestations(publisher, who, upload)
  return await keep(publisher, who, record, { ...upload, attestations }, form.content.draft)
}

function noContent({ fields }: UploadForm): Problem {
  const isText = fields.has('content')
  return new Problem(
    'bad-request',
    isText ? 'content file field not found: the field "content" is text' : 'content file field not found',
    { ...(isText && { hint: 'send it as a file, with a filename' }) },
  )
}

/** Before anything is kept: whether the sender's token is for the project that the form names. */
function checkScope({ may }: Publishing, who: Principal, record: IndexRecord, form: UploadForm): void {
  const action = uploadOf('upload', record, projectOf(form).project)
  if (may(who, action)) return
  const why = beyondScope(who, action) ?? 'it was withdrawn meanwhile'
  throw new Problem('not-allowed', `no permission to submit to ${record.name}: ${why}`)
}

/** `:action=submit`: a release without a file. Metadata that was registered before is replaced. */
async function register({ catalog }: Publishing, record: IndexRecord, form: UploadForm): Promise<Published> {
  const { project, version } = releaseOf(form)
  await catalog.write((writer) =>
    saveRelease(writer, record, { project, version, metadata: formMetadata(form.fields) }),
  )
  return { note: '' }
}

async function keep(
  publisher: Publishing,
  who: Principal,
  record: IndexRecord,
  upload: Upload & { readonly attestations: readonly SignedAttestation[] },
  draft: Draft,
): Promise<Published> {
  const { catalog } = publisher
  const before = await catalog.read((reader) => conflicting(reader, record, upload))
  if (before === 'same') return await again(publisher, record, upload)
  using held = new DisposableStack()
  const storing = storableOf(publisher, upload).then((kept) => held.use(kept).storable)
  const both = [storing, durably(() => draft.commit())] as const
  // Where one fails the other is not left under way.
  await Promise.allSettled(both)
  const [storable] = await Promise.all(both)
  try {
    return await catalog.write(async (writer) => {
      // Somebody may have uploaded the same name meanwhile: decided again, now inside the transaction.
      const done = await storeUpload(publisher, writer, who, record, storable, upload.attestations)
      if (done === 'same') return { note: IDENTICAL }
      return { note: upload.metadata === undefined ? '' : (noteOnVersion(upload.metadata) ?? '') }
    })
  } catch (error) {
    if (error instanceof Problem && error.code !== 'disk-full') await forgetStored(publisher, storable)
    throw error
  }
}

const IDENTICAL = 'Upload of identical file to non volatile index.'

/** A file that is there stays as it is; what attests to it may grow (PEP 740). */
async function again(
  { catalog, limits }: Publishing,
  record: IndexRecord,
  upload: Pick<Upload, 'project' | 'filename'> & { readonly attestations: readonly SignedAttestation[] },
): Promise<Published> {
  if (upload.attestations.length === 0) return { note: IDENTICAL }
  const { project, filename } = upload
  return await catalog.write(async (writer) => {
    const isNew = await keepAttestations(writer, record, upload, upload.attestations, limits)
    if (!isNew) return { note: IDENTICAL }
    writer.change({ what: 'file', how: 'described', index: record.name, project, filename })
    return { note: `${IDENTICAL} Its attestations were added.` }
  })
}
