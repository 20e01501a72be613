/** A requirements file or lock on disk, read by the reader of its format. */
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { pipfileLock } from './pipfile-lock.ts'
import { requirementsTxt } from './requirements-txt.ts'
import { tomlLock } from './toml-locks.ts'
import type { Wanted } from './wanted.ts'

/** The locks of the largest projects have some 5 MB. */
const FILE_BYTES_MAX = 64 * 1024 * 1024

/**
 * By its name's ending and what is in it: a lock in TOML (`.toml`, `.lock`), a Pipfile.lock (JSON), else a requirements file.
 * Throws `SyntaxError` with the file's name for what cannot be read, and what the file system throws.
 */
export async function readWanted(path: string): Promise<Wanted> {
  const text = await readText(path)
  try {
    if (text.trimStart().startsWith('{')) return pipfileLock(JSON.parse(text))
    if (/\.(?:toml|lock)$/i.test(path)) return tomlLock(parseToml(text))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TomlError) {
      throw new SyntaxError(`Cannot use "${path}": ${error.message}`, { cause: error })
    }
    throw error
  }
  return await requirementsTxt(path, {
    resolve: (name, from) => resolve(dirname(from), name),
    read: (each) => (each === path ? Promise.resolve(text) : readText(each)),
  })
}

async function readText(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  if (size > FILE_BYTES_MAX) {
    throw new SyntaxError(`Cannot read "${path}": it has ${size} bytes, at most ${FILE_BYTES_MAX} are read`)
  }
  return await file.readFile('utf8')
}
