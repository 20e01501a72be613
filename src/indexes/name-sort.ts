/** Sorts names from a stream into a file, each once, with a bound on what is in memory: sorted runs on disk, then a merge. */
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ProjectName } from '../pep/name.ts'
import { mergeNames } from './package-index.ts'

/** Names written at a time. */
const NAMES_PER_WRITE = 5000

/**
 * Writes the names of `source` to `path`, sorted by code points, one a line; readers of the file that was there keep
 * what they have. Gives the count. When `source` throws, the old file stays and nothing is left behind. `temp` is a
 * folder on the same file system; `runNames` names at a time are held in memory.
 */
export async function sortNames(
  source: AsyncIterable<ProjectName>,
  path: string,
  { temp, runNames }: { readonly temp: string; readonly runNames: number },
): Promise<number> {
  const folder = await mkdtemp(join(temp, 'names-'))
  try {
    const runs: string[] = []
    let run: ProjectName[] = []
    for await (const name of source) {
      run.push(name)
      if (run.length < runNames) continue
      runs.push(await writeRun(folder, runs.length, run))
      run = []
    }
    runs.push(await writeRun(folder, runs.length, run))
    const result = join(folder, 'names')
    const handle = await open(result, 'wx')
    let count: number
    try {
      count = await writeNames(handle, mergeNames(runs.map(readRun)))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(result, path)
    return count
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeRun(folder: string, number: number, names: ProjectName[]): Promise<string> {
  const path = join(folder, `run-${number}`)
  names.sort()
  await writeFile(path, names.map((name) => `${name}\n`).join(''))
  return path
}

async function* readRun(path: string): AsyncGenerator<ProjectName> {
  for await (const line of createInterface({ input: createReadStream(path, 'latin1') })) yield line as ProjectName
}

async function writeNames(handle: FileHandle, names: AsyncIterable<ProjectName>): Promise<number> {
  let count = 0
  let waiting: string[] = []
  for await (const name of names) {
    count++
    waiting.push(name)
    if (waiting.length < NAMES_PER_WRITE) continue
    await handle.write(`${waiting.join('\n')}\n`)
    waiting = []
  }
  if (waiting.length > 0) await handle.write(`${waiting.join('\n')}\n`)
  return count
}
