import type { StageOptions } from '../model/index-options.ts'
import type { ProjectName } from '../pep/name.ts'

/** One stage of a chain, as the shadowing rule sees it. */
export interface StageSays {
  readonly whitelist: readonly (ProjectName | '*')[]
  /** The stage has a release of that name registered, files or not. */
  readonly knows: boolean
}

/**
 * Whether the stages of a chain keep its mirrors from being asked for `name`: the protection against dependency
 * confusion. `stages` are in resolution order, the requested index first; `inheritance` is the requested index's.
 *
 * The rule is devpi's, step by step. Each stage joins its whitelist to those before it (`union` or `intersection`;
 * `*` is an element like any other). A stage where the joined list holds the name or `*` opens the mirrors for the
 * rest of the walk; one where it does not, and that knows the name, closes them.
 */
export function isShadowed(
  name: ProjectName,
  inheritance: StageOptions['mirror_whitelist_inheritance'],
  stages: readonly StageSays[],
): boolean {
  let joined: ReadonlySet<string> | undefined
  let isOpened = false
  let isPrivate = false
  for (const stage of stages) {
    const own: ReadonlySet<string> = new Set(stage.whitelist)
    joined = joined === undefined ? own : inheritance === 'union' ? joined.union(own) : joined.intersection(own)
    if (joined.has('*') || joined.has(name)) isOpened = true
    else if (stage.knows) isPrivate = true
  }
  return isPrivate && !isOpened
}
