/**
 * Airlock beside what else serves Python packages, and beside nginx over static files: pages, files, uploads, starts, memory.
 *
 *     bin/with-node bench/serve.ts [--rounds N] [--seconds N] [--only PATTERN] [--peers PATTERN] [--scale N] [--million]
 *         [--airlock PROGRAM] [--dry]
 *
 * All servers run on core 0 and the load on core 1, one after another in every round. `--only` takes a regular expression for
 * the keys of scenarios, `--peers` one for names of servers. `--scale 0.05` makes everything smaller, to try the benchmark
 * itself. `--million` adds a catalog of 1,000,000 more files, which takes minutes to make the first time. With `--dry`, or
 * anything left out, `bench/RESULTS.md` stays as it is.
 */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cleanEnv } from '../test/programs/clean-env.ts'
import { runProgram } from '../test/programs/run-program.ts'
import { CHECKOUT } from '../test/programs/server-process.ts'
import { tempFolder } from '../test/world/temp-folder.ts'
import { type Content, KEPT, madeContent } from './content/content.ts'
import { amounts } from './content/wanted-files.ts'
import { keepPage, machine } from './measure.ts'
import { AIRLOCK, airlock } from './peers/airlock.ts'
import { airlockBehindNginx } from './peers/airlock-behind-nginx.ts'
import { devpi } from './peers/devpi.ts'
import { nginx } from './peers/nginx.ts'
import type { Peer, PeerKind } from './peers/peer.ts'
import { peakMemoryBytes } from './peers/process-figures.ts'
import { proxpi } from './peers/proxpi.ts'
import { pypiserver } from './peers/pypiserver.ts'
import { simpleRepository } from './peers/simple-repository.ts'
import { measureGets, type Sample } from './serving/measured-load.ts'
import { keptFolder, newFolder, onceMade } from './serving/prepared.ts'
import { type AmountResult, amountsTable, details, type Failed, type LoadResult, summary } from './serving/results.ts'
import { scenarios, type Target, targetOf } from './serving/scenario.ts'
import { measureStarts, type Ready } from './serving/start-up.ts'
import { measureUploads, UPLOADS } from './serving/uploads.ts'

/** As long as a row of many may take to be written, on a slow disk. */
const FILL_MS = 2 * 60 * 60_000
const MIB = 1024 * 1024

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    peers: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    million: { type: 'boolean', default: false },
    airlock: { type: 'string', default: join(CHECKOUT, 'bin', 'airlock') },
    dry: { type: 'boolean', default: false },
  },
})
/** Of its start and its uploads there is nothing to tell: it is there for the largest file. */
const behindNginx = airlockBehindNginx(values.airlock)
const say = (line: string) => process.stderr.write(`${line}\n`)
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
/** Files more in the large catalog. */
const MORE = Math.round(1_000_000 * Number(values.scale))
const isWanted = (key: string) => new RegExp(values.only).test(key)

await compare()

/** A kind that takes part, with its version. */
interface Entry {
  readonly kind: PeerKind
  readonly version: string
}

async function compare(): Promise<void> {
  const about = await machine()
  await using temp = await tempFolder()
  const entries = await whoTakesPart()
  const content = await madeContent(amounts(Number(values.scale)))
  const folders = new Map<string, string>()
  for (const { kind, version } of entries) {
    if (kind.name !== AIRLOCK && kind !== devpi) continue
    say(`${kind.name}: preparing ${content.files.length} files, unless they are kept from an earlier run`)
    const dependsOn = kind.name === AIRLOCK ? [join(values.airlock, '../../src/catalog/migrations.ts')] : []
    folders.set(kind.name, await keptFolder(kind, content, { version, dependsOn }))
  }
  const amountsFound: AmountResult[] = []
  const loads: LoadResult[] = []
  if (values.million) await withMillion(temp.path, content, folders, amountsFound, loads)
  const emptyFolders = await prepareEmpty(temp.path, entries)
  if (isWanted('start')) amountsFound.push(...(await measureStarts(0, emptyFolders, rounds, say)))
  if (UPLOADS.some(({ key }) => isWanted(key))) loads.push(...(await uploads(emptyFolders)))
  if (isWanted('start') || scenarios(content).some(({ key }) => isWanted(key)))
    await serveContent(temp.path, entries, content, folders, amountsFound, loads)
  const text = page(about, entries, loads, amountsFound)
  process.stdout.write(text)
  const isWhole = values.only === '' && values.peers === '' && values.scale === '1'
  if (isWhole && !values.dry) await keepPage('RESULTS.md', text)
}

