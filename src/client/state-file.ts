/** The JSON files in which the client remembers things between commands. */
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { open, readFile, realpath, rm } from 'node:fs/promises'
import { renameDurably, syncFile } from '../lib/durable.ts'
import { pythonJson } from './output.ts'

export type StateObject = Record<string, unknown>

/** A path that holds what is no small ordinary file; the message says what to do. */
export class UnusableFile extends Error {
  override readonly name = 'UnusableFile'
}

/** Any more is not a state file; bounds what a wrong `--clientdir` makes us read. */
const STATE_BYTES_MAX = 16 * 1024 * 1024

/**
 * The object in the file at `path`; empty when the file is missing, empty or holds something else than an object.
 * Throws `SyntaxError` for a file that is not JSON: writing over it would lose what it was.
 */
export async function readState(path: string): Promise<StateObject> {
  const text = await readIfThere(path)
  if (text === undefined || text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new SyntaxError(`Cannot read "${path}": it is not JSON; repair or remove the file`)
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as StateObject) : {}
}

/**
 * Writes `state` so that a reader sees the old file or the new one, never a part: beside it first, then renamed over.
 * The file is for its owner alone (mode 0600), as devpi's client makes it. A symbolic link is kept, its target replaced.
 */
export async function writeState(path: string, state: StateObject): Promise<void> {
  await replaceFile(path, pythonJson(state, 2), 0o600)
}

/**
 * The atomic write behind `writeState`, for other small files. Throws `UnusableFile` where a device or a folder stands:
 * renaming over `/dev/null` would take it from the whole machine.
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const target = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return path
    throw error
  })
  const known = statSync(target, { throwIfNoEntry: false })
  if (known !== undefined && !known.isFile()) {
    throw new UnusableFile(`Cannot write "${path}": it is no ordinary file; name another path`)
  }
  const beside = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await using file = await open(beside, 'wx', mode)
    await file.writeFile(text)
    await file.chmod(mode)
    await syncFile(file.fd, beside)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await renameDurably(beside, target)
}

/** The text of the file at `path`, or `undefined` when there is none. Throws for a file too large to be what it should. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    if (size > STATE_BYTES_MAX)
      throw new UnusableFile(`Cannot read "${path}": ${size} bytes are too many for such a file; name another path`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
