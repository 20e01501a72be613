/**
 * What the list of all projects costs, first and hundredth request, beside a plain static file of the same bytes, taking turns.
 *
 *     bin/with-node bench/project-list.ts [--names N] [--rounds N]
 *
 * "Static" is `node:http` and a read stream with a known length in a thread of its own: no routing, no headers, no choice.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { cpuMs, forgetPeak, listGround, read, WISHES, type Wish } from '../test/trouble/list-figures.ts'
import { tempFolder } from '../test/world/temp-folder.ts'
import { keepResult, machine, median, ratio, table } from './measure.ts'

const MIB = 1024 * 1024

if (isMainThread) await compare()
else serveStatic(workerData as string)

interface Row {
  readonly wish: Wish
  readonly bytes: number
  readonly firstMs: number
  readonly own: readonly number[]
  readonly plain: readonly number[]
  readonly cpuMs: number
  readonly peakMib: number
}

async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: { names: { type: 'string', default: '900000' }, rounds: { type: 'string', default: '100' } },
  })
  const [names, rounds] = [Number(values.names), Number(values.rounds)]
  const about = await machine()
  await using folder = await tempFolder()
  await using ground = await listGround(names)
  const cold = await read(ground.server.url, WISHES[0]!)
  const coldMib = (await ground.server.peakMemoryBytes()) / MIB
  const rows: Row[] = []
  for (const [place, wish] of WISHES.entries()) {
    const path = join(folder.path, String(place))
    await save(ground.server.url, wish, path)
    rows.push(await turns(ground.server, wish, path, rounds))
    process.stderr.write(`${wish.title}: done\n`)
  }
  const cells = rows.map(({ wish, bytes, firstMs, own, plain, cpuMs, peakMib }) => [
    wish.title,
    (bytes / MIB).toFixed(1),
    firstMs.toFixed(1),
    own.at(-1)!.toFixed(1),
    median(own).toFixed(1),
    median(plain).toFixed(1),
    ratio(own, plain),
    cpuMs.toFixed(1),
    peakMib.toFixed(0),
  ])
  const head = [
    'Form',
    'MiB sent',
    'First, ms',
    'Last, ms',
    'Median, ms',
    'Static, ms',
    'Beside static',
    'CPU, ms',
    'Peak, MiB',
  ]
  const text = `# The list of all projects

${names} generated names; ${rounds} rounds in which the server and the static file took turns, one request at a time.

${table([head, ...cells])}

* The very first request of a new server, which waits until upstream's list is fetched, sorted and compressed: ${(cold.ms / 1000).toFixed(1)} s, ${coldMib.toFixed(0)} MiB.
* *CPU*: of the server process, all threads, per request; the kernel counts in steps of 10 ms. *Peak*: the most it held during these rounds.
* *stage and mirror*: a stage with three projects of its own that has the mirror as its base.
* ${about}.
`
  await keepResult('project-list', text)
  process.stdout.write(text)
}

async function turns(
  server: { readonly url: string; readonly pid: number; peakMemoryBytes(): Promise<number> },
  wish: Wish,
  path: string,
  rounds: number,
): Promise<Row> {
  const worker = new Worker(new URL(import.meta.url), { workerData: path })
  const [port] = (await once(worker, 'message')) as [number]
  try {
    await forgetPeak(server.pid)
    const [own, plain]: [number[], number[]] = [[], []]
    let bytes = 0
    const cpuBefore = await cpuMs(server.pid)
    for (let round = 0; round < rounds; round++) {
      const answer = await read(server.url, wish)
      bytes = answer.bytes
      own.push(answer.ms)
      plain.push((await read(`http://127.0.0.1:${port}`, wish)).ms)
    }
    const cpu = ((await cpuMs(server.pid)) - cpuBefore) / rounds
    const peakMib = (await server.peakMemoryBytes()) / MIB
    return { wish, bytes, firstMs: own[0]!, own, plain, cpuMs: cpu, peakMib }
  } finally {
    await worker.terminate()
  }
}

/** The bytes of the answer as they come over the wire. */
async function save(base: string, { path, accept, isPlain = false }: Wish, to: string): Promise<void> {
  const headers = { accept, ...(!isPlain && { 'accept-encoding': 'gzip' }) }
  const [response] = await once(get(base + path, { headers, agent: false }), 'response')
  await pipeline(response, createWriteStream(to))
}

function serveStatic(path: string): void {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': statSync(path).size })
    createReadStream(path).pipe(response)
  })
  server.listen(0, '127.0.0.1', () => {
    parentPort!.postMessage((server.address() as AddressInfo).port)
  })
}
