/** `pylock.toml` (PEP 751): the standard's own lock. */
import { asObject } from '../lib/json-object.ts'
import { namedFile, pinned, type Skipped, tables, type Wanted, type WantedFile, type WantedRelease } from './wanted.ts'

/** Reads lock version 1. Throws `SyntaxError` for a later one, as PEP 751 demands ("lock-version"). */
export function pylock(lock: Readonly<Record<string, unknown>>): Wanted {
  const written = lock['lock-version']
  if (typeof written !== 'string' || !/^1\./.test(written)) {
    throw new SyntaxError(`Cannot read the lock: its version is ${JSON.stringify(written)}, and only 1 is known`)
  }
  const releases: WantedRelease[] = []
  const skipped: Skipped[] = []
  for (const each of tables(lock.packages)) {
    const { name, version } = each
    const elsewhere = ['vcs', 'directory', 'archive'].find((kind) => each[kind] !== undefined)
    if (elsewhere !== undefined) {
      skipped.push({ text: String(name), reason: `it is no file of an index, but from "${elsewhere}"` })
    } else if (typeof version !== 'string') {
      skipped.push({ text: String(name), reason: 'the lock names no version' })
    } else {
      const files = [...tables(each.wheels), ...(each.sdist === undefined ? [] : [asObject(each.sdist)])]
      releases.push(pinned(name, version, files.flatMap(fileOf)))
    }
  }
  return { releases, skipped }
}

/** `name`, or the last part of `url` or `path`; of several hashes the best known one. */
function fileOf(file: Readonly<Record<string, unknown>>): WantedFile[] {
  const hashes = asObject(file.hashes)
  const algorithm = ['sha256', ...Object.keys(hashes)].find((each) => typeof hashes[each] === 'string')
  return namedFile(file.name ?? file.url ?? file.path, algorithm && `${algorithm}:${String(hashes[algorithm])}`)
}
