/** Combines layers into one index: stages merge, and stages shadow mirrors. */
import { reasonOf } from '../lib/reason.ts'
import type { StageOptions } from '../model/index-options.ts'
import type { IndexName } from '../model/names.ts'
import { type ListedBatches, mergeListed } from '../names/name-batches.ts'
import type { NameList } from '../names/name-list.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ProjectStatus } from '../pep/simple.ts'
import { archiveOf } from './asked-address.ts'
import { chainStatus } from './chain-status.ts'
import type { IndexFile, IndexPage, Layer, PackageIndex } from './package-index.ts'
import { isShadowed } from './shadow.ts'

/** A stage in a chain, with its say in what mirrors may answer. */
export interface StageLayer {
  readonly layer: Layer & { readonly kind: 'stage' }
  readonly whitelist: StageOptions['mirror_whitelist']
  /** The requester may not read it. It still says which names are private, or a mirror would be asked for them. */
  readonly isHidden?: boolean
}
export type MirrorLayer = Layer & {
  readonly kind: 'mirror'
  refresh?(name: ProjectName): Promise<void>
  /** The whole list where it lies ready, for the caller to close. Throws where nobody can tell. */
  list?(isNumbered?: boolean): Promise<NameList | undefined>
}

/** Every name of an index, as it can be sent with the least work. */
export interface LayeredList {
  /** The longest list that lies ready, for the caller to close. */
  readonly ready?: NameList
  /** The names of all other layers; absent where there is no other. */
  readonly others?: ListedBatches
  /** There is one mirror and no stage: its upstream's change numbers are told, else the server's own. */
  readonly isMirror: boolean
  /** Whether all others change only with the catalog's serial. */
  readonly othersAreJournalled: boolean
}

export interface LayeredIndex extends PackageIndex {
  /** Each layer's own page of the project, in resolution order, of the layers that may answer and have it. */
  pages(name: ProjectName): Promise<IndexPage[]>
  /** Every name with its stamp; `isNumbered` where those of upstream count. Throws where a mirror cannot tell. */
  list(isNumbered?: boolean): Promise<LayeredList>
  /** Has every mirror that may be asked for the project ask its upstream anew. Throws the first failure. */
  refresh(name: ProjectName): Promise<void>
}

/**
 * An index with its bases. The layers are flat and in resolution order (devpi's: breadth-first, mirrors last).
 *
 * | Question | Stages | Mirrors |
 * |---|---|---|
 * | `list()` | union | union |
 * | `project(n)`, not shadowed | merged, first layer wins per filename | merged after them, in order |
 * | `project(n)`, shadowed by a stage that knows *n* | merged | **not asked** |
 * | any, with a stage hidden from who asks | that stage adds nothing, and shadows all the same | as above |
 * | `at(a, f)` | the first that has it there | those that may answer for its project |
 * | a layer cannot answer | throws | throws; where a stage knows *n*, its own files are still served, as stale |
 */
