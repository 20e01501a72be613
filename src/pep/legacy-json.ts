/** The public index's older JSON API (`/pypi/{project}/json`): never a standard, still read by mirroring tools, auditors and editors. */
import { fileTypeOf, pythonTagOf } from './filename.ts'
import type { DistributionFile } from './simple.ts'
import { compareVersions, isPrerelease } from './version.ts'

/** Core metadata under the upload form's keys. */
export type MetadataFields = Readonly<Record<string, string | readonly string[]>>

/** A file with an absolute URL. */
export type LegacyFile = DistributionFile & { readonly version: string }

export interface LegacyPage {
  readonly name: string
  readonly versions: readonly string[]
  readonly files: readonly LegacyFile[]
  readonly lastStamp?: number
  /** Absolute; of the project, and `{version}` of its releases. */
  readonly projectUrl: string
  /** Names of who owns the project. */
  readonly owners: readonly string[]
}

/** The release that stands for the project: the newest that is no pre-release and not yanked, else the newest. */
export function latestRelease({ versions, files }: Pick<LegacyPage, 'versions' | 'files'>): string | undefined {
  const newestFirst = [...versions].sort((a, b) => compareVersions(b, a))
  const offered = new Set(files.filter((file) => file.yanked === undefined).map((file) => file.version))
  return (
    newestFirst.find((each) => !isPrerelease(each) && offered.has(each)) ??
    newestFirst.find((each) => !isPrerelease(each)) ??
    newestFirst[0]
  )
}

/** Of the project, or with `isRelease` of one release alone, as which `releases` is left out. Without `vulnerabilities`. */
export function legacyJson(
  page: LegacyPage,
  version: string,
  metadata: MetadataFields,
  { isRelease }: { readonly isRelease: boolean },
): Record<string, unknown> {
  const byVersion = Map.groupBy(page.files, (file) => file.version)
  const of = (wanted: string) => byVersion.get(wanted) ?? []
  const releases = () => Object.fromEntries(page.versions.map((each) => [each, of(each).map(fileJson)]))
  return {
    info: infoJson(page, version, of(version), metadata),
    last_serial: page.lastStamp ?? null,
    ownership: { organization: null, roles: page.owners.map((user) => ({ role: 'Owner', user })) },
    ...(!isRelease && { releases: releases() }),
    urls: of(version).map(fileJson),
  }
}

function infoJson(
  page: LegacyPage,
  version: string,
  files: readonly LegacyFile[],
  metadata: MetadataFields,
): Record<string, unknown> {
  const one = (key: string) => text(metadata[key])
  const many = (key: string) => list(metadata[key])
  const yanked = files.length > 0 && files.every((file) => file.yanked !== undefined)
  const reason = files.find((file) => typeof file.yanked === 'string')?.yanked
  const releaseUrl = `${page.projectUrl}/${encodeURIComponent(version)}`
  return {
    author: one('author'),
    author_email: one('author_email'),
    bugtrack_url: null,
    classifiers: many('classifiers'),
    description: one('description'),
    description_content_type: one('description_content_type'),
    docs_url: null,
    download_url: one('download_url'),
    downloads: { last_day: -1, last_month: -1, last_week: -1 },
    dynamic: orNull(many('dynamic')),
    home_page: one('home_page'),
    keywords: one('keywords'),
    license: one('license'),
    license_expression: one('license_expression') || null,
    license_files: orNull(many('license_files')),
    maintainer: one('maintainer'),
    maintainer_email: one('maintainer_email'),
    name: one('name') || page.name,
    package_url: page.projectUrl,
    platform: many('platform').join(',') || null,
    project_url: page.projectUrl,
    project_urls: orNull(labelled(many('project_urls'))),
    provides_extra: orNull(many('provides_extras')),
    release_url: releaseUrl,
    requires_dist: orNull(many('requires_dist')),
    requires_python: one('requires_python') || (files.find((file) => file.requiresPython)?.requiresPython ?? null),
    summary: one('summary'),
    version,
    yanked,
    yanked_reason: yanked && typeof reason === 'string' ? reason : null,
  }
}

/** Times are told twice, without and with zone; what an index without them has cannot be null, for its readers parse it. */
function fileJson(file: LegacyFile): Record<string, unknown> {
  const time = file.uploadTime ?? '1970-01-01T00:00:00Z'
  return {
    comment_text: '',
    'core-metadata': file.coreMetadata ?? false,
    digests: digests(file.hashes),
    downloads: -1,
    filename: file.filename,
    has_sig: file.gpgSig ?? false,
    md5_digest: file.hashes.md5 ?? null,
    packagetype: fileTypeOf(file.filename) ?? 'sdist',
    python_version: pythonTagOf(file.filename),
    requires_python: file.requiresPython ?? null,
    size: file.size ?? null,
    upload_time: time.replace(/(?:\.\d+)?Z$/, ''),
    upload_time_iso_8601: time,
    url: file.url,
    yanked: file.yanked !== undefined,
    yanked_reason: typeof file.yanked === 'string' ? file.yanked : null,
  }
}

function digests(hashes: DistributionFile['hashes']): Record<string, string> {
  return Object.fromEntries(Object.entries(hashes).filter(([name]) => ['md5', 'sha256', 'blake2b_256'].includes(name)))
}

/** `Label, address` → the two. */
function labelled(urls: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    urls.flatMap((url) => {
      const comma = url.indexOf(',')
      return comma === -1 ? [] : [[url.slice(0, comma).trim(), url.slice(comma + 1).trim()]]
    }),
  )
}

function orNull<T extends object>(value: T): T | null {
  return Object.keys(value).length === 0 ? null : value
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(',') ?? '')
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return (typeof value === 'string' ? value.split('\n') : (value ?? [])).filter((each) => each !== '')
}
