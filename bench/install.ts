/**
 * How long pip and uv take to install 100 packages: straight from an index, through Airlock and through a real devpi-server, taking turns.
 *
 *     bin/with-node bench/install.ts [--rounds N] [--airlock PROGRAM] [--lock]
 *
 * "Straight" is a relay on this machine that keeps every real file, so that no round depends on the network and each real file is
 * fetched once for ever; both servers have the relay as their upstream. `--airlock`
 * names another checkout's `bin/airlock`. `--lock` writes `requirements-100.txt` anew from `packages.in`.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { cleanEnv } from '../test/programs/clean-env.ts'
import { devpiProgram } from '../test/programs/devpi-programs.ts'
import { startDevpiServer } from '../test/programs/devpi-server-process.ts'
import { pythonClients } from '../test/programs/python-clients.ts'
import { runProgram } from '../test/programs/run-program.ts'
import { CHECKOUT, type ServerProcess, startServer } from '../test/programs/server-process.ts'
import { type RealUpstream, realUpstream } from '../test/upstream/real-upstream.ts'
import { programFetch } from '../test/world/program-fetch.ts'
import { tempFolder } from '../test/world/temp-folder.ts'
import { type Contestant, keepResult, machine, ratio, shown, table, takeTurns } from './measure.ts'

const REQUIREMENTS = join(import.meta.dirname, 'requirements-100.txt')
const INSTALL_MS = 15 * 60_000
const REST_MS = 60_000
/** In half a second, of a server that waits. */
const IDLE_TICKS = 3

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    airlock: { type: 'string', default: join(CHECKOUT, 'bin', 'airlock') },
    lock: { type: 'boolean', default: false },
  },
})
const say = (line: string) => process.stderr.write(`${line}\n`)
await using relay = await realUpstream()
await using clients = await pythonClients()
if (values.lock) await lock()
else await compare(Number(values.rounds))

type Installer = 'pip' | 'uv'

async function compare(rounds: number): Promise<void> {
  const about = await machine()
  say('A first install of each kind has the relay fetch what it does not keep yet')
  for (const installer of ['pip', 'uv'] as const) await install(installer, relay.url)
  const askedBefore = relay.asked
  const figures = await takeTurns(contestants(), rounds, say)
  const of = (installer: Installer, who: string) => figures.get(`${installer}, ${who}`)!
  const rows = (['pip', 'uv'] as const).flatMap((installer) => {
    const direct = of(installer, 'direct')
    return ['direct', 'Airlock, cold', 'Airlock, warm', 'devpi-server, cold', 'devpi-server, warm'].map((who) => {
      const own = of(installer, who)
      const temperature = who.split(', ')[1]
      const peer = temperature === undefined ? undefined : of(installer, `devpi-server, ${temperature}`)
      return [installer, who, shown(own), ratio(own, direct), peer === undefined ? '' : ratio(own, peer)]
    })
  })
  const text = `# Installing 100 packages

Median (least to most) of ${rounds} rounds in which all took turns; every run in a new virtual environment with an empty cache of its own.

${table([['Client', 'Through', 'Time', 'Beside direct', 'Beside devpi-server'], ...rows])}

* \`pip install --require-hashes -r\` and \`uv pip sync --require-hashes\` of \`bench/requirements-100.txt\`, wheels only.
* *direct*: a relay on this machine that has kept every real file; it is the upstream of both servers, too. The real index was asked ${relay.asked - askedBefore} times during the rounds.
* *cold*: a new server that holds nothing. *warm*: the same server when it has done what the first run left it to do. The list of all projects is not asked for (\`mirror_no_project_list\`).
* Versions: ${await versions()}.
* Machine: ${about}.

\`npm run bench\` or \`bin/with-node bench/install.ts\` writes this page.
`
  await keepResult('install', text)
  process.stdout.write(text)
}

/** Every server is started anew for each client and round: cold first, then warm. */
function contestants(): Contestant[] {
  return (['pip', 'uv'] as const).flatMap((installer) => {
    const pair = (name: string, start: () => Promise<ServerProcess>): Contestant[] => {
      let server: ServerProcess | undefined
      return [
        {
          name: `${installer}, ${name}, cold`,
          run: async () => {
            server = await start()
            return await install(installer, await mirrored(server, relay))
          },
        },
        {
          name: `${installer}, ${name}, warm`,
          run: async () => {
            await using warm = server!
            await comesToRest(warm.pid)
            return await install(installer, `${warm.url}/bench/real/+simple/`)
          },
        },
      ]
    }
    return [
      { name: `${installer}, direct`, run: () => install(installer, relay.url) },
      ...pair('Airlock', startAirlock),
      ...pair('devpi-server', () => startDevpiServer()),
    ]
  })
}

