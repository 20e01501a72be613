/** The wanted projects and files of a requirements file or lock, independent of its format. */

import { asObject } from '../lib/json-object.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'

export interface Wanted {
  readonly releases: readonly WantedRelease[]
  /** What was read and is not for an index to deliver. */
  readonly skipped: readonly Skipped[]
}

export interface WantedRelease {
  readonly project: ProjectName
  /** PEP 440; empty for any version. */
  readonly specifier: string
  /** Where one version is meant. */
  readonly version?: string
  /** Those that are named; empty for all of the version. */
  readonly files: readonly WantedFile[]
  /** Pre-releases count like others (pip's `--pre`). */
  readonly admitsPrereleases?: boolean
}

/** Named by its filename, by a hash, or both. */
export interface WantedFile {
  readonly filename?: string
  readonly hash?: Hash
}

/** `algorithm` in hashlib's names, `hex` in lower case. */
export interface Hash {
  readonly algorithm: string
  readonly hex: string
}

export interface Skipped {
  /** As written, shortened; or the project. */
  readonly text: string
  readonly reason: string
}

/** Reads `sha256:0123…`, as pip, uv, Poetry, PDM and Pipenv write it; `undefined` for other values. */
export function readHash(text: unknown): Hash | undefined {
  const [, algorithm, hex] = (typeof text === 'string' && /^([a-z0-9_]+)[:=]([0-9a-f]+)$/i.exec(text.trim())) || []
  if (algorithm === undefined || hex === undefined) return undefined
  return { algorithm: algorithm.toLowerCase(), hex: hex.toLowerCase() }
}

/** A file that a lock names by filename, or by an address or path that ends in it; nothing where none is told. */
export function namedFile(place: unknown, hash: unknown): WantedFile[] {
  const known = readHash(hash)
  const filename = typeof place === 'string' ? lastPart(place) : undefined
  if (filename === undefined && known === undefined) return []
  return [{ ...(filename !== undefined && { filename }), ...(known !== undefined && { hash: known }) }]
}

/** A release as locks pin it. Throws `SyntaxError` for a name that is none: then the file was misread. */
export function pinned(name: unknown, version: string, files: readonly WantedFile[]): WantedRelease {
  const project = typeof name === 'string' ? asProjectName(name) : undefined
  if (project === undefined) throw new SyntaxError(`Cannot read the lock: ${JSON.stringify(name)} is no project name`)
  return { project, specifier: `==${version}`, version, files }
}

/** The tables of a TOML or JSON array; empty where it is none. */
export function tables(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(asObject) : []
}

function lastPart(place: string): string | undefined {
  const path = place.replace(/[?#].*$/s, '').replaceAll('\\', '/')
  const name = path.slice(path.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(name) || undefined
  } catch {
    // A percent sign that encodes nothing stands for itself.
    return name
  }
}
