/** Sorts names from a stream into a file, each once, with a bound on what is in memory: sorted runs on disk, then a merge. */
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectName } from '../pep/name.ts'
import type { ListedProject } from '../pep/simple.ts'
import { BatchReader } from './name-batches.ts'
import { nameOf, readLines } from './name-list.ts'

/** Lines written at a time. */
const BATCH = 1000

/**
 * Writes the names of `source` to the new file `path`, sorted by code points, one a line, each with its upstream's change
 * number behind a space where that is told. Throws what `source` throws. `runNames` names at a time are held in memory;
 * the rest lies in `folder`, which is the caller's to remove.
 */
export async function sortNames(
  source: AsyncIterable<ListedProject & { readonly name: ProjectName }>,
  path: string,
  { folder, runNames }: { readonly folder: string; readonly runNames: number },
): Promise<void> {
  const runs: string[] = []
  let run: string[] = []
  for await (const { name, lastStamp } of source) {
    run.push(lastStamp === undefined ? name : `${name} ${lastStamp}`)
    if (run.length < runNames) continue
    runs.push(await writeRun(folder, runs.length, run))
    run = []
  }
  runs.push(await writeRun(folder, runs.length, run))
  await using handle = await open(path, 'wx')
  await writeMerged(handle, runs)
}

/** A space is less than all that names are made of: lines sort as their names do. */
async function writeRun(folder: string, number: number, lines: string[]): Promise<string> {
  const path = join(folder, `run-${number}`)
  await writeFile(
    path,
    lines
      .sort()
      .map((line) => `${line}\n`)
      .join(''),
  )
  return path
}

/** Each name once, with the last of its lines: an upstream may list a project under several spellings of its name. */
async function writeMerged(handle: FileHandle, runs: readonly string[]): Promise<void> {
  const readers = runs.map((path) => new BatchReader(readRun(path)))
  try {
    for (const reader of readers) await reader.fill()
    let lines: string[] = []
    let last: ProjectName | undefined
    while (true) {
      let least: BatchReader<string> | undefined
      for (const reader of readers) {
        if (reader.head !== undefined && (least === undefined || reader.head < least.head!)) least = reader
      }
      if (least === undefined) break
      const line = least.head!
      const name = nameOf(line)
      if (name === last) lines[lines.length - 1] = line
      else lines.push(line)
      last = name
      if (!least.advance()) await least.fill()
      if (lines.length <= BATCH) continue
      await handle.write(`${lines.slice(0, -1).join('\n')}\n`)
      lines = lines.slice(-1)
    }
    if (lines.length > 0) await handle.write(`${lines.join('\n')}\n`)
  } finally {
    for (const reader of readers) await reader.close()
  }
}

async function* readRun(path: string): AsyncGenerator<readonly string[]> {
  await using handle = await open(path, 'r')
  yield* readLines(handle)
}
