/**
 * The program `airlock serve` with a clock that goes on only when it is told to, for `served.ts`: the same command line,
 * the same composition, and other time. Arguments: the time of the clock (ms since 1970), limits as JSON, then airlock's own.
 */
import { enableCompileCache } from 'node:module'
import { runCli } from '../../src/cli/cli.ts'
import type { ServerCommands } from '../../src/cli/server-commands.ts'
import { serverCommands } from '../../src/compose/commands.ts'
import { openServer } from '../../src/compose/server.ts'
import { openStores, type Stores } from '../../src/compose/stores.ts'
import type { Config } from '../../src/config/load.ts'
import { type Limits, withLimits } from '../../src/model/limits.ts'
import type { Asked, Told } from './served.ts'

enableCompileCache()
const [startMs, limits, ...argv] = process.argv.slice(2)
let nowMs = Number(startMs)
const clock = { now: () => new Date(nowMs) }
const changes = JSON.parse(limits!) as Partial<Limits>
const bounded = (config: Config) => ({ ...config, limits: withLimits({ ...config.limits, ...changes }) })

process.on('message', async (asked: Asked) => {
  if (asked.nowMs !== undefined) nowMs = asked.nowMs
  if (asked.isMeasured) await collectGarbage()
  const { rss, heapUsed, external } = process.memoryUsage()
  const handles: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
  const told: Told = { id: asked.id, rssBytes: rss, heapBytes: heapUsed, externalBytes: external, handles }
  if (process.connected) process.send!(told)
})
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort('SIGTERM'))
process.once('disconnect', () => stop.abort('the test has gone'))
const { env, stdin, stdout, stderr } = process
const timed: ServerCommands<Stores> = {
  ...serverCommands,
  openStores: (config, options) => openStores(bounded(config), options, clock),
  openServer: (config, stores, log) => openServer(bounded(config), stores, log, clock),
}
process.exitCode = await runCli(argv, { env, cwd: process.cwd(), stdin, stdout, stderr, stop: stop.signal }, timed)
// Anything else that is still open keeps the process, and `served.ts` tells of it.
if (process.connected) process.disconnect?.()

/** Twice, with time between: what finalizers let go of in the first round goes in the second. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