async function startAirlock(): Promise<ServerProcess> {
  const folder = await tempFolder()
  const server = await startServer({
    program: values.airlock,
    args: ['serve', '--serverdir', join(folder.path, 'server'), '--no-root-pypi'],
  })
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      try {
        await server[Symbol.asyncDispose]()
      } finally {
        await folder.remove()
      }
    },
  }
}

/** Makes the mirror of the relay, by devpi's own protocol, on either server. */
async function mirrored({ url }: ServerProcess, { url: upstream }: RealUpstream): Promise<string> {
  const login = await tell(`${url}/+login`, 'POST', { user: 'root', password: '' })
  const { password } = login.result as { password: string }
  const auth = Buffer.from(`root:${password}`).toString('base64')
  const options = { type: 'mirror', volatile: false, mirror_url: upstream, mirror_no_project_list: true }
  await tell(`${url}/root/real`, 'PUT', options, auth)
  return `${url}/root/real/+simple/`
}

async function tell(url: string, method: string, json: unknown, auth?: string): Promise<Record<string, unknown>> {
  const answer = await programFetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(auth !== undefined && { 'x-devpi-auth': auth }) },
    body: JSON.stringify(json),
  })
  if (!answer.ok)
    throw new Error(`Cannot prepare the server: ${method} ${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, unknown>
}

/** Milliseconds of the client alone, in an environment of its own. */
async function install(installer: Installer, index: string): Promise<number> {
  await using cache = await tempFolder()
  await using venv = await clients.freshVenv()
  const places = ['--index-url', index, '--require-hashes', '--only-binary', ':all:']
  const args =
    installer === 'pip'
      ? ['install', '--quiet', ...places, '--trusted-host', '127.0.0.1', '-r', REQUIREMENTS]
      : ['pip', 'sync', '--quiet', ...places, REQUIREMENTS]
  const env = { PIP_CACHE_DIR: join(cache.path, 'pip'), UV_CACHE_DIR: join(cache.path, 'uv') }
  const done = await venv.run(installer, args, { env, timeoutMs: INSTALL_MS })
  if (done.code !== 0) throw new Error(`Cannot install with ${installer} from ${index}:\n${done.output}`)
  return done.ms
}

/** Waits until the process does nothing any more: what is read out of new files in the background belongs to the run that brought them. */
async function comesToRest(pid: number): Promise<void> {
  const until = performance.now() + REST_MS
  let before = -1
  for (let quiet = 0; quiet < 3 && performance.now() < until; ) {
    const ticks = await cpuTicks(pid)
    quiet = ticks - before <= IDLE_TICKS ? quiet + 1 : 0
    before = ticks
    await delay(500)
  }
}

/** Hundredths of a second that the process has used (proc_pid_stat(5), utime and stime). */
async function cpuTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

async function lock(): Promise<void> {
  const done = await clients.run('uv', [
    ...['pip', 'compile', join(import.meta.dirname, 'packages.in'), '--output-file', REQUIREMENTS, '--quiet'],
    ...['--generate-hashes', '--only-binary', ':all:', '--python-version', '3.11', '--upgrade'],
    ...['--index-url', relay.url, '--no-emit-index-url', '--no-header', '--no-annotate'],
  ])
  if (done.code !== 0) throw new Error(`Cannot lock: ${done.output}`)
}

async function versions(): Promise<string> {
  const [pip, uv, python] = await Promise.all(
    (['pip', 'uv', 'python'] as const).map(async (client) => (await clients.run(client, ['--version'])).stdout.trim()),
  )
  const short = (text: string) => text.split(' (')[0]!.split(' from ')[0]!
  const options = { cwd: clients.home, env: cleanEnv(clients.home) }
  const airlock = await runProgram(values.airlock, ['--version'], options)
  const devpi = await runProgram(await devpiProgram('devpi-server'), ['--version'], options)
  return [
    ...[short(pip!), short(uv!), python!],
    `devpi-server ${devpi.stdout.trim()} with devpi-web`,
    `Airlock ${airlock.stdout.trim()}`,
  ].join(', ')
}
