/**
 * Hours of use in minutes: a server whose clock is ours, an upstream that flaps, everybody who uses an index, restarts.
 * Every answer is held against a model of what must be true; after each hour the idle server is measured.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../../src/model/limits.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { Chance } from './chance.ts'
import { formOf } from './change-private.ts'
import { Ground } from './ground.ts'
import { Lane } from './lane.ts'
import { MIX } from './mix.ts'
import { EXPIRY_SECONDS } from './read-public.ts'
import { growth, type Reading, read } from './readings.ts'
import { bake, made } from './recipe.ts'
import { startServed } from './served.ts'
import { TAKEN_NAMES, UpstreamLife } from './upstream-life.ts'

export interface DayOptions {
  readonly seed: number
  readonly hours: number
  /** The last hour in which the server is restarted; after it, memory is watched. */
  readonly restartsUntilHour: number
  readonly stepsPerHour: number
  readonly actionsPerStep: number
  /** What memory may grow by. */
  readonly bounds: { readonly rssBytes: number; readonly heapBytes: number }
  readonly say: (line: string) => void
}

export interface DayReport {
  readonly readings: readonly Reading[]
  /** What was wrong, one sentence each. */
  readonly complaints: readonly string[]
  readonly requests: number
  readonly restarts: { readonly stops: number; readonly kills: number }
  /** Answers by what was done and what came. */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** How often each fault of upstream came. */
  readonly weather: ReadonlyMap<string, number>
  readonly heldFiles: number
  /** Steps in which upstream worked and an answer came too late for the limits of the day. */
  readonly lateSteps: number
  /** What the servers said last, each. */
  readonly logs: readonly string[]
  readonly wallMs: number
}

const HOUR_MS = 3_600_000
const LOG_CHARACTERS = 20_000
const LANES = 4
const PROJECTS_PER_LANE = 5
/** What is waited for in real time, short; what is measured by the clock stays as it is. */
const LIMITS: Partial<Limits> = {
  connectMs: 1000,
  upstreamAnswerMs: 1500,
  upstreamSilenceMs: 1000,
  upstreamPageMs: 2500,
  upstreamPageBytes: 1024 * 1024,
  upstreamListBytes: 4 * 1024 * 1024,
  trickleWindowMs: 1000,
  unreadMs: 300,
  resumePauseMs: 50,
  staleWaitMs: 5000,
  listWaitMs: 5000,
  drainMs: 3000,
}

/** Throws when the server cannot be started or stopped; all else is in the report. */
export async function simulateDay(options: DayOptions): Promise<DayReport> {
  const { seed, hours, say } = options
  const started = performance.now()
  const chance = new Chance(seed)
  await using folder = await tempFolder()
  await using home = await tempFolder()
  const serverDir = join(folder.path, 'server')
  // On a whole second, and so far in the past that the day ends before now: files are never from tomorrow.
  const beginMs = Math.floor(Date.now() / 1000) * 1000 - (hours + 1) * HOUR_MS
  const life = await UpstreamLife.start(chance.fork(), beginMs)
  await using _fake = life.fake
  const ground = new Ground(life, beginMs)
  const lanes = Array.from({ length: LANES }, (_, lane) => {
    const projects = Array.from({ length: PROJECTS_PER_LANE }, (_, each) => `lane-${lane}-${each}`)
    return new Lane(ground, chance.fork(), `lane-${lane}`, projects)
  })
  const end = async (how: 'kills' | 'stops', afterMs: number) => {
    await delay(afterMs)
    restarts[how]++
    const ending = ground.ends()
    await (how === 'kills' ? ending.kill() : ending.stop())
    logs.push(ending.output())
  }
  const start = () => startServed({ serverDir, home: home.path, nowMs: ground.nowMs, limits: LIMITS })
  const readings: Reading[] = []
  const logs: string[] = []
  const restarts = { stops: 0, kills: 0 }
  let lives = 1
  ground.began(await start())
  try {
    await furnish(ground, lanes[0]!)
    for (let hour = 1; hour <= hours; hour++) {
      const restartsAt = hour <= options.restartsUntilHour ? chance.int(1, options.stepsPerHour - 1) : -1
      for (let step = 0; step < options.stepsPerHour; step++) {
        ground.nowMs += HOUR_MS / options.stepsPerHour
        await ground.served.advance(ground.nowMs)
        await life.advance(ground.nowMs)
        const acting = lanes.map((lane) => act(lane, options.actionsPerStep / LANES))
        if (step !== restartsAt) await Promise.all(acting)
        else await Promise.all([...acting, end(hour % 2 === 1 ? 'kills' : 'stops', chance.int(5, 150))])
        if (ground.isUp) continue
        lives++
        ground.began(await start())
      }
      await rest(ground, lanes[0]!)
      const reading = await read(ground.served, serverDir, { hour, life: lives, requests: ground.requests })
      readings.push(reading)
      const mib = (reading.rssBytes / 1024 / 1024).toFixed(0)
      say(
        `hour ${hour}: ${ground.requests} requests, ${mib} MiB, ${reading.descriptors.length} descriptors, ${ground.complaints.length} complaints`,
      )
      ground.dev.tidy()
      ground.prod.tidy()
    }
  } finally {
    if (ground.isUp) {
      logs.push(ground.served.output())
      await ground.ends().stop()
    }
  }
  for (const complaint of await leftovers(serverDir, home.path)) ground.fault(complaint)
  const growing = growth(readings, options.bounds)
  return {
    readings,
    complaints: [...ground.complaints, ...growing],
    requests: ground.requests,
    restarts,
    answers: ground.answers,
    weather: life.seen,
    heldFiles: ground.held.size,
    lateSteps: ground.lateSteps,
    logs: logs.map((log) => log.slice(-LOG_CHARACTERS)),
    wallMs: performance.now() - started,
  }
}

