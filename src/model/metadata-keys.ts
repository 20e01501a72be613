/** The keys of a release's metadata as devpi stores them: those with one value, and those with a list. */
export const TEXTS = [
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
export const LISTS = [
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
