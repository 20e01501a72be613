/** Opens an index by name: reads the record, flattens the bases, builds the layers and combines them. */
import { indexAsWritten } from '../catalog/accounts.ts'
import type { Catalog, Reader } from '../catalog/catalog.ts'
import { ANONYMOUS, type May, type Principal, readOf } from '../model/access.ts'
import { readForbidden } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { IndexName } from '../model/names.ts'
import { type IndexRecord, isMirror, type MirrorRecord, type StageRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { ALL_SHOWN, type Gate, gated, type Shown, shownOf } from './gate.ts'
import { type LayeredIndex, layered, type MirrorLayer } from './layered.ts'
import type { Layer } from './package-index.ts'
import { type ShownLine, shownLine } from './shown-line.ts'
import { stage } from './stage.ts'

export interface Indexes {
  /**
   * The index with its bases, as far as who asks may read them; `undefined` where there is none of that name.
   * Throws `not-allowed` where the index itself may not be read.
   */
  open(name: string, asks: Asks): Promise<OpenIndex | undefined>
  /** What is written down of the index; `undefined` where there is none of that name. */
  record(name: string): Promise<IndexRecord | undefined>
  /** What may be seen of a project on this very index, for what is found by rows and not by its page. */
  shown(record: IndexRecord, project: ProjectName): Promise<Shown>
  /** A line of a list of projects without what the gate hides; `undefined` where that is all there is of it. */
  shownLine<Line extends ShownLine>(index: IndexName, line: Line): Promise<Line | undefined>
  /** The index alone, without its bases, behind the same gate. */
  layer(record: IndexRecord): Promise<Layer>
}

/** The mirrors of this server, opened. */
export interface MirrorLayers {
  get(record: MirrorRecord): Promise<MirrorLayer>
}

/** Gives the principal of the request; called only if an access list needs it. */
export type Asks = () => Promise<Principal>

export interface OpenIndex {
  readonly record: IndexRecord
  readonly index: LayeredIndex
  /** In resolution order, the index itself first; without what may not be read. */
  readonly chain: readonly IndexRecord[]
}

export function openIndexes(options: {
  readonly catalog: Catalog
  readonly mirrors: MirrorLayers
  readonly limits: Limits
  readonly may: May
  /** Put before every layer that is opened; absent: all may be seen. */
  readonly gate?: Gate
}): Indexes {
  const { catalog, mirrors, limits, gate } = options

  const mirror = async (record: MirrorRecord) => gated(await mirrors.get(record), gate)

  async function layer(record: IndexRecord): Promise<Layer> {
    return isMirror(record) ? await mirror(record) : gated(stage(catalog, record as StageRecord), gate)
  }

  return {
    record: (name) => catalog.read((reader) => indexAsWritten(reader, name)),
    layer,
    shown: async (record, project) =>
      gate === undefined ? ALL_SHOWN : shownOf(await (await layer(record)).project(project)),
    shownLine: async (index, line) => (gate === undefined ? line : await shownLine(catalog, gate, index, line)),
    open: async (name, asks) => {
      const all = await catalog.read((reader) => resolutionOrder(reader, name, limits.basesDepth))
      const [record] = all
      if (record === undefined) return undefined
      const who = all.some((each) => each.options.acl_pkg_read !== undefined) ? await asks() : ANONYMOUS
      const isReadable = (each: IndexRecord) => options.may(who, readOf(each))
      if (!isReadable(record)) throw readForbidden()
      const chain = all.filter(isReadable)
      const stages = all.filter((each) => !isMirror(each)) as StageRecord[]
      const index = layered(
        record.name,
        stages.map((each) => ({
          layer: gated(stage(catalog, each), gate),
          whitelist: each.options.mirror_whitelist,
          isHidden: !isReadable(each),
        })),
        await Promise.all(chain.filter(isMirror).map(mirror)),
        isMirror(record) ? 'union' : (record as StageRecord).options.mirror_whitelist_inheritance,
      )
      return { record, index, chain }
    },
  }
}

/**
 * The flattened bases: breadth-first from the index itself, each index once, bases that are gone skipped, all mirrors
 * moved to the end in the order they were found (devpi's stage resolution order). Deeper than `depth` is not looked.
 */
export async function resolutionOrder(reader: Reader, name: string, depth: number): Promise<IndexRecord[]> {
  const found: IndexRecord[] = []
  const seen = new Set<string>()
  let level: readonly string[] = [name]
  for (let step = 0; step <= depth && level.length > 0; step++) {
    const next: IndexName[] = []
    for (const each of level) {
      if (seen.has(each)) continue
      seen.add(each)
      const record = await indexAsWritten(reader, each)
      if (record === undefined) continue
      found.push(record)
      if (record.options.type === 'stage') next.push(...record.options.bases)
    }
    level = next
  }
  return [...found.filter((each) => !isMirror(each)), ...found.filter(isMirror)]
}
