/** `pdm.lock`: PDM's lock, version 4, and those before it, where the files stood in a table of their own. */
import { asObject } from '../lib/json-object.ts'
import { namedFile, pinned, type Skipped, tables, type Wanted, type WantedRelease } from './wanted.ts'

export function pdmLock(lock: Readonly<Record<string, unknown>>): Wanted {
  const releases = new Map<string, WantedRelease>()
  const skipped: Skipped[] = []
  const older = asObject(asObject(lock.metadata).files)
  for (const each of tables(lock.package)) {
    const { name, version } = each
    const elsewhere = ['git', 'hg', 'svn', 'bzr', 'url', 'path'].find((kind) => each[kind] !== undefined)
    if (elsewhere !== undefined) {
      skipped.push({ text: String(name), reason: `it is no file of an index, but from "${elsewhere}"` })
    } else if (typeof version !== 'string') {
      skipped.push({ text: String(name), reason: 'the lock names no version' })
    } else {
      const files = tables(each.files ?? older[`${String(name)} ${version}`])
      const release = pinned(
        name,
        version,
        files.flatMap(({ file, url, hash }) => namedFile(file ?? url, hash)),
      )
      // A package with extras stands there once more for each set of them, perhaps without files.
      const key = `${release.project} ${version}`
      if ((releases.get(key)?.files.length ?? 0) <= release.files.length) releases.set(key, release)
    }
  }
  return { releases: [...releases.values()], skipped }
}
