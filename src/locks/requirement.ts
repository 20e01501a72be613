/** A project with versions, as `devpi list` takes it: `pytest`, `pytest>=2.3.5`, `pytest (>=2,<3)`. */
import { asProjectName } from '../pep/name.ts'
import { isSpecifier, satisfies } from '../pep/version.ts'

export interface Requirement {
  /** As written: the server folds it. */
  readonly name: string
  /** The versions asked for (PEP 440); empty for all. */
  readonly specifier: string
  /** Whether a version is meant; pre-releases are. */
  readonly admits: (version: string) => boolean
}

/** Reads a requirement (PEP 508 without markers and URLs; extras are passed over); `undefined` for other text. */
export function readRequirement(text: string): Requirement | undefined {
  const trimmed = text.trim()
  const name = /^[A-Za-z0-9._-]+/.exec(trimmed)?.[0]
  if (name === undefined || asProjectName(name) === undefined) return undefined
  const rest = trimmed.slice(name.length).trimStart()
  const wanted = rest.replace(/^\[[^\]]*\]/, '').trimStart()
  const specifier = (/^\(([^)]*)\)$/.exec(wanted)?.[1] ?? wanted).trim()
  if (/[()]/.test(specifier) || !isSpecifier(specifier)) return undefined
  return { name, specifier, admits: (version) => satisfies(version, specifier) }
}