export function layered(
  name: IndexName,
  stages: readonly StageLayer[],
  mirrors: readonly MirrorLayer[],
  inheritance: StageOptions['mirror_whitelist_inheritance'],
): LayeredIndex {
  const layers: readonly Layer[] = [
    ...stages.filter((stage) => stage.isHidden !== true).map((stage) => stage.layer),
    ...mirrors,
  ]

  async function ownPages(asked: ProjectName) {
    const own = await Promise.all(stages.map((stage) => stage.layer.project(asked)))
    const says = stages.map((stage, place) => ({ whitelist: stage.whitelist, knows: own[place] !== undefined }))
    const known = own.filter((page, place) => page !== undefined && stages[place]!.isHidden !== true) as IndexPage[]
    return { known, isClosed: isShadowed(asked, inheritance, says) }
  }

  /** What a chain says is quarantined is offered by none of its layers. */
  async function pages(asked: ProjectName): Promise<IndexPage[]> {
    const all = await allPages(asked)
    if (statusOf(all)?.status !== 'quarantined') return all
    return all.map((page) => ({ ...page, files: [] }))
  }

  function statusOf(all: readonly IndexPage[]): ProjectStatus | undefined {
    const isStages = (page: IndexPage) => stages.some((stage) => stage.layer.name === page.index)
    return chainStatus(all.map((page) => ({ isStage: isStages(page), status: page.status })))
  }

  async function allPages(asked: ProjectName): Promise<IndexPage[]> {
    const { known, isClosed } = await ownPages(asked)
    // A mirror that is not asked has a say in the change number all the same.
    if (isClosed) return mirrors.length === 0 ? known : known.map((page) => ({ ...page, freshUntilMs: FOR_NOW }))
    const answers = await Promise.allSettled(mirrors.map((mirror) => mirror.project(asked)))
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed !== undefined && known.length === 0) throw failed.reason
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []))
    // A mirror that has no such project may have it at any time.
    const all = found.length < mirrors.length ? [...known, ...found].map(asOld) : [...known, ...found]
    return failed === undefined ? all : all.map((page) => ({ ...page, stale: reasonOf(failed.reason) }))
  }

  const project = async (asked: ProjectName) => {
    const all = await pages(asked)
    const page = mergedPage(asked, all, statusOf(all))
    return page === undefined || stages.length === 0 ? page : withStamp(page, await stampOf(asked, all))
  }

  /** As the list has it: layers that are kept out of the page count there, too. */
  async function stampOf(asked: ProjectName, all: readonly IndexPage[]): Promise<number | undefined> {
    const answered = all.flatMap((page) => page.ownStamp ?? [])
    const silent = layers.filter((layer) => !all.some((page) => page.index === layer.name))
    const others = await Promise.all(silent.map((layer) => layer.stamp(asked)))
    const known = [...answered, ...others.filter((each) => each !== undefined)]
    return known.length === 0 ? undefined : Math.max(...known)
  }

  /** The layers that may have files of the project, in resolution order; asks no upstream. */
  async function layersFor(asked: ProjectName): Promise<readonly Layer[]> {
    return (await ownPages(asked)).isClosed ? layers.filter((each) => each.kind === 'stage') : layers
  }

  return {
    name,
    project,
    pages,
    list: (isNumbered = false) => longestList(layers, stages.length === 0, isNumbered),
    refresh: async (asked) => {
      if ((await ownPages(asked)).isClosed) return
      for (const mirror of mirrors) await mirror.refresh?.(asked)
    },
    at: async (address, filename, { mayAnswer, ...asked } = {}) => {
      // Under its name alone it is the one that the page lists, or page and file would disagree.
      const isNamed = address.kind === 'listed'
      const listed = isNamed ? listedIn(await project(address.project), filename) : undefined
      const answering = new Map<ProjectName, Promise<readonly Layer[]>>()
      const mayFrom = (layer: Layer) => async (project: ProjectName) => {
        const may = answering.get(project) ?? layersFor(project)
        answering.set(project, may)
        return (await may).includes(layer) && (await mayAnswer?.(project)) !== false
      }
      let isDeleted = false
      for (const layer of layers) {
        if (isNamed && layer.name !== listed?.index) continue
        const found = await layer.at(address, filename, { ...asked, mayAnswer: mayFrom(layer) })
        if (found === 'deleted') isDeleted = true
        else if (found !== undefined) return found
      }
      return isDeleted ? 'deleted' : undefined
    },
  }
}

function listedIn(page: IndexPage | undefined, filename: string): IndexFile | undefined {
  return page?.files.find((each) => each.filename === archiveOf(filename))
}

/** Good until something is heard of it. */
const FOR_NOW = Number.POSITIVE_INFINITY

function asOld(page: IndexPage): IndexPage {
  return { ...page, freshUntilMs: 0 }
}

async function longestList(
  layers: readonly (Layer | MirrorLayer)[],
  isMirror: boolean,
  isNumbered: boolean,
): Promise<LayeredList> {
  await using opened = new AsyncDisposableStack()
  const found: { readonly layer: Layer; readonly list: NameList }[] = []
  let kept: (typeof found)[number] | undefined
  for (const layer of layers) {
    const list = 'list' in layer ? await layer.list?.(isNumbered) : undefined
    if (list === undefined) continue
    opened.defer(async () => {
      if (list !== kept?.list) await list[Symbol.asyncDispose]()
    })
    found.push({ layer, list })
  }
  kept = found.toSorted((one, other) => other.list.namesBytes - one.list.namesBytes)[0]
  const others = layers.filter((layer) => layer !== kept?.layer)
  return {
    ...(kept !== undefined && { ready: kept.list }),
    ...(others.length > 0 && { others: mergeListed(others.map((layer) => layer.listed())) }),
    isMirror,
    othersAreJournalled: others.every((layer) => layer.kind === 'stage'),
  }
}

/** The layer's own number, or none, is not the chain's. */
function withStamp({ lastStamp: _layers, ...page }: IndexPage, stamp: number | undefined): IndexPage {
  return stamp === undefined ? page : { ...page, lastStamp: stamp }
}

/** Pages of one project as one: the first page that has a filename wins it. `undefined` where there are no pages. */
function mergedPage(
  name: ProjectName,
  pages: readonly IndexPage[],
  status: ProjectStatus | undefined,
): IndexPage | undefined {
  if (pages.length <= 1) return pages[0]
  const files = new Map<string, IndexFile>()
  for (const page of pages) for (const file of page.files) if (!files.has(file.filename)) files.set(file.filename, file)
  const stale = pages.find((page) => page.stale !== undefined)?.stale
  const fresh = pages.flatMap((page) => page.freshUntilMs ?? [])
  return {
    index: pages[0]!.index,
    name,
    files: [...files.values()],
    versions: [...new Set(pages.flatMap((page) => page.versions))],
    ...(fresh.length > 0 && { freshUntilMs: Math.min(...fresh) }),
    ...(stale !== undefined && { stale }),
    ...(status !== undefined && { status }),
  }
}
