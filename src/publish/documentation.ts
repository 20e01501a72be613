/** A zip of documentation sent to a stage (`:action=doc_upload`): one for each release, beside its files. */

import { ArchiveError } from '../archive/read-metadata.ts'
import { listZipMembers } from '../archive/zip-members.ts'
import type { Draft } from '../blob/blob-store.ts'
import { listAttachments, saveAttachment } from '../catalog/attachments.ts'
import type { Reader } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import { listReleases, saveRelease } from '../catalog/projects.ts'
import type { Principal } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import { type Attachment, type IndexRecord, timestamp } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { compareVersions } from '../pep/version.ts'
import { durably } from './durably.ts'
import { projectOf, versionIn } from './form-fields.ts'
import { formMetadata } from './form-metadata.ts'
import type { Published, Publishing } from './publishing.ts'
import type { UploadForm } from './receive.ts'
import { uploadLog } from './upload-log.ts'

/**
 * Stores `{project}-{version}.doc.zip` and registers the version where it is new; without a version, the latest one on
 * the stage (devpi's rules). Sent again it replaces the former on a volatile stage; elsewhere the same content is a success.
 * Throws `metadata-invalid`, `bad-request` where no version can be found, `file-invalid` for what is no zip that can be
 * served safely, `file-exists`, `disk-full`.
 */
export async function publishDocumentation(
  { catalog, clock, limits }: Publishing,
  who: Principal,
  record: IndexRecord,
  form: UploadForm,
  { filename: sentAs, draft }: NonNullable<UploadForm['content']>,
): Promise<Published> {
  const { name, project } = projectOf(form)
  const asked = versionIn(form)
  await checkZip(sentAs, draft, limits)
  const digest = draft.digest()
  const find = async (reader: Reader) => {
    const version = asked ?? (await latestVersion(reader, record, project))
    const filename = `${project}-${version}.doc.zip`
    const before = (await listAttachments(reader, record, project)).find((each) => each.filename === filename)
    return { version, filename, before: conflicting(record, before, digest, sentAs) }
  }
  if ((await catalog.read(find)).before === 'same') return { note: IDENTICAL }
  const { sizeBytes } = await durably(() => draft.commit())
  return await catalog.write(async (writer) => {
    // Somebody may have sent documentation meanwhile: decided again, now inside the transaction.
    const { version, filename, before } = await find(writer)
    if (before === 'same') return { note: IDENTICAL }
    const known = (await listReleases(writer, record, project)).find((each) => each.version === version)
    if (known === undefined || asked !== undefined) {
      const sent = Object.entries(formMetadata(form.fields))
      // A push sends every field, also those it knows nothing for: they must not wipe out what an archive has told.
      const said = known === undefined ? sent : sent.filter(([, value]) => value.length > 0)
      const metadata = { ...known?.metadata, ...Object.fromEntries(said), name, version }
      await saveRelease(writer, record, { project, version, metadata })
    }
    await saveAttachment(writer, record, {
      kind: 'doczip',
      project,
      version,
      filename,
      digest,
      sizeBytes,
      created: timestamp(clock.now()),
      addressHash: digest,
      log: uploadLog(before, who, record, clock.now()),
    })
    return { note: '' }
  })
}

const IDENTICAL = 'Upload of identical file to non volatile index.'

async function checkZip(sentAs: string, draft: Draft, limits: Limits): Promise<void> {
  // No bytes are no pages: nothing that could not be served safely. devpi takes it, and its client's tests send it.
  if (draft.sizeBytes === 0) return
  const source = { size: draft.sizeBytes, read: (start: number, end: number) => draft.read({ start, end }) }
  const bounds = { members: limits.documentationMembers, memberBytes: limits.documentationMemberBytes }
  try {
    const { faults } = await listZipMembers(source, bounds)
    if (faults.length > 0) throw new ArchiveError('damaged', faults.join('; '))
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    const message = error.message.replace('Cannot read archive', () => `Cannot use '${sentAs}' as documentation`)
    throw new Problem('file-invalid', message, {
      hint: 'documentation is a zip of files with index.html at its root',
      cause: error,
    })
  }
}

async function latestVersion(reader: Reader, record: IndexRecord, project: ProjectName): Promise<string> {
  const known = [...(await listReleases(reader, record, project)), ...(await listFiles(reader, record, project))]
  const latest = known.map((each) => each.version).sort((a, b) => compareVersions(b, a))[0]
  if (latest !== undefined) return latest
  throw new Problem('bad-request', `doczip has no version and '${project}' has no releases to derive one from`, {
    hint: 'send a version, or upload a release first',
  })
}

/** What stands in the way: nothing, the same documentation on an index that keeps its files, or some that may be replaced. */
function conflicting(
  record: IndexRecord,
  before: Attachment | undefined,
  digest: string,
  sentAs: string,
): Attachment | 'same' | undefined {
  if (before === undefined || record.options.volatile) return before
  if (before.digest === digest) return 'same'
  throw new Problem('file-exists', `${sentAs} already exists in non-volatile index`, {
    hint: 'raise the version, or upload to a volatile index',
  })
}
