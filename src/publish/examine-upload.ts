/** Everything that is wrong with an upload, told at once: its form, its archive and the metadata in that. */
import { createHash } from 'node:crypto'
import { type ExaminedArchive, examineArchive } from '../archive/examine.ts'
import { type Fault, faultsOf } from '../archive/fault.ts'
import { METADATA_RULES } from '../archive/metadata-rules.ts'
import { ArchiveError } from '../archive/read-metadata.ts'
import type { Draft } from '../blob/blob-store.ts'
import { type Blake2b256, blake2b256 } from '../lib/blake2b.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { IndexRecord } from '../model/records.ts'
import { MetadataError } from '../pep/metadata.ts'
import { CHECKS, type Refusal, type Upload } from './checks.ts'
import { fieldOf, releaseOf } from './form-fields.ts'
import type { UploadForm } from './receive.ts'

/** How many faults of one upload are reported. */
const TOLD_MOST = 10

/**
 * The upload as it is to be kept. Throws `bad-request`, `file-invalid`, `metadata-invalid` or `digest-differs`: the code of
 * the first thing that is wrong, with all of them in the message. An index whose `upload_checks` is `lenient` takes what is
 * wrong in form only.
 */
export async function examineUpload(
  limits: Limits,
  { options }: Pick<IndexRecord, 'options'>,
  form: UploadForm,
  content: NonNullable<UploadForm['content']>,
): Promise<Upload> {
  const { name, project, version } = releaseOf(form)
  const { filename, draft } = content
  const archive = await archiveOf(filename, draft, limits)
  const metadata = archive instanceof Problem ? undefined : archive?.metadata
  const upload: Upload = {
    name,
    version,
    project,
    filename,
    fields: form.fields,
    sizeBytes: draft.sizeBytes,
    digest: draft.digest(),
    ...(await declaredHashes(form, content)),
    ...(metadata !== undefined && { metadata }),
    ...(archive !== undefined && !(archive instanceof Problem) && archive.bytes && { metadataBytes: archive.bytes }),
  }
  const refusals: Told[] = CHECKS.flatMap(({ fault, code, fix }) => {
    const message = fault(upload)
    return message === undefined ? [] : [{ code, message, fix }]
  })
  if (archive instanceof Problem) {
    // A file that belongs to another form altogether is not also told that it is damaged.
    if (refusals.length === 0) throw archive
  } else if (archive !== undefined) {
    const isLenient = options.type === 'stage' && options.upload_checks === 'lenient'
    refusals.push(...ofArchive(filename, archive, isLenient))
  }
  if (refusals.length > 0) throw refused(refusals)
  return upload
}

interface Told extends Refusal {
  readonly fix: string
}

function ofArchive(filename: string, { faults, metadata }: ExaminedArchive, isLenient: boolean): Told[] {
  const counts = ({ isForm }: Fault) => !(isLenient && isForm)
  const ofMetadata = metadata === undefined ? [] : faultsOf(METADATA_RULES, metadata)
  return [
    ...faults.filter(counts).map(({ what, fix }) => ({
      code: 'file-invalid' as const,
      message: `Cannot accept '${filename}': ${what}`,
      fix,
    })),
    ...ofMetadata.filter(counts).map(({ what, fix }) => ({
      code: 'metadata-invalid' as const,
      message: `invalid metadata: ${what}`,
      fix,
    })),
  ]
}

function refused(refusals: readonly Told[]): Problem {
  const told = refusals.slice(0, TOLD_MOST)
  const more = refusals.length - told.length
  const message = told.map((each) => each.message).join('; ') + (more > 0 ? `; and ${more} more` : '')
  return new Problem(told[0]!.code, message, { hint: [...new Set(told.map(({ fix }) => fix))].join('; ') })
}

/** What is wrong with reading the archive at all is given back, so that the form's faults can be told first. */
async function archiveOf(
  filename: string,
  draft: Draft,
  limits: Limits,
): Promise<ExaminedArchive | Problem | undefined> {
  const source = {
    size: draft.sizeBytes,
    whole: draft.whole(),
    read: (start: number, end: number) => draft.read({ start, end }),
  }
  const { metadataBytes, recordBytes, archiveMembers: members } = limits
  try {
    return await examineArchive(filename, source, { metadataBytes, recordBytes, members })
  } catch (error) {
    if (error instanceof ArchiveError) {
      const message = error.message.replace('Cannot read archive', () => `Cannot read archive '${filename}'`)
      return new Problem('file-invalid', message, {
        hint: 'build it again and upload it whole',
        cause: error,
      })
    }
    if (error instanceof MetadataError) {
      return new Problem('metadata-invalid', `invalid metadata: ${error.message}`, { cause: error })
    }
    throw error
  }
}

/** The hashes that the form declares: those that were made while the file came, else from the draft. */
async function declaredHashes(
  form: UploadForm,
  { draft, hashes }: NonNullable<UploadForm['content']>,
): Promise<Pick<Upload, 'md5' | 'blake2'>> {
  const wanted = { md5: fieldOf(form, 'md5_digest'), blake2: fieldOf(form, 'blake2_256_digest') }
  const missing = {
    md5: wanted.md5 && hashes.md5 === undefined ? createHash('md5') : undefined,
    blake2: wanted.blake2 && hashes.blake2 === undefined ? await blake2b256() : undefined,
  }
  if (missing.md5 !== undefined || missing.blake2 !== undefined) {
    for await (const chunk of draft.read({ start: 0, end: draft.sizeBytes })) {
      missing.md5?.update(chunk)
      missing.blake2?.update(chunk)
    }
  }
  const md5 = hashes.md5 ?? missing.md5?.digest('hex')
  const blake2 = hashes.blake2 ?? (missing.blake2 as Blake2b256 | undefined)?.digest()
  return { ...(md5 !== undefined && { md5 }), ...(blake2 !== undefined && { blake2 }) }
}
