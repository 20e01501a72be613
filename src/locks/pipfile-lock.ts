/** `Pipfile.lock`: Pipenv's lock, JSON: `default`, `develop` and further categories, each name → how it is pinned. */
import { asObject } from '../lib/json-object.ts'
import { namedFile, pinned, type Skipped, type Wanted, type WantedRelease } from './wanted.ts'

export function pipfileLock(lock: Readonly<Record<string, unknown>>): Wanted {
  const releases: WantedRelease[] = []
  const skipped: Skipped[] = []
  for (const [category, packages] of Object.entries(lock)) {
    if (category === '_meta') continue
    for (const [name, value] of Object.entries(asObject(packages))) {
      const { version, hashes } = asObject(value)
      const [, written] = (typeof version === 'string' && /^===?\s*([^\s,*]+)$/.exec(version)) || []
      if (written === undefined) skipped.push({ text: name, reason: 'the lock pins no version of an index' })
      else {
        const all = Array.isArray(hashes) ? hashes : []
        releases.push(
          pinned(
            name,
            written,
            all.flatMap((hash) => namedFile(undefined, hash)),
          ),
        )
      }
    }
  }
  return { releases, skipped }
}
