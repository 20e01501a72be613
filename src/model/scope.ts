/** The scope of a token: the part of its owner's rights that it may use. */
import type { ProjectName } from '../pep/name.ts'
import type { IndexName } from './names.ts'

/** `read`: pages and files of indexes that not everybody may read. `upload`: files, documentation, test results. `delete`: take things off. */
export const TOKEN_ACTIONS = ['read', 'upload', 'delete'] as const
export type TokenAction = (typeof TOKEN_ACTIONS)[number]

export interface Scope {
  readonly actions: readonly TokenAction[]
  /** Where; one of them is enough. */
  readonly places: readonly Place[]
}

export interface Place {
  /** Absent: every index. */
  readonly index?: IndexName
  /** For what changes something; reading is given for whole indexes. Absent: every project. */
  readonly projects?: readonly ProjectName[]
}

/** What is done where. */
export interface Deed {
  readonly action: TokenAction
  readonly index: IndexName
  /** `undefined`: not known yet, or no one project is meant. */
  readonly project: ProjectName | undefined
}

/** Why the scope does not cover the deed, as half a sentence; `undefined` when it does. */
export function outsideScope(scope: Scope, { action, index, project }: Deed): string | undefined {
  if (!scope.actions.includes(action)) return `the token is not for action '${action}'`
  const here = scope.places.filter((place) => place.index === undefined || place.index === index)
  if (here.length === 0) return `the token is not for index ${index}`
  if (action === 'read' || project === undefined) return undefined
  const isNamed = here.some((place) => place.projects === undefined || place.projects.includes(project))
  return isNamed ? undefined : `the token is not for project '${project}' on index ${index}`
}
