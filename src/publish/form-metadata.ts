/** Which fields of the upload form are metadata, and which of them are lists: devpi's stored keys. */
const TEXTS = [
  'name',
  'version',
  'metadata_version',
  'summary',
  'home_page',
  'author',
  'author_email',
  'maintainer',
  'maintainer_email',
  'license',
  'description',
  'keywords',
  'download_url',
  'comment',
  'requires_python',
  'description_content_type',
  'license_expression',
] as const
const LISTS = [
  'platform',
  'classifiers',
  'supported_platform',
  'provides',
  'requires',
  'obsoletes',
  'project_urls',
  'provides_dist',
  'obsoletes_dist',
  'requires_dist',
  'requires_external',
  'provides_extras',
  'dynamic',
  'license_file',
] as const
/** What devpi has where nothing was sent: every key, with an empty text or list. */
export const EMPTY_METADATA: Readonly<Record<string, string | readonly string[]>> = Object.fromEntries([
  ...TEXTS.map((key) => [key, '']),
  ...LISTS.map((key) => [key, []]),
])

/** Field names some uploaders use for the same thing (PyPI's documentation has both). */
const ALSO: Readonly<Record<string, string>> = { provides_extra: 'provides_extras', license_files: 'license_file' }

const SINGLE: ReadonlySet<string> = new Set(TEXTS)
const REPEATED: ReadonlySet<string> = new Set(LISTS)

/** Whether a field is metadata with one value. */
export function isSingle(field: string): boolean {
  return SINGLE.has(field)
}

/** The metadata in a form; keys that were not sent are absent, `UNKNOWN` is an empty text. */
export function formMetadata(
  fields: ReadonlyMap<string, readonly string[]>,
): Record<string, string | readonly string[]> {
  const metadata: Record<string, string | readonly string[]> = {}
  for (const [field, values] of fields) {
    const key = ALSO[field] ?? field
    if (isSingle(key)) metadata[key] = values[0] === 'UNKNOWN' ? '' : (values[0] ?? '')
    else if (REPEATED.has(key)) metadata[key] = values.filter((value) => value !== '' && value !== 'UNKNOWN')
  }
  return metadata
}
