/**
 * A sorted list of project names in a file, one a line: PyPI's holds 900,000. Looking a name up reads a few blocks,
 * and reading it all is a stream, so its size never counts in memory.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { ProjectName } from '../pep/name.ts'

/** Read at a time when streaming: some thousand names. */
const CHUNK_BYTES = 16 * 1024
/** A name has at most 200 characters, so a block this long holds a whole line from any place. */
const BLOCK_BYTES = 512

export class NameList {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Whether `name` is in the list; `undefined` where there is no list yet. */
  async has(name: ProjectName): Promise<boolean | undefined> {
    const handle = await this.#open()
    if (handle === undefined) return undefined
    try {
      return await includes(handle, name)
    } finally {
      await handle.close()
    }
  }

  /** Every name in order; `undefined` where there is no list yet. The list may be replaced meanwhile: readers keep theirs. */
  async names(): Promise<AsyncGenerator<readonly ProjectName[]> | undefined> {
    const handle = await this.#open()
    return handle && readNames(handle)
  }

  async isThere(): Promise<boolean> {
    const handle = await this.#open()
    await handle?.close()
    return handle !== undefined
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  async #open(): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

/** Binary search by bytes: the first line that begins at or after a place stands for the place. */
async function includes(handle: FileHandle, name: string): Promise<boolean> {
  const block = Buffer.alloc(BLOCK_BYTES)
  let low = 0
  let high = (await handle.stat()).size
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const from = Math.max(0, middle - 1)
    const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, from)
    const text = block.toString('latin1', 0, bytesRead)
    const begin = middle === 0 ? 0 : text.indexOf('\n') + 1
    const end = text.indexOf('\n', begin)
    const found = begin === 0 && middle !== 0 ? undefined : text.slice(begin, end === -1 ? undefined : end)
    if (found === name) return true
    if (found === undefined || found === '' || found > name) high = middle
    else low = from + end + 1
  }
  return false
}

/** The names of an open file of names, which is closed at the end. */
export async function* readNames(handle: FileHandle): AsyncGenerator<readonly ProjectName[]> {
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES)
    let rest = ''
    while (true) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES)
      if (bytesRead === 0) break
      const names = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
      rest = names.pop()!
      if (names.length > 0) yield names as ProjectName[]
    }
    if (rest !== '') yield [rest as ProjectName]
  } finally {
    await handle.close()
  }
}
