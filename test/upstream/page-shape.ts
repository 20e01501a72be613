/**
 * What holds for every project page at Simple API 1.4, whatever is on it, and what tools in the field need beyond that: uv refuses a page
 * over one null, Hatch and Bazel's rules read HTML with regular expressions.
 */
import { versionOf } from '../../src/pep/filename.ts'
import type { ProjectName } from '../../src/pep/name.ts'
import { compareVersions } from '../../src/pep/version.ts'

/** What is wrong with a page, in sentences. */
export type Faults = readonly string[]

const META_KEYS = ['api-version', '_last-serial']
const PAGE_KEYS = ['meta', 'name', 'versions', 'files', 'project-status']
const FILE_KEYS = [
  'filename',
  'url',
  'hashes',
  'size',
  'upload-time',
  'requires-python',
  'yanked',
  'core-metadata',
  'gpg-sig',
  'provenance',
]
const UPLOAD_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/
const HEX = /^[0-9a-f]{32,128}$/

type Json = Readonly<Record<string, unknown>>

/** Of a JSON page of project `name`. `unlisted`: versions of file names that upstream does not list either. */
export function jsonFaults(text: string, name: string, unlisted: ReadonlySet<string>): Faults {
  const faults: string[] = []
  const must = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  const page = JSON.parse(text) as { meta: Json; name: string; versions: string[]; files: Json[] } & Json
  must(page.meta['api-version'] === '1.4', `api-version is ${JSON.stringify(page.meta['api-version'])}`)
  must(page.name === name, `name is ${page.name}`)
  must(
    Object.keys(page).every((key) => PAGE_KEYS.includes(key)),
    `keys are ${Object.keys(page)}`,
  )
  must(
    Object.keys(page.meta).every((key) => META_KEYS.includes(key)),
    `keys of meta are ${Object.keys(page.meta)}`,
  )
  const versions = new Set(page.versions)
  must(versions.size === page.versions.length, 'versions are listed twice')
  must(
    page.versions.every((version) => typeof version === 'string' && version !== ''),
    'a version is no text',
  )
  must(!('project-status' in page) || isStatus(page['project-status']), `project-status is ${page['project-status']}`)
  for (const file of page.files) {
    for (const fault of fileFaults(file)) faults.push(`${file.filename}: ${fault}`)
    const version = versionOf(String(file.filename), name as ProjectName)
    if (version === undefined || versions.has(version) || unlisted.has(version)) continue
    must(
      page.versions.some((listed) => isSame(listed, version)),
      `${file.filename}: versions lack ${version}`,
    )
  }
  return faults
}

/** Versions that names of `files` carry and `versions` lacks: release and file name may say different things. */
export function unlistedVersions(
  name: string,
  versions: readonly string[],
  files: readonly { readonly filename: string }[],
): Set<string> {
  const listed = new Set(versions)
  const unlisted = new Set<string>()
  for (const file of files) {
    const version = versionOf(file.filename, name as ProjectName)
    if (version === undefined || listed.has(version) || unlisted.has(version)) continue
    if (!versions.some((each) => isSame(each, version))) unlisted.add(version)
  }
  return unlisted
}

/** Of an HTML page that has to show just `filenames`. */
export function htmlFaults(text: string, filenames: ReadonlySet<string>): Faults {
  const faults: string[] = []
  if (!text.startsWith('<!DOCTYPE html>\n')) faults.push('it does not begin with the doctype')
  if (!text.includes('<meta name="pypi:repository-version" content="1.4">')) faults.push('it does not tell its version')
  const anchors = text.split('<a ').length - 1
  // Hatch's way: an unescaped ">" in an attribute hides the file.
  const byHatch = [...text.matchAll(/<a [^>]+>([^<]+)<\/a>/g)].map((found) => found[1]!)
  const strangers = byHatch.filter((filename) => !filenames.has(filename))
  if (byHatch.length !== filenames.size || strangers.length > 0 || anchors !== filenames.size)
    faults.push(
      `${anchors} links, of which Hatch sees ${byHatch.length}, for ${filenames.size} files; ${strangers[0] ?? ''}`,
    )
  // The way of Bazel's rules: one line each, double quotes, the hash behind the address.
  const line = /^ {4}<a href="[^"#<>\s]+#sha256=[0-9a-f]{64}"(?: data-[a-z-]+="[^"<>]*")*>[^<>"]+<\/a><br \/>$/
  for (const one of text.split('\n')) if (one.includes('<a ') && !line.test(one)) faults.push(`another shape: ${one}`)
  if (!/<\/body>\n<\/html>\n(<!--SERIAL \d+-->\n)?$/.test(text)) faults.push('it does not end as it should')
  return faults
}

function fileFaults(file: Json): Faults {
  const faults: string[] = []
  const must = (key: string, holds: boolean) => {
    if (!holds) faults.push(`${key} is ${JSON.stringify(file[key])}`)
  }
  const strange = Object.keys(file).find((key) => !FILE_KEYS.includes(key))
  if (strange !== undefined) must(strange, false)
  for (const key of Object.keys(file)) must(key, file[key] !== null && file[key] !== '')
  must('filename', typeof file.filename === 'string')
  must('url', typeof file.url === 'string' && !file.url.includes('#'))
  must('hashes', isHashes(file.hashes))
  if ('size' in file) must('size', Number.isSafeInteger(file.size))
  if ('upload-time' in file) must('upload-time', UPLOAD_TIME.test(String(file['upload-time'])))
  if ('requires-python' in file) must('requires-python', typeof file['requires-python'] === 'string')
  if ('yanked' in file) must('yanked', ['boolean', 'string'].includes(typeof file.yanked))
  const metadata = file['core-metadata']
  if (metadata !== undefined) must('core-metadata', typeof metadata === 'boolean' || isHashes(metadata))
  if ('gpg-sig' in file) must('gpg-sig', typeof file['gpg-sig'] === 'boolean')
  if ('provenance' in file) must('provenance', URL.canParse(String(file.provenance), 'http://index.example/'))
  return faults
}

function isHashes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(
    ([name, hex]) => /^[a-z0-9_]+$/.test(name) && typeof hex === 'string' && HEX.test(hex),
  )
}

function isStatus(value: unknown): boolean {
  const { status, reason } = (value ?? {}) as { status?: unknown; reason?: unknown }
  const known = ['active', 'archived', 'quarantined', 'deprecated']
  return known.includes(String(status)) && (reason === undefined || (typeof reason === 'string' && reason !== ''))
}

/** Versions as PEP 440 compares them; what it cannot read is the same only when it is written the same, but for letters' case. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase() || compareVersions(one, other) === 0
}
