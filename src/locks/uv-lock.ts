/** `uv.lock`: uv's own lock, version 1. */
import { asObject } from '../lib/json-object.ts'
import { namedFile, pinned, type Skipped, tables, type Wanted, type WantedRelease } from './wanted.ts'

/** Throws `SyntaxError` for a later version. */
export function uvLock(lock: Readonly<Record<string, unknown>>): Wanted {
  if (lock.version !== 1) {
    throw new SyntaxError(`Cannot read uv.lock: its version is ${String(lock.version)}, and only 1 is known`)
  }
  const releases: WantedRelease[] = []
  const skipped: Skipped[] = []
  for (const each of tables(lock.package)) {
    const { name, version } = each
    const source = asObject(each.source)
    if (source.registry === undefined) {
      const kind = Object.keys(source)[0] ?? 'nowhere'
      skipped.push({ text: String(name), reason: `it is no file of an index, but from "${kind}"` })
    } else if (typeof version !== 'string') {
      skipped.push({ text: String(name), reason: 'the lock names no version' })
    } else {
      const files = [...tables(each.wheels), ...(each.sdist === undefined ? [] : [asObject(each.sdist)])]
      // A flat index (`--find-links`) is written with `filename` or `path` in place of `url`.
      const named = files.flatMap((file) => namedFile(file.url ?? file.filename ?? file.path, file.hash))
      releases.push(pinned(name, version, named))
    }
  }
  return { releases, skipped }
}
