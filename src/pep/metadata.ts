/**
 * Core metadata, versions 1.0 to 2.x, as METADATA and PKG-INFO carry it (PEP 241, 314, 345, 566, 643, 685, 639, 794).
 *
 * The format is what Python's `email` parser reads: headers, folded over lines that start with white space, then a body.
 */
import { asProjectName } from './name.ts'

/** What a metadata file says. */
export interface CoreMetadata {
  /** As written; a valid project name. */
  readonly name: string
  /** As written; not empty, yet perhaps no PEP 440 version. */
  readonly version: string
  /** `1.0` where the file does not tell. */
  readonly metadataVersion: string
  /**
   * All fields under the upload form's keys (`home_page`, `classifiers`, `requires_dist` …): a list for fields that may
   * repeat, else text. A field that is absent has no key; `UNKNOWN` is read as empty.
   */
  readonly fields: Readonly<Record<string, string | readonly string[]>>
}

/** The error of `parseMetadata`; its message is a sentence for the uploader. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
}

/** Reads METADATA or PKG-INFO. Throws `MetadataError` without valid name or version, or for an unknown major version. */
export function parseMetadata(bytes: Uint8Array): CoreMetadata {
  const { headers, body } = split(decode(bytes))
  const fields: Record<string, string | readonly string[]> = {}
  for (const [header, value] of headers) {
    const key = KEYS[header] ?? header.replaceAll('-', '_')
    if (!/^[a-z][a-z0-9_]*$/.test(key)) continue
    const before = fields[key]
    if (LISTS.has(key)) {
      fields[key] = [
        ...((before as readonly string[] | undefined) ?? []),
        ...(known(unfold(value)) ? [unfold(value)] : []),
      ]
    } else if (before === undefined) {
      // Where a single field repeats, the first counts, as with Python's parser.
      fields[key] = known(MULTILINE.has(key) ? unindent(value) : unfold(value))
    }
  }
  if (body.trim() !== '') fields.description = body
  return { ...identity(fields), fields }
}

/** Fields whose key in the upload form is not the header's name with `_`. */
const KEYS: Readonly<Record<string, string>> = {
  classifier: 'classifiers',
  'project-url': 'project_urls',
  'provides-extra': 'provides_extras',
  'import-name': 'import_names',
  'import-namespace': 'import_namespaces',
}

/** Fields that may repeat ("multiple use" in the core metadata specification). */
const LISTS: ReadonlySet<string> = new Set([
  'classifiers',
  'dynamic',
  'import_names',
  'import_namespaces',
  'license_file',
  'obsoletes',
  'obsoletes_dist',
  'platform',
  'project_urls',
  'provides',
  'provides_dist',
  'provides_extras',
  'requires',
  'requires_dist',
  'requires_external',
  'supported_platform',
])

const MULTILINE: ReadonlySet<string> = new Set(['description', 'license'])

function identity(fields: Readonly<Record<string, string | readonly string[]>>): Omit<CoreMetadata, 'fields'> {
  const { name, version, metadata_version: metadataVersion = '1.0' } = fields
  if (typeof name !== 'string' || name === '') {
    throw new MetadataError('Cannot read metadata: it has no "Name"; set the name of the project and build it again')
  }
  if (asProjectName(name) === undefined) {
    throw new MetadataError(
      `Cannot read metadata: the name ${JSON.stringify(name.slice(0, 200))} is invalid; use ASCII letters, digits, "-", "_" and ".", first and last a letter or digit`,
    )
  }
  if (typeof version !== 'string' || version === '') {
    throw new MetadataError(
      'Cannot read metadata: it has no "Version"; set the version of the project and build it again',
    )
  }
  if (typeof metadataVersion !== 'string' || !/^[12]\.\d+$/.test(metadataVersion)) {
    throw new MetadataError(
      `Cannot read metadata: "Metadata-Version" ${JSON.stringify(metadataVersion)} is not known; versions 1.0 to 2.x are`,
    )
  }
  return { name, version, metadataVersion }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** UTF-8 since metadata 2.1; what came before may be Latin-1, which never fails. */
function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    return new TextDecoder('latin1').decode(bytes)
  }
}

/** Header names in lower case with their raw values, folds included; then the text after the first empty line. */
function split(text: string): { headers: [name: string, value: string][]; body: string } {
  const headers: [name: string, value: string][] = []
  const lineEnd = /\r\n|\r|\n/g
  let start = 0
  while (start < text.length) {
    const end = lineEnd.exec(text)
    const line = text.slice(start, end?.index ?? text.length)
    const next = end === null ? text.length : lineEnd.lastIndex
    const last = headers.at(-1)
    const header = /^([!-9;-~]+):[ \t]*(.*)$/s.exec(line)
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += `\n${line}`
    else if (header !== null) headers.push([header[1]!.toLowerCase(), header[2]!])
    // A line that is neither header nor fold begins the body, as with Python's parser.
    else return { headers, body: text.slice(line === '' ? next : start) }
    start = next
  }
  return { headers, body: '' }
}

function unfold(value: string): string {
  return value.replace(/\s*\n\s*/g, ' ').trim()
}

/** Undoes the folds of a text with lines: eight spaces, or seven and a bar (PEP 314 and 345), else all white space. */
function unindent(value: string): string {
  const [first = '', ...folds] = value.split('\n')
  return [first, ...folds.map((line) => line.replace(/^(?: {7}\|| {8}|[ \t]+)/, ''))].join('\n').trim()
}

function known(value: string): string {
  return value === 'UNKNOWN' ? '' : value
}
