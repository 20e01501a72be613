/** Server folders that hold the content: what takes minutes to fill is kept in `.cache/bench/` for later runs. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Content, KEPT } from '../content/content.ts'
import type { Peer, PeerKind } from '../peers/peer.ts'

/** What a kept folder depends on besides the content. */
export interface KeepOptions {
  readonly version: string
  /** Files whose change makes a new folder necessary. */
  readonly dependsOn: readonly string[]
}

/** A folder with the content, made once for every content and version. */
export async function keptFolder(
  kind: PeerKind,
  content: Content,
  { version, dependsOn }: KeepOptions,
): Promise<string> {
  const hash = createHash('sha256')
  for (const path of dependsOn) hash.update(await readFile(path))
  const folder = join(KEPT, `${kind.name}-${version}-${content.stamp}-${hash.digest('hex').slice(0, 8)}`)
  await onceMade(folder, (draft) => kind.prepare(draft, content, undefined))
  return folder
}

/** A folder below `parent` for this run only. */
export async function newFolder(
  parent: string,
  kind: PeerKind,
  content: Content | undefined,
  origin: Peer | undefined,
): Promise<string> {
  // Without spaces: configurations and shells read it.
  const folder = join(parent, `${kind.name.replaceAll(' ', '-')}-${content === undefined ? 'empty' : 'full'}`)
  await mkdir(folder)
  await kind.prepare(folder, content, origin)
  return folder
}

/** Calls `make` with a folder that gets its name when it is whole. */
export async function onceMade(folder: string, make: (draft: string) => Promise<void>): Promise<void> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  )
  if (isThere) return
  const draft = `${folder}.draft`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  await make(draft)
  await rename(draft, folder)
}
