/** The locks that are written in TOML: pylock.toml, uv.lock, poetry.lock and pdm.lock, told apart by what they say of themselves. */
import { asObject } from '../lib/json-object.ts'
import { pdmLock } from './pdm-lock.ts'
import { poetryLock } from './poetry-lock.ts'
import { pylock } from './pylock.ts'
import { uvLock } from './uv-lock.ts'
import type { Wanted } from './wanted.ts'

/** Throws `SyntaxError` for a lock of no known kind. */
export function tomlLock(lock: Readonly<Record<string, unknown>>): Wanted {
  const metadata = asObject(lock.metadata)
  if (lock['lock-version'] !== undefined) return pylock(lock)
  if (metadata['lock-version'] !== undefined) return poetryLock(lock)
  if (metadata.lock_version !== undefined) return pdmLock(lock)
  if (typeof lock.version === 'number') return uvLock(lock)
  throw new SyntaxError(
    'Cannot read the lock: it is neither a pylock.toml nor the lock of uv, Poetry or PDM; pass on what their export writes',
  )
}
