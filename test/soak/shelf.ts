/** The model of a stage: acknowledged files exist, deleted files do not, and after a cut connection both are allowed. */
import type { Digest } from '../../src/lib/digest.ts'
import type { Made } from './recipe.ts'

export const ABSENT = 'absent'
type Content = Digest | typeof ABSENT

/** An archive or a zip of documentation, by its filename. */
export interface Thing {
  readonly kind: 'archive' | 'documentation'
  readonly project: string
  readonly version: string
  readonly filename: string
  /** What it may be now: one, unless a connection was cut before the answer came. */
  readonly possible: Set<Content>
  /** Raised by every change, at its begin and end: an answer counts only where it stayed. */
  stamp: number
  isChanging: boolean
  /** What the last content was made of. */
  made?: Made
}

/** How a change ended for who asked for it. */
export type Outcome = 'done' | 'refused' | 'unknown'

export class Shelf {
  readonly index: string
  readonly isVolatile: boolean
  readonly #projects = new Map<string, Map<string, Thing>>()

  constructor(index: string, options: { readonly isVolatile: boolean }) {
    this.index = index
    this.isVolatile = options.isVolatile
  }

  /** Every project there ever was. */
  get projects(): string[] {
    return [...this.#projects.keys()]
  }

  things(project: string): Thing[] {
    return [...(this.#projects.get(project)?.values() ?? [])]
  }

  /** Those that are there for certain. */
  there(project: string, kind: Thing['kind'] = 'archive'): Thing[] {
    return this.things(project).filter((thing) => thing.kind === kind && certain(thing) !== undefined)
  }

  /** A thing of that name; absent where it is new. */
  thing(of: Pick<Thing, 'kind' | 'project' | 'version' | 'filename'>): Thing {
    const things = this.#projects.get(of.project) ?? new Map<string, Thing>()
    this.#projects.set(of.project, things)
    const known = things.get(of.filename)
    if (known !== undefined) return known
    const { kind, project, version, filename } = of
    const thing: Thing = { kind, project, version, filename, possible: new Set([ABSENT]), stamp: 0, isChanging: false }
    things.set(filename, thing)
    return thing
  }

  /** Forgets what is certainly gone, so that the model does not grow. */
  tidy(): void {
    for (const things of this.#projects.values())
      for (const [name, thing] of things)
        if (thing.possible.size === 1 && thing.possible.has(ABSENT) && !thing.isChanging) things.delete(name)
  }
}

/** The digest, where there can be no other. */
export function certain({ possible }: Thing): Digest | undefined {
  const [only] = possible
  return possible.size === 1 && only !== ABSENT ? (only as Digest) : undefined
}

/** Runs a change of all of them to `content`; what they may be follows from how it ends. */
export async function change(
  things: readonly Thing[],
  content: (thing: Thing) => Content,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  for (const thing of things) {
    thing.stamp++
    thing.isChanging = true
  }
  let outcome: Outcome = 'unknown'
  try {
    outcome = await run()
  } finally {
    for (const thing of things) {
      if (outcome === 'done') thing.possible.clear()
      if (outcome !== 'refused') thing.possible.add(content(thing))
      thing.stamp++
      thing.isChanging = false
    }
  }
  return outcome
}
