/**
 * What of an index may be seen: a filter of files, put before a layer where layers are built, so that pages, files, their
 * metadata, lists of versions, search and pushes all give the same answer.
 */
import { Problem } from '../model/errors.ts'
import type { IndexName } from '../model/names.ts'
import type { ProjectName } from '../pep/name.ts'
import type { MirrorLayer } from './layered.ts'
import type { IndexFile, IndexPage, Layer, LocatedFile } from './package-index.ts'

export interface Gate {
  /** Why the file may not be seen through the index, as the end of a sentence; `undefined` where it may. What throws hides nothing and shows nothing: the question fails. */
  hides(index: IndexName, project: ProjectName, file: IndexFile): string | undefined
}

/**
 * The layer behind the gate. A project stays known when all its files are hidden: its name keeps shadowing mirrors, and an
 * empty page is the true answer.
 */
export function gated<L extends Layer | MirrorLayer>(layer: L, gate: Gate | undefined): L {
  if (gate === undefined) return layer
  const seen = async (name: ProjectName) => {
    const page = await layer.project(name)
    return page && visible(gate, page)
  }
  const mirror: Partial<MirrorLayer> = layer.kind === 'mirror' ? (layer as MirrorLayer) : {}
  const { retain } = layer
  return {
    kind: layer.kind,
    name: layer.name,
    listed: () => layer.listed(),
    stamp: (name: ProjectName) => layer.stamp(name),
    project: seen,
    at: async (...asked: Parameters<Layer['at']>) => {
      const found = await layer.at(...asked)
      if (found === undefined || found === 'deleted') return found
      await checkSeen(gate, layer, found, seen)
      return found
    },
    ...(retain !== undefined && { retain: (name: ProjectName) => retain.call(layer, name) }),
    ...(mirror.refresh !== undefined && { refresh: (name: ProjectName) => mirror.refresh!(name) }),
    ...(mirror.list !== undefined && { list: (isNumbered?: boolean) => mirror.list!(isNumbered) }),
  } as Layer as L
}

/** Throws `file-withheld`. An attachment goes with the files of its release. */
async function checkSeen(
  gate: Gate,
  layer: Layer,
  { project, file, isAttachment }: LocatedFile,
  seen: (name: ProjectName) => Promise<IndexPage | undefined>,
): Promise<void> {
  const reason =
    isAttachment !== true
      ? gate.hides(layer.name, project, file)
      : (await seen(project))?.versions.includes(file.version) === true
        ? undefined
        : `release ${file.version} is hidden`
  if (reason === undefined) return
  throw new Problem('file-withheld', `Cannot deliver "${file.filename}": ${reason}`, {
    hint: 'choose another version',
  })
}

/** Versions go with their files; one that never had files stays. */
function visible(gate: Gate, page: IndexPage): IndexPage {
  const files = page.files.filter((file) => gate.hides(page.index, page.name, file) === undefined)
  if (files.length === page.files.length) return page
  const before = new Set(page.files.map((file) => file.version))
  const after = new Set(files.map((file) => file.version))
  return { ...page, files, versions: page.versions.filter((version) => after.has(version) || !before.has(version)) }
}
