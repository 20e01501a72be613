/**
 * The gate: a filter of files that decides what may be seen. It wraps each layer where layers are built, so that pages,
 * files, their metadata, lists of versions, search and pushes all agree.
 */
import { Problem } from '../model/errors.ts'
import type { IndexName } from '../model/names.ts'
import type { ProjectName } from '../pep/name.ts'
import type { AskedAddress } from './asked-address.ts'
import type { MirrorLayer } from './layered.ts'
import type { Conditions, FileFacts, IndexFile, IndexPage, Layer } from './package-index.ts'

export interface Gate {
  /** `undefined` where the file may be seen through the index. What throws hides nothing and shows nothing: the question fails. */
  hides(index: IndexName, project: ProjectName, file: IndexFile): Hidden | undefined
}

export interface Hidden {
  /** The end of a sentence that says why. */
  readonly reason: string
  /** When it may be seen, ms since 1970; absent where no time changes that. No page stands ready for longer. */
  readonly untilMs?: number
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
    at: async (address: AskedAddress, filename: string, asked: Conditions = {}) => {
      const admit = async (found: FileFacts) => {
        await checkSeen(gate, layer, found, seen)
        await asked.admit?.(found)
      }
      return await layer.at(address, filename, { ...asked, admit })
    },
    ...(retain !== undefined && { retain: (name: ProjectName) => retain.call(layer, name) }),
    ...(mirror.refresh !== undefined && { refresh: (name: ProjectName) => mirror.refresh!(name) }),
    ...(mirror.list !== undefined && { list: (isNumbered?: boolean) => mirror.list!(isNumbered) }),
  } as Layer as L
}

/** Throws `file-withheld`. */
async function checkSeen(
  gate: Gate,
  layer: Layer,
  found: FileFacts,
  seen: (name: ProjectName) => Promise<IndexPage | undefined>,
): Promise<void> {
  const { project, file } = found
  const reason =
    found.isAttachment === true
      ? whyNotAttached(found, await seen(project))
      : gate.hides(layer.name, project, file)?.reason
  if (reason === undefined) return
  throw new Problem('file-withheld', `Cannot deliver "${file.filename}": ${reason}`, {
    hint: 'choose another version',
  })
}

function whyNotAttached({ file, aboutFilename }: FileFacts, page: IndexPage | undefined): string | undefined {
  const shown = shownOf(page)
  if (!shown.version(file.version)) return `release ${file.version} is hidden`
  return aboutFilename === undefined || shown.file(aboutFilename) ? undefined : `"${aboutFilename}" is hidden`
}

/** What may be seen of a project, for what is found by rows and not by its page. */
export interface Shown {
  version(version: string): boolean
  file(filename: string): boolean
}

export const ALL_SHOWN: Shown = { version: () => true, file: () => true }

/** By the page behind the gate. What is attached to the files of a quarantined project stays, as far as the gate shows them. */
export function shownOf(page: IndexPage | undefined): Shown {
  const versions = new Set(page?.versions)
  const files = new Set([...(page?.files ?? []), ...(page?.withheld ?? [])].map((file) => file.filename))
  return { version: (version) => versions.has(version), file: (filename) => files.has(filename) }
}

/** Versions go with their files, also with those that the page withholds; one that never had files stays. */
function visible(gate: Gate, page: IndexPage): IndexPage {
  let untilMs = page.freshUntilMs ?? Number.POSITIVE_INFINITY
  const seen = (file: IndexFile) => {
    const hidden = gate.hides(page.index, page.name, file)
    if (hidden !== undefined) untilMs = Math.min(untilMs, hidden.untilMs ?? untilMs)
    return hidden === undefined
  }
  const all = [...page.files, ...(page.withheld ?? [])]
  const shown = new Set(all.filter(seen))
  if (shown.size === all.length) return page
  const before = new Set(all.map((file) => file.version))
  const after = new Set([...shown].map((file) => file.version))
  return {
    ...page,
    files: page.files.filter((file) => shown.has(file)),
    ...(page.withheld !== undefined && { withheld: page.withheld.filter((file) => shown.has(file)) }),
    versions: page.versions.filter((version) => after.has(version) || !before.has(version)),
    ...(untilMs < Number.POSITIVE_INFINITY && { freshUntilMs: untilMs }),
  }
}
