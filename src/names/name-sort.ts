/** Sorts names from a stream into a file, each once, with a bound on what is in memory: sorted runs on disk, then a merge. */
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectName } from '../pep/name.ts'
import { mergeNames, type NameBatches } from './name-batches.ts'
import { readNames } from './name-list.ts'

/**
 * Writes the names of `source` to the new file `path`, sorted by code points, one a line. Throws what `source` throws.
 * `runNames` names at a time are held in memory; the rest lies in `folder`, which is the caller's to remove.
 */
export async function sortNames(
  source: AsyncIterable<ProjectName>,
  path: string,
  { folder, runNames }: { readonly folder: string; readonly runNames: number },
): Promise<void> {
  const runs: string[] = []
  let run: ProjectName[] = []
  for await (const name of source) {
    run.push(name)
    if (run.length < runNames) continue
    runs.push(await writeRun(folder, runs.length, run))
    run = []
  }
  runs.push(await writeRun(folder, runs.length, run))
  await using handle = await open(path, 'wx')
  await writeNames(handle, mergeNames(runs.map(readRun)))
}

/** Each name once: an upstream may list a project under several spellings of its name. */
async function writeRun(folder: string, number: number, names: readonly ProjectName[]): Promise<string> {
  const path = join(folder, `run-${number}`)
  const sorted = [...new Set(names)].sort()
  await writeFile(path, sorted.map((name) => `${name}\n`).join(''))
  return path
}

async function* readRun(path: string): AsyncGenerator<readonly ProjectName[]> {
  await using handle = await open(path, 'r')
  yield* readNames(handle)
}

async function writeNames(handle: FileHandle, batches: NameBatches): Promise<void> {
  for await (const batch of batches) await handle.write(`${batch.join('\n')}\n`)
}
