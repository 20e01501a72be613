/**
 * A cold file through a mirror beside a direct download of it, and beside many clients that ask for it at once; interleaved,
 * so that whatever else the machine does hits all of them. Prints medians and ratios; `--mb N` and `--runs N`.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type ServerProcess, startServer } from '../test/programs/server-process.ts'
import { fileUrl, type ReadAway, readAway } from '../test/trouble/read-away.ts'
import { type FakeUpstream, startFakeUpstream } from '../test/upstream/fake-upstream.ts'
import { tempFolder } from '../test/world/temp-folder.ts'

const CLIENTS = 64
const MIB = 1024 * 1024

const { values } = parseArgs({
  options: { mb: { type: 'string', default: '100' }, runs: { type: 'string', default: '5' } },
})
const sizeBytes = Number(values.mb) * 1e6
const runs = Number(values.runs)

await using upstream = await startFakeUpstream({ projectList: false })
await using folder = await tempFolder()
await using server = await startServer({
  program: 'bin/airlock',
  args: ['serve', '--serverdir', join(folder.path, 'server'), '--upstream', upstream.url, '--log-level', 'error'],
})
// The first of everything is slower than all that follow.
await cold(upstream, server, 'warm-up', 1)
const direct: ReadAway[] = []
const mirrored: ReadAway[] = []
const held: ReadAway[] = []
const together: number[] = []
for (let run = 0; run < runs; run++) {
  const { url } = await upstream.bigFile('direct', `direct${run}-1.0.tar.gz`, sizeBytes, `direct${run}`)
  direct.push(await readAway(url, { isUnhashed: true }))
  mirrored.push((await cold(upstream, server, `alone${run}`, 1)).first)
  held.push(await readAway(await fileUrl(server.url, `alone${run}`), { isUnhashed: true }))
  together.push((await cold(upstream, server, `many${run}`, CLIENTS)).allMs)
}
const say = (line: string) => process.stdout.write(`${line}\n`)
const of = (replies: readonly ReadAway[], what: 'firstByteMs' | 'totalMs') => median(replies.map((each) => each[what]))
say(`a file of ${values.mb} MB, medians of ${runs} interleaved runs`)
say('                          first byte       total   of direct')
for (const [name, replies] of [
  ['direct', direct],
  ['mirror, cold', mirrored],
  ['mirror, held', held],
] as const) {
  const [first, total] = [of(replies, 'firstByteMs'), of(replies, 'totalMs')]
  say(`${name.padEnd(24)}${ms(first)}${ms(total)}${ratio(total, of(direct, 'totalMs'))}`)
}
const all = median(together)
say(`${`mirror, cold, ${CLIENTS} at once`.padEnd(24)}            ${ms(all)}${ratio(all, of(direct, 'totalMs'))}`)
say(
  `${CLIENTS} at once take ${ratio(all, of(mirrored, 'totalMs')).trim()} the time of one, for ${CLIENTS} times the bytes`,
)
say(`peak memory of the server ${Math.round((await server.peakMemoryBytes()) / MIB)} MiB`)

/** So many clients at once ask for a file that nobody asked for yet. */
async function cold({ bigFile, count }: FakeUpstream, { url }: ServerProcess, project: string, clients: number) {
  const file = await bigFile(project, `${project}-1.0.tar.gz`, sizeBytes, project)
  const address = await fileUrl(url, project)
  const startMs = performance.now()
  const replies = await Promise.all(Array.from({ length: clients }, () => readAway(address, { isUnhashed: true })))
  const allMs = performance.now() - startMs
  const wrong = replies.find((reply) => reply.status !== 200 || !reply.isComplete || reply.bytes !== sizeBytes)
  if (wrong !== undefined) throw new Error(`Cannot measure: status ${wrong.status}, ${wrong.bytes} bytes`)
  if (count(file.path) !== 1) throw new Error(`Cannot measure: upstream was asked ${count(file.path)} times`)
  return { first: replies[0]!, allMs }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`.padStart(12)
}

function ratio(value: number, base: number): string {
  return `${(value / base).toFixed(2)} ×`.padStart(12)
}
