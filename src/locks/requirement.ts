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
  const found = /^\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:\(([^)]*)\)|([^()]*))$/.exec(text)
  const name = found?.[1]
  const specifier = (found?.[2] ?? found?.[3] ?? '').trim()
  if (name === undefined || asProjectName(name) === undefined || !isSpecifier(specifier)) return undefined
  return { name, specifier, admits: (version) => satisfies(version, specifier) }
}