async function whoTakesPart(): Promise<Entry[]> {
  const kinds = [airlock(values.airlock), nginx, behindNginx, devpi, pypiserver, proxpi, simpleRepository]
  const entries: Entry[] = []
  for (const kind of kinds) {
    if (kind.name !== AIRLOCK && !new RegExp(values.peers).test(kind.name)) continue
    try {
      entries.push({ kind, version: await kind.version() })
    } catch (error) {
      say(`Without ${kind.name}: ${(error as Error).message}`)
    }
  }
  return entries
}

async function prepareEmpty(parent: string, entries: readonly Entry[]): Promise<Ready[]> {
  const empty: Ready[] = []
  for (const { kind } of entries.filter(({ kind }) => kind !== behindNginx))
    empty.push({ kind, folder: await newFolder(parent, kind, undefined, undefined), content: undefined })
  return empty
}

/** The content on every server: starts, then all scenarios, with all servers up and one at a time under load. */
async function serveContent(
  parent: string,
  entries: readonly Entry[],
  content: Content,
  folders: Map<string, string>,
  amountsFound: AmountResult[],
  loads: LoadResult[],
): Promise<void> {
  const own = entries[0]!.kind
  const others = entries.slice(1).map(({ kind }) => kind)
  await using stack = new AsyncDisposableStack()
  if (isWanted('start')) {
    const ready = [own, ...others]
      .filter((kind) => ![nginx, behindNginx, proxpi].includes(kind))
      .map((kind) => ({ kind, folder: folders.get(kind.name) ?? parent, content }))
    amountsFound.push(...(await measureStarts(content.files.length + 1, ready, rounds, say)))
  }
  const origin = stack.use(await own.start(folders.get(own.name)!, content, undefined))
  const peers = new Map<string, Peer>([[own.name, origin]])
  for (const kind of others) {
    try {
      const folder = folders.get(kind.name) ?? (await newFolder(parent, kind, content, origin))
      peers.set(kind.name, stack.use(await kind.start(folder, content, origin)))
    } catch (error) {
      say(`Without ${kind.name}: ${(error as Error).message}`)
    }
  }
  for (const scenario of scenarios(content)) {
    if (!isWanted(scenario.key)) continue
    const by = new Map<string, Sample[] | Failed>()
    const targets = new Map<string, Target>()
    for (const [name, peer] of peers) {
      const target = await targetOf(scenario, peer).catch((error: unknown) => failed(by, name, error))
      if (target !== undefined) targets.set(name, target)
    }
    await inTurn([...targets.keys()], by, scenario.title, (name) =>
      measureGets(peers.get(name)!, targets.get(name)!, { connections: scenario.connections, seconds }),
    )
    loads.push({ key: scenario.key, title: scenario.title, unit: 'Requests', by })
  }
  const peak = new Map<string, number[]>()
  for (const [name, peer] of peers) peak.set(name, [(await peakMemoryBytes(peer.pid)) / MIB])
  amountsFound.push({ title: 'Memory at most, during all scenarios', unit: 'MiB', by: peak })
}

async function uploads(empty: readonly Ready[]): Promise<LoadResult[]> {
  await using stack = new AsyncDisposableStack()
  const peers = new Map<string, Peer>()
  for (const { kind, folder } of empty) {
    try {
      const peer = stack.use(await kind.start(folder, undefined, undefined))
      if (peer.upload !== undefined) peers.set(kind.name, peer)
    } catch (error) {
      say(`Without ${kind.name}: ${(error as Error).message}`)
    }
  }
  const results: LoadResult[] = []
  for (const scenario of UPLOADS) {
    if (!isWanted(scenario.key)) continue
    const by = new Map<string, Sample[] | Failed>()
    const names = [...peers.keys()].filter(
      (name) => !scenario.withPassword || peers.get(name)!.upload!.passwordHeaders !== undefined,
    )
    await inTurn(names, by, scenario.title, (name, round) => measureUploads(peers.get(name)!, scenario, round, seconds))
    results.push({ key: scenario.key, title: scenario.title, unit: 'Uploads', by })
  }
  return results
}

