/** `poetry.lock`: Poetry's lock, version 2 and 1 (where the files stood in a table of their own). */
import { asObject } from '../lib/json-object.ts'
import { namedFile, pinned, type Skipped, tables, type Wanted, type WantedRelease } from './wanted.ts'

/** Kinds of source that are indexes: absent is the public one, `legacy` any other. */
const INDEXES: readonly unknown[] = [undefined, 'legacy', 'pypi']

export function poetryLock(lock: Readonly<Record<string, unknown>>): Wanted {
  const releases: WantedRelease[] = []
  const skipped: Skipped[] = []
  const older = asObject(asObject(lock.metadata).files)
  for (const each of tables(lock.package)) {
    const { name, version } = each
    const kind = asObject(each.source).type
    if (!INDEXES.includes(kind)) {
      skipped.push({ text: String(name), reason: `it is no file of an index, but from "${String(kind)}"` })
    } else if (typeof version !== 'string') {
      skipped.push({ text: String(name), reason: 'the lock names no version' })
    } else {
      const files = tables(each.files ?? older[String(name)])
      releases.push(
        pinned(
          name,
          version,
          files.flatMap(({ file, hash }) => namedFile(file, hash)),
        ),
      )
    }
  }
  return { releases, skipped }
}
