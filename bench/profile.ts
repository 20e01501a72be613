/**
 * Where the time goes and what allocates, while a server answers the same small page: this checkout, and another beside it.
 *
 *     bin/with-node bench/profile.ts [--before PROGRAM] [--seconds N]
 *
 * `PROGRAM` is the `bin/airlock` of another checkout. With it, `bench/RESULTS-profile.md` and the flame graphs
 * `docs/flame-before.svg` and `docs/flame-after.svg` are written; without, the tables are printed.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CHECKOUT } from '../test/programs/server-process.ts'
import { freePort } from '../test/world/free-port.ts'
import { tempFolder } from '../test/world/temp-folder.ts'
import { madeContent } from './content/content.ts'
import { amounts, SMALL } from './content/wanted-files.ts'
import { getRequest, makeLoad } from './load/load.ts'
import { keepResult, machine, table } from './measure.ts'
import { airlock } from './peers/airlock.ts'
import { ACCEPT } from './peers/nginx.ts'
import { flameGraph } from './profiling/flame-graph.ts'
import { type AllocationNode, type CpuProfile, Inspected, placeOf } from './profiling/inspected.ts'

const CONNECTIONS = 16
const ROWS = 15
/** The benchmark's content, made smaller: the page is the same. */
const SCALE = 0.02

const { values } = parseArgs({
  options: { before: { type: 'string' }, seconds: { type: 'string', default: '5' } },
})
const seconds = Number(values.seconds)

const programs = [
  ...(values.before === undefined ? [] : [['before', values.before] as const]),
  ['after', join(CHECKOUT, 'bin', 'airlock')] as const,
]
const parts: string[] = []
for (const [name, program] of programs) parts.push(await profiled(name, program))
const text = `# Where the time goes

${CONNECTIONS} connections ask for the page of 12 files as JSON, compressed, through three bases. *Time*: of the main thread, without what it is idle. *Allocated*: bytes for each answer, sampled, what was collected
since included.

* Machine: ${await machine()}.

${parts.join('\n\n')}

\`bin/with-node bench/profile.ts --before PROGRAM\` writes this page and the flame graphs in \`docs/\`.
`
process.stdout.write(text)
if (values.before !== undefined) await keepResult('profile', text)

async function profiled(name: string, program: string): Promise<string> {
  await using folder = await tempFolder()
  const content = await madeContent(amounts(SCALE))
  const inspectorPort = await freePort()
  const kind = airlock(program, { env: { NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}` } })
  await kind.prepare(folder.path, content, undefined)
  await using peer = await kind.start(folder.path, content, undefined)
  const headers = { accept: ACCEPT.json, 'accept-encoding': 'gzip', 'user-agent': 'bench/1' }
  const load = {
    ...{ port: peer.port, connections: CONNECTIONS, mostSeconds: 0, status: 200, seconds },
    requests: [getRequest(peer.port, peer.page(SMALL, 'json', 'bases')!, headers)],
  }
  await makeLoad(load)
  await using inspected = await Inspected.open(inspectorPort)
  const cpu = await inspected.cpu(() => makeLoad(load))
  let answers = 0
  const { head } = await inspected.allocations(async () => {
    answers = (await makeLoad(load)).answers
  })
  if (values.before !== undefined)
    await writeFile(join(CHECKOUT, 'docs', `flame-${name}.svg`), flameGraph(cpu, `${name}: all work`))
  const bytes = new Map<string, number>()
  collect(head, bytes)
  return `## ${name[0]!.toUpperCase()}${name.slice(1)}

${table([['Function', 'Time, %'], ...shares(timesOf(cpu))])}

${table([['Function', 'Allocated, bytes an answer'], ...largest(bytes, (size) => (size / answers).toFixed(0))])}

All together ${([...bytes.values()].reduce((sum, each) => sum + each, 0) / answers).toFixed(0)} bytes an answer.`
}

function timesOf({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const places = new Map(nodes.map((node) => [node.id, placeOf(node.callFrame)]))
  const times = new Map<string, number>()
  for (const [at, id] of samples.entries()) {
    const place = places.get(id)!
    if (place === '(idle)') continue
    times.set(place, (times.get(place) ?? 0) + timeDeltas[at]!)
  }
  return times
}

function shares(times: ReadonlyMap<string, number>): string[][] {
  const total = [...times.values()].reduce((sum, each) => sum + each, 0)
  return largest(times, (us) => ((us / total) * 100).toFixed(1))
}

function largest(of: ReadonlyMap<string, number>, shown: (value: number) => string): string[][] {
  return [...of]
    .sort(([, one], [, other]) => other - one)
    .slice(0, ROWS)
    .map(([place, value]) => [place, shown(value)])
}

function collect(node: AllocationNode, into: Map<string, number>): void {
  const place = placeOf(node.callFrame)
  if (node.selfSize > 0) into.set(place, (into.get(place) ?? 0) + node.selfSize)
  for (const child of node.children) collect(child, into)
}
