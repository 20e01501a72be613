/** Sorts names from a stream into a file, each once, with a bound on what is in memory: sorted runs on disk, then a merge. */
import { type FileHandle, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectName } from '../pep/name.ts'
import { mergeNames, type NameBatches } from './name-batches.ts'
import { readNames } from './name-list.ts'

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

/** Each name once: an upstream may list a project under several spellings of its name. */
async function writeRun(folder: string, number: number, names: readonly ProjectName[]): Promise<string> {
  const path = join(folder, `run-${number}`)
  const sorted = [...new Set(names)].sort()
  await writeFile(path, sorted.map((name) => `${name}\n`).join(''))
  return path
}

async function* readRun(path: string): AsyncGenerator<readonly ProjectName[]> {
  yield* readNames(await open(path, 'r'))
}

async function writeNames(handle: FileHandle, batches: NameBatches): Promise<number> {
  let count = 0
  for await (const batch of batches) {
    count += batch.length
    await handle.write(`${batch.join('\n')}\n`)
  }
  return count
}
