/** Memory and other resources of an idle server, hour by hour, to see whether they grow. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { residentBytes, type Served } from './served.ts'

export interface Reading {
  readonly hour: number
  /** Which process it is: each start is another one. */
  readonly life: number
  readonly requests: number
  readonly rssBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
  readonly descriptors: readonly string[]
  readonly handles: Readonly<Record<string, number>>
  readonly drafts: readonly string[]
  readonly jobs: number
  /** Names of lists and what else lies in `mirrors/`. */
  readonly mirrorFiles: number
  readonly mirrorBytes: number
  readonly catalogBytes: number
  readonly blobs: number
  /** What the catalog could not be brought to do; empty where nothing locks it. */
  readonly locked: string
}

const MIB = 1024 * 1024
/** What is still ending may take so long. */
const SETTLING_MS = 15_000

/** To be called when no request is under way. Waits for what ends by itself; what does not is in the reading. */
export async function read(
  served: Served,
  serverDir: string,
  when: { readonly hour: number; readonly life: number; readonly requests: number },
): Promise<Reading> {
  const until = performance.now() + SETTLING_MS
  const later = () => performance.now() < until
  let drafts = await readdir(join(serverDir, 'drafts'))
  while (drafts.length > 0 && later()) {
    await delay(100)
    drafts = await readdir(join(serverDir, 'drafts'))
  }
  let descriptors = await served.descriptors()
  // Connections that were broken a moment ago are closed soon; the shortest of some looks is what stays.
  for (let look = 0; look < 10; look++) {
    await delay(50)
    const again = await served.descriptors()
    if (again.length < descriptors.length) descriptors = again
  }
  const { heapBytes, externalBytes, handles } = await served.measure()
  const mirrors = await sizes(join(serverDir, 'mirrors'))
  return {
    ...when,
    rssBytes: await residentBytes(served.pid),
    heapBytes,
    externalBytes,
    descriptors,
    handles,
    drafts,
    ...(await lookIntoCatalog(join(serverDir, 'catalog.db'))),
    mirrorFiles: mirrors.length,
    mirrorBytes: mirrors.reduce((sum, bytes) => sum + bytes, 0),
    catalogBytes: (await stat(join(serverDir, 'catalog.db'))).size,
    blobs: (await sizes(join(serverDir, 'blobs'))).length,
  }
}

/** A writer can begin, and nobody reads on in an old state: the log can be written back to its end. */
async function lookIntoCatalog(path: string): Promise<{ jobs: number; locked: string }> {
  const database = new DatabaseSync(path, { timeout: 1000 })
  try {
    const { jobs } = database.prepare('SELECT count(*) AS jobs FROM jobs').get() as { jobs: number }
    let locked = ''
    // Something in the background may write or read just now; a lock that was left stays.
    for (let attempt = 0; attempt < 5; attempt++) {
      locked = ''
      try {
        database.exec('BEGIN IMMEDIATE; ROLLBACK')
        const found = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
        if (found.busy !== 0) locked = 'a reader holds an old state'
      } catch (error) {
        locked = (error as Error).message
      }
      if (locked === '') break
      await delay(300)
    }
    return { jobs, locked }
  } finally {
    database.close()
  }
}

async function sizes(folder: string): Promise<number[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = names.filter((name) => name.isFile())
  const found = await Promise.all(
    files.map((file) =>
      stat(join(file.parentPath, file.name)).then(
        (each) => each.size,
        () => undefined,
      ),
    ),
  )
  return found.filter((bytes) => bytes !== undefined)
}

/** What stays too long or grows, one sentence each. Memory is compared within the longest life, its first hour left out. */
export function growth(
  readings: readonly Reading[],
  bounds: { readonly rssBytes: number; readonly heapBytes: number },
) {
  const found: string[] = []
  for (const { hour, drafts, jobs, locked } of readings) {
    if (drafts.length > 0) found.push(`after hour ${hour}: drafts/ holds ${drafts.join(', ')}`)
    if (jobs > 0) found.push(`after hour ${hour}: ${jobs} jobs wait`)
    if (locked !== '') found.push(`after hour ${hour}: the catalog is locked: ${locked}`)
  }
  const lives = Map.groupBy(readings, ({ life }) => life)
  const longest = [...lives.values()].reduce((a, b) => (b.length > a.length ? b : a)).slice(1)
  const third = Math.max(1, Math.floor(longest.length / 3))
  const [first, last] = [longest.slice(0, third), longest.slice(-third)]
  const grows = (what: string, of: (reading: Reading) => number, most: number, unit = 1) => {
    const [before, after] = [median(first.map(of)), median(last.map(of))]
    if (after - before <= most) return
    const [a, b, c] = [before, after, most].map((each) => (each / unit).toFixed(unit === 1 ? 0 : 1))
    found.push(`${what} grew from ${a} to ${b}, by more than ${c}`)
  }
  grows('resident memory (MiB)', ({ rssBytes }) => rssBytes, bounds.rssBytes, MIB)
  grows('the heap (MiB)', ({ heapBytes }) => heapBytes, bounds.heapBytes, MIB)
  grows('memory outside the heap (MiB)', ({ externalBytes }) => externalBytes, bounds.heapBytes, MIB)
  grows('the number of handles', ({ handles }) => sum(Object.values(handles)), 2)
  grows('the number of files in mirrors/', ({ mirrorFiles }) => mirrorFiles, 2)
  const base = longest[0]!
  for (const { hour, descriptors } of longest) {
    if (descriptors.length <= base.descriptors.length) continue
    const more = without(descriptors.map(kindOf), base.descriptors.map(kindOf))
    found.push(`after hour ${hour}: ${descriptors.length} descriptors, ${base.descriptors.length} before: ${more}`)
  }
  return found
}

export function table(readings: readonly Reading[]): string {
  const head = [
    '| Hour | Process | Requests | RSS MiB | Heap MiB | Outside MiB | Descriptors | Handles | Drafts | Jobs | Lists | Lists KiB | Catalog MiB | Blobs | Locks |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
  ]
  const mib = (bytes: number) => (bytes / MIB).toFixed(1)
  const rows = readings.map((each) =>
    [
      each.hour,
      each.life,
      each.requests,
      mib(each.rssBytes),
      mib(each.heapBytes),
      mib(each.externalBytes),
      each.descriptors.length,
      sum(Object.values(each.handles)),
      each.drafts.length,
      each.jobs,
      each.mirrorFiles,
      Math.round(each.mirrorBytes / 1024),
      mib(each.catalogBytes),
      each.blobs,
      each.locked === '' ? 'none' : each.locked,
    ].join(' | '),
  )
  return [...head, ...rows.map((row) => `| ${row} |`)].join('\n')
}

/** A socket is as good as another. */
function kindOf(descriptor: string): string {
  return descriptor.replace(/\[.*\]/, '')
}

function without(all: readonly string[], known: readonly string[]): string {
  const left = [...known]
  const more = all.filter((each) => {
    const at = left.indexOf(each)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return more.join(', ')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