/** Airlock alone, with 1,000,000 files (at full scale) more beside the content: its start, and the small page before and after. */
async function withMillion(
  parent: string,
  content: Content,
  folders: Map<string, string>,
  amountsFound: AmountResult[],
  loads: LoadResult[],
): Promise<void> {
  const few = folders.get(AIRLOCK)!
  const many = join(KEPT, `million-${few.slice(few.lastIndexOf('/') + 1)}`)
  await onceMade(many, async (draft) => {
    say(`Airlock: making a catalog of ${MORE} files more`)
    await cp(few, draft, { recursive: true })
    const args = ['scripts/million.ts', '--serverdir', join(draft, 'server'), '--files', String(MORE)]
    const options = { cwd: CHECKOUT, env: cleanEnv(parent), timeoutMs: FILL_MS }
    const done = await runProgram(process.execPath, args, options)
    if (done.code !== 0) throw new Error(`Cannot make a catalog of ${MORE} files:\n${done.output.slice(-2_000)}`)
  })
  const kind = airlock(values.airlock)
  const files = content.files.length + 1
  if (isWanted('start')) {
    const ready = [{ kind, folder: many, content }]
    amountsFound.push(...(await measureStarts(files + MORE, ready, rounds, say)))
  }
  for (const scenario of scenarios(content).filter(({ key }) => key === 'page-small-json-gzip-bases')) {
    if (!isWanted(scenario.key)) continue
    await using one = await kind.start(few, content, undefined)
    await using other = await kind.start(many, content, undefined)
    const peers = new Map([
      [AIRLOCK, one],
      [`${AIRLOCK}, ${MORE.toLocaleString('en-US')} files more`, other],
    ])
    const by = new Map<string, Sample[] | Failed>()
    const title = `${scenario.title}, with few files stored and with many`
    await inTurn([...peers.keys()], by, title, async (name) => {
      const peer = peers.get(name)!
      const target = (await targetOf(scenario, peer))!
      return await measureGets(peer, target, { connections: scenario.connections, seconds })
    })
    loads.push({ key: 'page-million', title, unit: 'Requests', by })
  }
}

/** A, B, C, A, B, C …; one that fails is left out from then on. */
async function inTurn(
  names: readonly string[],
  by: Map<string, Sample[] | Failed>,
  title: string,
  run: (name: string, round: number) => Promise<Sample | undefined>,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const before = by.get(name) ?? []
      if ('failed' in before) continue
      try {
        const sample = await run(name, round)
        if (sample === undefined) continue
        by.set(name, [...before, sample])
        const each = `${sample.perCpuSecond.toFixed(1)} per CPU-second, ${sample.perSecond.toFixed(1)} per second`
        say(`round ${round}: ${title}: ${name}: ${each}`)
      } catch (error) {
        failed(by, name, error)
      }
    }
  }
}

function failed(by: Map<string, Sample[] | Failed>, name: string, error: unknown): undefined {
  const reason = (error as Error).message
  by.set(name, { failed: reason.split('\n')[0]! })
  say(`${name}: ${reason}`)
}

function page(about: string, entries: readonly Entry[], loads: readonly LoadResult[], found: readonly AmountResult[]) {
  const names = entries.map(({ kind }) => kind.name)
  const without = names.includes(nginx.name) ? '' : '\n* nginx is not installed on this machine, or was left out.'
  const among = loads.filter(({ key }) => key !== 'page-million')
  return `# Airlock beside other servers

Medians (least to most) of ${rounds} rounds of ${seconds} s in which all took turns. Servers run on one core, the load on another.

${entries.map(({ kind, version }) => `* ${kind.name} ${version}: ${kind.setup}.`).join('\n')}
* Machine: ${about}.${without}

## How many times as fast

Answers of Airlock by those of the other, per second of CPU that the server used / per second by the clock. More than 1 is faster.

${summary(among, AIRLOCK, names.slice(1))}

* nginx serves the very bytes that Airlock answers, from files. A server without bases answers those scenarios with the project itself, one that does not compress answers plainly: the table of each scenario tells its KiB.
* *≥*: the load took all of its core, the server could have answered more by the clock.

## Starts and memory

${amountsTable(found, AIRLOCK, names)}

* *Memory idle*: of all processes of the server, what they share counted once, three seconds after the first answer. *At most*: the peaks of all its processes added up.

## Every figure

*By CPU* and *by the clock*: Airlock's figure by that of the server in the row.

${loads.map((result) => details(result, AIRLOCK)).join('\n\n')}

\`npm run bench\` or \`bin/with-node bench/serve.ts\` writes this page.
`
}
