/**
 * Rules for the form of an upload. The messages are devpi's if devpi has one. The rules for the archive and its metadata
 * are in `archive/*-rules.ts`.
 */
import type { Digest } from '../lib/digest.ts'
import { asFilename, fileTypeOf, matchesProject, matchesVersion, parseFilename, pythonTagOf } from '../pep/filename.ts'
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
  readonly blake2?: string
  /** Read from the archive; absent for kinds that carry none. */
  readonly metadata?: CoreMetadata
  /** The same, as it stands in the archive. */
  readonly metadataBytes?: Uint8Array
}

export interface Refusal {
  readonly code: 'bad-request' | 'file-invalid' | 'metadata-invalid' | 'digest-differs'
  readonly message: string
}

export interface Check {
  /** What is refused, for the documentation. */
  readonly refuses: string
  readonly code: Refusal['code']
  /** What whoever uploads can do about it, for a hint. */
  readonly fix: string
  readonly fault: (upload: Upload) => string | undefined
}

const FILE_TYPES = [
  'sdist',
  'bdist_wheel',
  'bdist_egg',
  'bdist_wininst',
  'bdist_msi',
  'bdist_rpm',
  'bdist_dmg',
  'bdist_dumb',
]
const CORRUPT = 'upload it again: the file changed, or was damaged on its way'
const FORM_OF_ANOTHER = 'upload with a current tool, which fills the form from the file'

