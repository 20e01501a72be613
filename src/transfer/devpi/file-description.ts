/** One line of an index's `files` in a dump: what a file is and where it lies. */
import { versionOf } from '../../pep/filename.ts'
import { type ProjectName, projectName } from '../../pep/name.ts'
import { type GivenHashes, givenHashes, pathParts } from './dump-file.ts'
import { asRecord, dumpVersion, timeOf, yankedOf } from './dump-values.ts'

export interface FileDescription {
  readonly type: 'releasefile' | 'doczip' | 'toxresult'
  readonly project: ProjectName
  /** Absent where neither the dump nor the file's name tells. */
  readonly version?: string
  /** Below the dump, by its text; what lies there nobody has looked at. */
  readonly relpath: string
  /** The last part of `relpath`. */
  readonly filename: string
  readonly hashes: GivenHashes
  /** RFC 3339. */
  readonly modified?: string
  /** Where a mirror's file came from. */
  readonly url?: string
  /** The hash that a mirror's file was addressed by, in hex. */
  readonly addressHash?: string
  /** Of the archive that a test result tells of. */
  readonly ofFilename?: string
  readonly yanked?: true | string
  readonly log: unknown
}

/** Whether the line is of a test result: those come after the archives that they tell of. */
export function isTestResult(value: unknown): boolean {
  return asRecord(value)?.type === 'toxresult'
}

/** The path that the line names, for sentences about it. */
export function nameOfFile(value: unknown): string {
  const relpath = asRecord(value)?.relpath
  return typeof relpath === 'string' ? relpath : 'a file without relpath'
}

/** Throws `SyntaxError` for what is no description of a file, and `file-invalid` for a path out of the dump. */
export function fileDescription(value: unknown): FileDescription {
  const given = asRecord(value) ?? {}
  const { type, relpath, projectname } = given
  if (type !== 'releasefile' && type !== 'doczip' && type !== 'toxresult') {
    throw new SyntaxError(`Cannot import the file: its type ${JSON.stringify(type)} is not known`)
  }
  if (typeof relpath !== 'string' || typeof projectname !== 'string') {
    throw new SyntaxError('Cannot import the file: it has no "relpath" or no "projectname"')
  }
  const mapping = asRecord(given.entrymapping) ?? {}
  const project = projectName(projectname)
  const filename = pathParts(relpath).at(-1)!
  const version = given.version
  const known = typeof version === 'string' && version !== '' ? version : versionOf(filename, project)
  const modified = timeOf(mapping.last_modified)
  const [, addressHash] = typeof mapping.hash_spec === 'string' ? mapping.hash_spec.split('=') : []
  const yanked = yankedOf(given.yanked)
  const ofFilename = archiveOf(type, filename, given.for_entrypath)
  return {
    type,
    project,
    relpath,
    filename,
    hashes: type === 'toxresult' ? resultHashes(relpath, givenHashes(mapping)) : givenHashes(mapping),
    log: given.log ?? undefined,
    ...(known !== undefined && { version: dumpVersion(known) }),
    ...(modified !== undefined && { modified }),
    ...(typeof mapping.url === 'string' && { url: mapping.url }),
    ...(/^[0-9a-f]{16,}$/i.test(addressHash ?? '') && { addressHash: addressHash!.toLowerCase() }),
    ...(yanked !== undefined && { yanked }),
    ...(ofFilename !== undefined && { ofFilename }),
  }
}

/** By the address that the line gives, whatever hash stands in it, else by the result's own name. */
function archiveOf(type: FileDescription['type'], filename: string, address: unknown): string | undefined {
  if (type !== 'toxresult') return undefined
  if (typeof address !== 'string') return filename.replace(/\.toxresult.*$/s, '')
  return address.replace(/#.*$/s, '').split('/').at(-1)
}

/** devpi 6.5 to 6.8 wrote the archive's hashes into the description of its test result: those say nothing of the result. */
function resultHashes(relpath: string, hashes: GivenHashes): GivenHashes {
  const parts = relpath.split('/')
  const [algorithm, digest] = parts.length === 5 ? parts[3]!.split('=') : []
  const isOfArchive = algorithm !== undefined && digest !== undefined && hashes.get(algorithm) === digest.toLowerCase()
  return isOfArchive ? new Map() : hashes
}
