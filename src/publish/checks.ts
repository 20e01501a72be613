/** What an upload must satisfy, each a small function that says nothing or what is wrong. The sentences are devpi's where it has one. */
import type { Digest } from '../lib/digest.ts'
import { asFilename, matchesProject, matchesVersion, parseFilename } from '../pep/filename.ts'
import type { CoreMetadata } from '../pep/metadata.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'
import { asVersion, compareVersions, isSpecifier } from '../pep/version.ts'

export interface Upload {
  /** As the form says. */
  readonly name: string
  readonly project: ProjectName
  readonly version: string
  readonly filename: string
  readonly fields: ReadonlyMap<string, readonly string[]>
  readonly sizeBytes: number
  readonly digest: Digest
  /** In hex; only where the form declares one. */
  readonly md5?: string
  /** Read from the archive; absent for kinds that carry none. */
  readonly metadata?: CoreMetadata
  /** The same, as it stands in the archive. */
  readonly metadataBytes?: Uint8Array
}

export interface Refusal {
  readonly code: 'bad-request' | 'file-invalid' | 'metadata-invalid' | 'digest-differs'
  readonly message: string
}
export type Check = (upload: Upload) => Refusal | undefined

const hasArchiveName: Check = ({ filename }) =>
  isArchive(filename) ? undefined : { code: 'file-invalid', message: `'${filename}' is not a valid archive name` }

/** A file of another project is not also told that its version is wrong, nor is one that is no archive at all. */
const namesItsVersion: Check = ({ filename, version, project }) =>
  isArchive(filename) &&
  version !== '' &&
  !matchesVersion(filename, version, matchesProject(filename, project) ? project : undefined)
    ? { code: 'file-invalid', message: `filename '${filename}' does not contain version '${version}'` }
    : undefined

const namesItsProject: Check = ({ filename, project, name }) =>
  !isArchive(filename) || matchesProject(filename, project)
    ? undefined
    : { code: 'file-invalid', message: `filename '${filename}' does not match project name '${name}'` }

const hasContent: Check = ({ sizeBytes, filename }) =>
  sizeBytes === 0 ? { code: 'file-invalid', message: `file '${filename}' is empty` } : undefined

const hasDeclaredSha256: Check = ({ fields, digest }) => differs('sha256', fields.get('sha256_digest')?.[0], digest)

const hasDeclaredMd5: Check = ({ fields, md5 }) => differs('md5', fields.get('md5_digest')?.[0], md5)

const metadataNamesProject: Check = ({ metadata, project, name }) =>
  metadata !== undefined && asProjectName(metadata.name) !== project
    ? {
        code: 'metadata-invalid',
        message: `invalid metadata: the archive says name '${metadata.name}', the form '${name}'`,
      }
    : undefined

const metadataNamesVersion: Check = ({ metadata, version }) =>
  metadata !== undefined && version !== '' && !isSameVersion(metadata.version, version)
    ? {
        code: 'metadata-invalid',
        message: `invalid metadata: the archive says version '${metadata.version}', the form '${version}'`,
      }
    : undefined

const agreesOnPython: Check = ({ metadata, fields }) => {
  const inFile = text(metadata?.fields.requires_python)
  const inForm = fields.get('requires_python')?.[0]
  return metadata !== undefined && inForm !== undefined && inForm !== '' && squeezed(inForm) !== squeezed(inFile)
    ? {
        code: 'metadata-invalid',
        message: `invalid metadata: the archive says requires_python '${inFile}', the form '${inForm}'`,
      }
    : undefined
}

const hasPythonSpecifier: Check = ({ metadata }) => {
  const specifier = text(metadata?.fields.requires_python)
  return specifier !== '' && !isSpecifier(specifier)
    ? {
        code: 'metadata-invalid',
        message: `invalid metadata: requires_python '${specifier}' is not a version specifier`,
      }
    : undefined
}

/** All of them; an upload is told everything that is wrong with it, not only the first. */
export const CHECKS: readonly Check[] = [
  hasArchiveName,
  hasContent,
  namesItsVersion,
  namesItsProject,
  hasDeclaredSha256,
  hasDeclaredMd5,
  metadataNamesProject,
  metadataNamesVersion,
  agreesOnPython,
  hasPythonSpecifier,
]

function differs(algorithm: string, declared: string | undefined, found: string | undefined): Refusal | undefined {
  if (declared === undefined || declared === '' || found === undefined) return undefined
  if (declared.trim().toLowerCase() === found) return undefined
  return { code: 'digest-differs', message: `${algorithm} of the file is ${found}, the form declares ${declared}` }
}

function isArchive(filename: string): boolean {
  return asFilename(filename) !== undefined && parseFilename(filename) !== undefined
}

function isSameVersion(a: string, b: string): boolean {
  return a === b || (asVersion(a) !== undefined && asVersion(b) !== undefined && compareVersions(a, b) === 0)
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}

function squeezed(specifier: string): string {
  return specifier.replace(/\s+/g, '')
}
