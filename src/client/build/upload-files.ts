/** Chooses the files that `devpi upload` sends, reads their metadata and sorts them, before anything is sent. */
import { createReadStream, type Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, normalize, sep } from 'node:path'
import { ArchiveError, type ArchiveSource, readArchiveMetadata } from '../../archive/read-metadata.ts'
import { LIMITS } from '../../model/limits.ts'
import { candidates, fileTypeOf, pythonTagOf } from '../../pep/filename.ts'
import { MetadataError, parseMetadata } from '../../pep/metadata.ts'
import { asProjectName } from '../../pep/name.ts'
import { compareVersions } from '../../pep/version.ts'
import { AttestationUnusable, attestationsBeside } from './attestation-files.ts'
import { documentationName } from './documentation.ts'

/** A field of the upload form; a list is sent as one field an item. */
export type SentFields = readonly (readonly [name: string, value: string])[]

export interface FileToSend {
  readonly path: string
  readonly filename: string
  readonly sizeBytes: number
  readonly action: 'file_upload' | 'doc_upload'
  readonly name: string
  /** Absent for documentation that goes to the latest version. */
  readonly version: string | undefined
  readonly fields: SentFields
  /** Documentation that is no zip yet: the name to pack it as. */
  readonly repackAs?: string
}

/** A path that cannot be uploaded; the message says why. */
export class NotUploadable extends Error {
  override readonly name = 'NotUploadable'
}

/** What devpi's client looks for in folders. */
const ARCHIVES = /\.(?:egg|tar|tar\.bz2|tar\.gz|tgz|whl|zip)$/
/** More files than this in one folder are not meant to be uploaded. */
const FOLDER_FILES_MAX = 100_000
/** Set by us, whatever a metadata file calls its headers. */
const OWN_FIELDS = new Set([
  ':action',
  'protocol_version',
  'content',
  'filetype',
  'pyversion',
  'sha256_digest',
  'gpg_signature',
  'attestations',
])

/** The paths of the archives below the folder at `path`, in no order. */
export async function archivesBelow(path: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(path, { recursive: true, withFileTypes: true })
  if (entries.length > FOLDER_FILES_MAX) {
    throw new NotUploadable(
      `Cannot look through "${path}": it holds more than ${FOLDER_FILES_MAX} files; name a smaller folder`,
    )
  }
  return entries
    .filter((entry) => entry.isFile() && ARCHIVES.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Reads what one archive says of itself. Throws `NotUploadable` for what is no distribution or is damaged. */
export async function readFileToSend(path: string): Promise<FileToSend> {
  const filename = basename(path)
  const { size: sizeBytes } = await stat(path)
  const documentation = documentationOf(path, filename, sizeBytes)
  if (documentation) return documentation
  const filetype = fileTypeOf(filename)
  if (filetype === undefined) {
    throw new NotUploadable(`Cannot upload "${filename}": it is no wheel, sdist or egg; name distribution files`)
  }
  const { name, version, fields } = await identityOf(path, filename, sizeBytes)
  const attestations = await attestationsOf(path)
  return {
    path,
    filename,
    sizeBytes,
    action: 'file_upload',
    name,
    version,
    fields: [
      ...fields,
      ['pyversion', pythonTagOf(filename)],
      ['filetype', filetype],
      ...(attestations === undefined ? [] : [['attestations', attestations] as const]),
    ],
  }
}

/** Release files in the order of their paths, documentation after them; the same file named twice once. */
export function inOrder(files: readonly FileToSend[]): readonly FileToSend[] {
  const unique = [...new Map(files.map((file) => [normalize(file.path), file])).values()]
  const isLate = ({ action }: FileToSend) => Number(action === 'doc_upload')
  return unique.toSorted((a, b) => isLate(a) - isLate(b) || comparePaths(a.path, b.path))
}

/** Of each project the files of its latest version alone (`--only-latest`). */
export function onlyLatest(files: readonly FileToSend[]): readonly FileToSend[] {
  const key = ({ action, name }: FileToSend) => `${action} ${asProjectName(name) ?? name}`
  const latest = new Map<string, string>()
  for (const file of files) {
    const [known, version = ''] = [latest.get(key(file)), file.version]
    if (known === undefined || compareVersions(known, version) < 0) latest.set(key(file), version)
  }
  return files.filter((file) => compareVersions(latest.get(key(file))!, file.version ?? '') === 0)
}

async function identityOf(
  path: string,
  filename: string,
  sizeBytes: number,
): Promise<{ name: string; version: string; fields: SentFields }> {
  const limits = { metadataBytes: LIMITS.metadataBytes, members: LIMITS.archiveMembers }
  try {
    const metadata = await readArchiveMetadata(filename, fileSource(path, sizeBytes), limits)
    if (metadata) {
      const { name, version, fields } = parseMetadata(metadata.bytes)
      return { name, version, fields: formFields(fields) }
    }
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof MetadataError)) throw error
    throw new NotUploadable(`Cannot upload "${filename}": ${error.message}`, { cause: error })
  }
  // Eggs and rarer archives are not looked into; their names say the least that a server must know.
  const [likeliest] = candidates(filename)
  if (likeliest === undefined)
    throw new NotUploadable(`Cannot upload "${filename}": its name tells no project and version`)
  const { project: name, version } = likeliest
  return {
    name,
    version,
    fields: [
      ['metadata_version', '1.0'],
      ['name', name],
      ['version', version],
    ],
  }
}

async function attestationsOf(path: string): Promise<string | undefined> {
  try {
    return await attestationsBeside(path)
  } catch (error) {
    if (!(error instanceof AttestationUnusable)) throw error
    throw new NotUploadable(error.message, { cause: error })
  }
}

function formFields(fields: Readonly<Record<string, string | readonly string[]>>): SentFields {
  return Object.entries(fields)
    .filter(([name]) => !OWN_FIELDS.has(name))
    .flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((item) => [name, item] as const))
    .filter(([, value]) => value !== '')
}

function documentationOf(path: string, filename: string, sizeBytes: number): FileToSend | undefined {
  const known = documentationName(filename)
  if (known === undefined) return undefined
  const { name, version, packedAs, isForeign } = known
  return {
    path,
    filename,
    sizeBytes,
    action: 'doc_upload',
    name,
    version,
    fields: [['name', name], ...(version === undefined ? [] : [['version', version] as const])],
    ...(isForeign && { repackAs: packedAs }),
  }
}

function fileSource(path: string, size: number): ArchiveSource {
  return {
    size,
    read: (start, end) => (end > start ? createReadStream(path, { start, end: end - 1 }) : nothing()),
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Folder by folder, each name by its code points: the order of Python's paths. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [normalize(a).split(sep), normalize(b).split(sep)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = Buffer.compare(Buffer.from(left[i]!), Buffer.from(right[i]!))
    if (order !== 0) return order
  }
  return left.length - right.length
}
