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

/** The largest have some 3,000: a requirement for each extra of an extra. */
const HEADERS_MOST = 20_000
/** Of one with its folds. Keywords have been longer than a page; description and licence may be whole texts. */
const HEADER_CHARACTERS_MOST = 100_000
/** Of a header's name; one with a longer name is passed over. */
const HEADER_NAME_MOST = 100

/**
 * Reads METADATA or PKG-INFO. Throws `MetadataError` without valid name or version, for an unknown major version, and for
 * more or longer headers than anybody writes.
 */
export function parseMetadata(bytes: Uint8Array): CoreMetadata {
  const text = decode(bytes)
  const { headers, body } = split(text)
  const fields: Record<string, string | readonly string[]> = {}
  const lists = new Map<string, string[]>()
  for (const { name: header, start, end } of headers) {
    const key = KEYS[header] ?? header.replaceAll('-', '_')
    if (key.length > HEADER_NAME_MOST || !/^[a-z][a-z0-9_]*$/.test(key)) continue
    const value = text.slice(start, end).replace(/\r\n|\r/g, '\n')
    if (value.length > HEADER_CHARACTERS_MOST && !MULTILINE.has(key)) {
      throw new MetadataError(`Cannot read metadata: a header of it has more than ${HEADER_CHARACTERS_MOST} characters`)
    }
    const before = fields[key]
    if (LISTS.has(key)) {
      const list = lists.get(key) ?? []
      lists.set(key, list)
      fields[key] = list
      const told = known(unfold(value))
      if (told !== '') list.push(told)
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
  if (typeof metadataVersion !== 'string' || !/^[12]\.\d{1,9}$/.test(metadataVersion)) {
    throw new MetadataError(
      `Cannot read metadata: "Metadata-Version" ${JSON.stringify(metadataVersion.slice(0, 200))} is not known; versions 1.0 to 2.x are`,
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

interface Header {
  /** In lower case. */
  readonly name: string
  /** Where its value begins and ends in the text, folds included. */
  readonly start: number
  end: number
}

/** The headers, then the text after the first empty line. Throws `MetadataError` for too many. */
function split(text: string): { headers: readonly Header[]; body: string } {
  const headers: Header[] = []
  const lineEnd = /\r\n|\r|\n/g
  let start = 0
  while (start < text.length) {
    const found = lineEnd.exec(text)
    const end = found?.index ?? text.length
    const next = found === null ? text.length : lineEnd.lastIndex
    const line = text.slice(start, end)
    const last = headers.at(-1)
    const header = HEADER.exec(line)
    if (/^[ \t]/.test(line) && last !== undefined) last.end = end
    else if (header !== null) {
      headers.push({ name: header[1]!.toLowerCase(), start: start + header[0].length, end })
      if (headers.length > HEADERS_MOST) {
        throw new MetadataError(`Cannot read metadata: it has more than ${HEADERS_MOST} headers`)
      }
    }
    // A line that is neither header nor fold begins the body, as with Python's parser.
    else return { headers, body: text.slice(line === '' ? next : start) }
    start = next
  }
  return { headers, body: '' }
}

/** Its name, and what stands before its value. */
const HEADER = /^([!-9;-~]+):[ \t]*/

function unfold(value: string): string {
  if (!value.includes('\n')) return value.trim()
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
}

/** Undoes the folds of a text with lines: eight spaces, or seven and a bar (PEP 314 and 345), else all white space. */
function unindent(value: string): string {
  return value.replace(/\n(?: {7}\|| {8}|[ \t]+)/g, '\n').trim()
}

function known(value: string): string {
  return value === 'UNKNOWN' ? '' : value
}