async function act(lane: Lane, times: number): Promise<void> {
  for (let time = 0; time < times && lane.ground.isUp; time++) await lane.chance.weighted(MIX).act(lane)
}

/** The indexes, and private projects whose names are taken upstream. */
async function furnish(ground: Ground, lane: Lane): Promise<void> {
  const login = await lane.root()
  const mirror = { type: 'mirror', mirror_url: ground.life.fake.url, mirror_cache_expiry: EXPIRY_SECONDS }
  for (const [name, body] of [
    ['up', mirror],
    ['dev', { bases: ['root/up'] }],
    ['prod', { bases: ['root/up'], volatile: false }],
    ['test', { bases: ['root/dev'] }],
  ] as const) {
    const made = await lane.sendJson('make index', 'PUT', `/root/${name}`, body, login ?? {})
    if (made.status !== 200) throw new Error(`Cannot make root/${name}: ${made.status} ${made.bytes.toString()}`)
  }
  for (const project of TAKEN_NAMES) await keep(ground, lane, project, 0)
}

/** Uploads the one file of a project that stays. */
async function keep(ground: Ground, lane: Lane, project: string, edition: number): Promise<void> {
  const recipe = { project, version: '1.0', kind: 'wheel', edition, sizeBytes: 3000 } as const
  const file = bake(recipe)
  const form = formOf(recipe)
  const headers = { ...(await lane.root()), 'content-type': form.contentType }
  const answer = await ground.ask('upload', '/root/dev/', { method: 'POST', headers, body: form.body })
  if (answer.status !== 200) return ground.wrong('upload', project, answer, 'it must succeed')
  const thing = ground.dev.thing({ kind: 'archive', project, version: '1.0', filename: file.filename })
  thing.possible.clear()
  thing.possible.add(file.sha256)
  thing.made = made(recipe, file)
}

/** Until nothing is under way any more. Jobs that wait are due then: their time comes, and an upload wakes who does them. */
async function rest(ground: Ground, lane: Lane): Promise<void> {
  const { fake } = ground.life
  await until(() => fake.requests.every(({ state }) => state !== 'open'))
  for (let attempt = 0; attempt < 5 && (await waitingJobs(ground)) > 0; attempt++) {
    await delay(300)
    if ((await waitingJobs(ground)) === 0) break
    ground.nowMs += HOUR_MS / 4
    await ground.served.advance(ground.nowMs)
    await keep(ground, lane, TAKEN_NAMES[0], attempt + 1)
  }
  await ground.life.dropConnections()
  const asked = fake.requests.filter(({ path }) => /^\/simple\/keeper-/.test(path))
  for (const { path } of asked) ground.fault(`upstream was asked for ${path}, a private name`)
  fake.forgetRequests()
}

async function waitingJobs(ground: Ground): Promise<number> {
  const answer = await ground.ask('status', '/+status')
  const { result } = JSON.parse(answer.bytes.toString()) as { result: { metrics: [string, string, number][] } }
  const found = result.metrics.find(([name]) => name === 'airlock_jobs_waiting')
  if (found === undefined) throw new Error('Cannot read the status: it does not tell of jobs')
  return found[2]
}

async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 100 && !isSo(); attempt++) await delay(50)
}

/** What a stopped server left: nothing locked, nothing unfinished, everything recorded there and right. */
async function leftovers(serverDir: string, home: string): Promise<string[]> {
  const found: string[] = []
  const airlock = join(CHECKOUT, 'bin', 'airlock')
  const run = (...args: string[]) =>
    runProgram(airlock, [...args, '--serverdir', serverDir], { cwd: home, env: cleanEnv(home) })
  const checked = await run('check')
  if (checked.code !== 0 || !checked.stdout.startsWith('clean: ')) found.push(`airlock check: ${checked.output}`)
  // It takes the lock of the folder, and clears what is unfinished.
  const collected = await run('gc', '--dry-run')
  if (collected.code !== 0) found.push(`airlock gc after the stop: ${collected.output}`)
  return found
}
