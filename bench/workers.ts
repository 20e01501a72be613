/**
 * What several workers cost and bring: one beside two, on one core and on two, taking turns.
 *
 *     bin/with-node bench/workers.ts [--rounds N] [--seconds N] [--warm N] [--connections N] [--dry]
 *
 * On one core the servers are on core 0 and the load on core 1: there requests per CPU-second tell what sharing costs. On two
 * cores two workers have both, and the load comes from one of them as well: a machine with more shows more. Every worker compiles
 * for itself, so each is warmed up for `--warm` seconds of its own core before the first round.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CHECKOUT } from '../test/programs/server-process.ts'
import { tempFolder } from '../test/world/temp-folder.ts'
import { madeContent } from './content/content.ts'
import { amounts } from './content/wanted-files.ts'
import { keepPage, machine, median, table } from './measure.ts'
import { airlock } from './peers/airlock.ts'
import type { Peer } from './peers/peer.ts'
import { memoryBytes } from './peers/process-figures.ts'
import { measureGets, type Sample } from './serving/measured-load.ts'
import type { Target } from './serving/scenario.ts'

const MIB = 1024 * 1024
/** The benchmark's own content, made smaller: the page is the same. */
const SCALE = 0.02

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    warm: { type: 'string', default: '40' },
    connections: { type: 'string', default: '32' },
    dry: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const connections = Number(values.connections)

interface Contender {
  readonly title: string
  readonly peer: Peer
  readonly samples: Sample[]
}

await compare()

async function compare(): Promise<void> {
  const about = await machine()
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const content = await madeContent(amounts(SCALE))
  const project = content.files[0]!.project
  const targetOf = (peer: Peer): Target => ({
    ...{ path: peer.page(project, 'html', 'direct')!, headers: { accept: 'text/html' } },
    ...{ status: 200, isCompressed: false },
  })
  const contenders: Contender[] = []
  for (const [title, workers, cores] of [
    ['one worker, one core', 1, '0'],
    ['two workers, one core', 2, '0'],
    ['two workers, two cores', 2, '0,1'],
  ] as const) {
    const kind = airlock(join(CHECKOUT, 'bin', 'airlock'), { workers, cores })
    const place = join(folder.path, String(contenders.length))
    await kind.prepare(place, content, undefined)
    const peer = stack.use(await kind.start(place, content, undefined))
    contenders.push({ title, peer, samples: [] })
    // A part of it is the warm-up of the measurement itself, which counts as well.
    await measureGets(peer, targetOf(peer), { connections, seconds: (Number(values.warm) * workers) / 1.4 })
    process.stderr.write(`${title}: warm\n`)
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { title, peer, samples } of contenders) {
      const sample = await measureGets(peer, targetOf(peer), { connections, seconds })
      samples.push(sample)
      process.stderr.write(
        `round ${round}: ${title}: ${sample.perCpuSecond.toFixed(0)} per CPU-second, ${sample.perSecond.toFixed(0)} per second\n`,
      )
    }
  }
  const alone = contenders[0]!.samples.map((each) => each.perCpuSecond)
  const rows = await Promise.all(
    contenders.map(async ({ title, peer, samples }) => {
      const perCpu = samples.map((each) => each.perCpuSecond)
      return [
        title,
        median(perCpu).toFixed(0),
        `${Math.min(...perCpu).toFixed(0)} to ${Math.max(...perCpu).toFixed(0)}`,
        // Within a round: what else the machine has to do changes from one to the next.
        `${median(perCpu.map((each, round) => each / alone[round]!)).toFixed(2)} ×`,
        median(samples.map((each) => each.perSecond)).toFixed(0),
        median(samples.map((each) => each.p99Ms)).toFixed(1),
        ((await memoryBytes(peer.pid)) / MIB).toFixed(0),
      ]
    }),
  )
  const head = ['Server', 'Per CPU-second', 'Spread', 'Beside one alone', 'Per second', 'p99, ms', 'Memory, MiB']
  const text = `# Several workers

GETs of a small page (${contenders[0]!.samples[0]!.bodyBytes} bytes) over ${connections} connections; ${rounds} rounds of ${seconds} s in which the servers took turns, the medians of them, after ${values.warm} s for each worker to warm up.

${table([head, ...rows])}

* One core: the servers on core 0, the load on core 1. Per CPU-second of all threads together; what sharing the port, the catalog and its counters costs.
* Two cores: the load is on core 1 too, so two workers have one core and what the load leaves of the other.
* "Beside one alone" is the median of what the rounds say, each by itself, of requests per CPU-second.
* Memory is what the process holds after the last round (Pss).
* ${about}
`
  if (values.dry) process.stdout.write(text)
  else await keepPage('RESULTS-workers.md', text)
}
