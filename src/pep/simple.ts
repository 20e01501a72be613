/**
 * The nouns of the Simple repository API, version 1.4, whichever representation carried them.
 *
 * Essential reading, in order: PEP 503 (HTML), 592 (yank), 629 (version), 691 (JSON), 700 (size and upload time),
 * 714 (metadata files), 740 (provenance), 792 (project status); all now in the packaging specifications.
 */
import type { ProjectName } from './name.ts'

/** One distribution archive as a project page lists it. A key that is not known is absent, never null (uv refuses null). */
export interface DistributionFile {
  /** The archive's name as its index writes it. */
  readonly filename: string
  /** Where it is: absolute, or relative to the page. Without fragment. */
  readonly url: string
  /** hashlib names, lower case, to hex digests (PEP 691). May be empty. */
  readonly hashes: Readonly<Record<string, string>>
  /** Bytes (PEP 700). */
  readonly size?: number
  /** `yyyy-mm-ddThh:mm:ss[.ffffff]Z` (PEP 700). */
  readonly uploadTime?: string
  /** A version specifier, not escaped (PEP 503). */
  readonly requiresPython?: string
  /** `true`, or the reason, when yanked (PEP 592). */
  readonly yanked?: true | string
  /** Whether `{url}.metadata` is served, with its hashes where they are known (PEP 714). */
  readonly coreMetadata?: true | Readonly<Record<string, string>>
  /** The URL of the provenance object (PEP 740). */
  readonly provenance?: string
  readonly gpgSig?: boolean
}

/** PEP 792. */
export interface ProjectStatus {
  readonly status: 'active' | 'archived' | 'quarantined' | 'deprecated'
  readonly reason?: string
}

/** One project's page. */
export interface ProjectDetail {
  readonly name: ProjectName
  readonly files: readonly DistributionFile[]
  /** Every version with a file, and perhaps some without (PEP 700). As the index writes them; order means nothing. */
  readonly versions: readonly string[]
  readonly status?: ProjectStatus
  /** The index's own change number, where it tells one (`X-PyPI-Last-Serial`, `meta._last-serial`). */
  readonly lastStamp?: number
}

/** A project in the list, with its own change number where it is known: mirroring tools compare that. */
export interface ListedProject {
  readonly name: string
  readonly lastStamp?: number
}

/** How a list of projects is written: what stands before the names, each name, what stands between two, what stands behind. */
export interface ListForm {
  readonly head: string
  readonly separator: string
  readonly tail: string
  entry(name: string, lastStamp?: number): string
}

export const API_VERSION = '1.4'
export const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
export const HTML_TYPE = 'application/vnd.pypi.simple.v1+html'