/** All of them; an upload is told everything that is wrong with it, not only the first. */
export const CHECKS: readonly Check[] = [
  {
    refuses: 'A filename of no kind of archive, or with a path or odd characters in it',
    code: 'file-invalid',
    fix: 'keep the name that the build tool gave the file',
    fault: ({ filename }) => (isArchive(filename) ? undefined : `'${filename}' is not a valid archive name`),
  },
  {
    refuses: 'An empty file',
    code: 'file-invalid',
    fix: CORRUPT,
    fault: ({ sizeBytes, filename }) => (sizeBytes === 0 ? `file '${filename}' is empty` : undefined),
  },
  {
    // A file of another project is not also told that its version is wrong, nor is one that is no archive at all.
    refuses: 'A filename of another version than the form says',
    code: 'file-invalid',
    fix: FORM_OF_ANOTHER,
    fault: ({ filename, version, project }) =>
      isArchive(filename) &&
      version !== '' &&
      !matchesVersion(filename, version, matchesProject(filename, project) ? project : undefined)
        ? `filename '${filename}' does not contain version '${version}'`
        : undefined,
  },
  {
    refuses: 'A filename of another project than the form says',
    code: 'file-invalid',
    fix: FORM_OF_ANOTHER,
    fault: ({ filename, project, name }) =>
      !isArchive(filename) || matchesProject(filename, project)
        ? undefined
        : `filename '${filename}' does not match project name '${name}'`,
  },
  {
    refuses: 'A filetype that is not known',
    code: 'bad-request',
    fix: `send one of ${FILE_TYPES.join(', ')}`,
    fault: ({ fields }) => {
      const type = one(fields, 'filetype')
      return type === '' || FILE_TYPES.includes(type) ? undefined : `filetype '${type.slice(0, 100)}' is not known`
    },
  },
  {
    // Only these two: the names of the older kinds are guessed by every tool in its own way.
    refuses: 'A filetype that does not match the kind of file',
    code: 'bad-request',
    fix: FORM_OF_ANOTHER,
    fault: ({ fields, filename }) => {
      const type = one(fields, 'filetype')
      const found = fileTypeOf(filename)
      if (!FILE_TYPES.includes(type) || found === undefined) return undefined
      const isWrong =
        (found === 'bdist_wheel') !== (type === 'bdist_wheel') ||
        (type === 'sdist' && found !== 'sdist' && isBinary(filename))
      return isWrong ? `filetype '${type}' does not fit filename '${filename}'` : undefined
    },
  },
  {
    // devpi's client sends `3.11` and `2.7` for tags, which says nothing that could be compared.
    refuses: 'A pyversion that is not the Python tag of the filename, nor "source" for an sdist',
    code: 'bad-request',
    fix: FORM_OF_ANOTHER,
    fault: ({ fields, filename }) => {
      const sent = one(fields, 'pyversion')
      const kind = parseFilename(filename)?.kind
      if (sent === '' || kind === undefined || kind === 'other') return undefined
      const tags = sent.split('.')
      const areTags = tags.every((tag) => /^[a-z]{2,}\d+$/.test(tag))
      const known = pythonTagOf(filename).split('.')
      const isWrong =
        kind === 'sdist' ? areTags : sent === 'source' || (areTags && !tags.some((tag) => known.includes(tag)))
      return isWrong ? `pyversion '${sent}' does not fit filename '${filename}'` : undefined
    },
  },
  {
    refuses: 'A file with another sha256 than the form declares',
    code: 'digest-differs',
    fix: CORRUPT,
    fault: ({ fields, digest }) => differs('sha256', [one(fields, 'sha256_digest')], digest),
  },
  {
    refuses: 'A file with another md5 than the form declares, in hex or URL-safe base64',
    code: 'digest-differs',
    fix: CORRUPT,
    fault: ({ fields, md5 }) => {
      const declared = one(fields, 'md5_digest')
      return differs('md5', [declared, hexOf(declared)], md5)
    },
  },
  {
    refuses: 'A file with another blake2b-256 than the form declares',
    code: 'digest-differs',
    fix: CORRUPT,
    fault: ({ fields, blake2 }) => differs('blake2_256', [one(fields, 'blake2_256_digest')], blake2),
  },
  {
    refuses: 'A metadata_version in the form that is not 1.x or 2.x',
    code: 'metadata-invalid',
    fix: FORM_OF_ANOTHER,
    fault: ({ fields }) => {
      const version = one(fields, 'metadata_version')
      return version === '' || version === 'UNKNOWN' || /^[12]\.\d+$/.test(version)
        ? undefined
        : `invalid metadata: the form says metadata_version '${version.slice(0, 100)}', which is not 1.x or 2.x`
    },
  },
  {
    refuses: 'Metadata of another project than the form says',
    code: 'metadata-invalid',
    fix: FORM_OF_ANOTHER,
    fault: ({ metadata, project, name }) =>
      metadata !== undefined && asProjectName(metadata.name) !== project
        ? `invalid metadata: the archive says name '${metadata.name}', the form '${name}'`
        : undefined,
  },
  {
    refuses: 'Metadata of another version than the form says',
    code: 'metadata-invalid',
    fix: FORM_OF_ANOTHER,
    fault: ({ metadata, version }) =>
      metadata !== undefined && version !== '' && !isSameVersion(metadata.version, version)
        ? `invalid metadata: the archive says version '${metadata.version}', the form '${version}'`
        : undefined,
  },
  {
    refuses: 'A requires_python in the form that differs from the Requires-Python of the file',
    code: 'metadata-invalid',
    fix: FORM_OF_ANOTHER,
    fault: ({ metadata, fields }) => {
      const inFile = text(metadata?.fields.requires_python)
      const inForm = one(fields, 'requires_python')
      return metadata !== undefined && inForm !== '' && inForm !== 'UNKNOWN' && squeezed(inForm) !== squeezed(inFile)
        ? `invalid metadata: the archive says requires_python '${inFile}', the form '${inForm}'`
        : undefined
    },
  },
  {
    refuses: 'A Requires-Python that is no version specifier',
    code: 'metadata-invalid',
    fix: 'write clauses as in ">=3.9,!=3.9.1"',
    fault: ({ metadata, fields }) => {
      const specifier = metadata === undefined ? one(fields, 'requires_python') : text(metadata.fields.requires_python)
      return specifier !== '' && specifier !== 'UNKNOWN' && !isSpecifier(specifier)
        ? `invalid metadata: requires_python '${specifier}' is not a version specifier`
        : undefined
    },
  },
]

/** The hex digits of an md5 in base64, with or without padding; empty for other text. */
function hexOf(declared: string): string {
  return /^[\w-]{22}(?:==)?$/.test(declared) ? Buffer.from(declared, 'base64url').toString('hex') : ''
}

function differs(algorithm: string, declared: readonly string[], found: string | undefined): string | undefined {
  const [first = ''] = declared
  if (first === '' || found === undefined) return undefined
  if (declared.some((each) => each.trim().toLowerCase() === found)) return undefined
  return `${algorithm} of the file is ${found}, the form declares ${first}`
}

function one(fields: Upload['fields'], field: string): string {
  return fields.get(field)?.[0] ?? ''
}

function isArchive(filename: string): boolean {
  return asFilename(filename) !== undefined && parseFilename(filename) !== undefined
}

/** Of a kind that holds built files; a name such as `a-1.0.linux-x86_64.tar.gz` may be either. */
function isBinary(filename: string): boolean {
  return /\.(?:whl|egg|exe|msi|rpm|deb|dmg)$/i.test(filename)
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
