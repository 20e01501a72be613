/** The two servers that are compared, each fresh and with surroundings of its own. */
import { join } from 'node:path'
import { cleanEnv } from '../programs/clean-env.ts'
import { startDevpiServer } from '../programs/devpi-server-process.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, type ServerProcess, startServer } from '../programs/server-process.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import type { Stage } from './answers.ts'
import { archive } from './archives.ts'
import { startExternalIndex } from './external-index.ts'

/** Runs `act` with a real devpi-server, devpi-web included. */
export async function withDevpi<Result>(act: (stage: Stage) => Promise<Result>): Promise<Result> {
  await using server = await startDevpiServer()
  return await withSurroundings(server, act)
}

/** Runs `act` with Airlock, started as devpi-server would be. */
export async function withAirlock<Result>(act: (stage: Stage) => Promise<Result>): Promise<Result> {
  await using home = await tempFolder()
  const folder = join(home.path, 'server')
  const program = join(CHECKOUT, 'compat', 'bin', 'devpi-init')
  const args = ['--serverdir', folder, '--no-root-pypi']
  const made = await runProgram(program, args, { cwd: home.path, env: cleanEnv(home.path) })
  if (made.code !== 0) throw new Error(`Cannot initialise Airlock:\n${made.output}`)
  await using server = await startServer({
    program: 'compat/bin/devpi-server',
    args: ['--serverdir', folder],
    // Upstream and the index elsewhere are on this machine, and not root's.
    env: { AIRLOCK_OUTGOING_ALLOW: '127.0.0.1,localhost' },
  })
  return await withSurroundings(server, act)
}

async function withSurroundings<Result>(
  server: ServerProcess,
  act: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  await using upstream = await startFakeUpstream()
  await using external = await startExternalIndex()
  furnish(upstream)
  try {
    return await act({ url: server.url, upstream, external })
  } catch (error) {
    throw new Error(`Cannot go on; the server printed at last:\n${server.output().slice(-3000)}`, { cause: error })
  }
}

/** What the upstream has: public projects, one of them named like a private one. */
function furnish(upstream: FakeUpstream): void {
  const add = (project: string, filename: string, more: object = {}) =>
    upstream.add(project, { filename, bytes: archive(filename).bytes, ...more })
  add('magnet', 'magnet-1.0-py3-none-any.whl', { requiresPython: '>=3.6' })
  add('magnet', 'magnet-2.0-py3-none-any.whl', { yanked: 'too strong' })
  add('glue', 'glue-0.1-py3-none-any.whl')
  add('glue', 'glue-0.3-py3-none-any.whl')
  add('catapult', 'catapult-3.0-py3-none-any.whl', { yanked: true })
  add('acme', 'acme-2.0-py3-none-any.whl')
  upstream.addProject('hollow')
  upstream.addProject('broken')
  upstream.misbehave('/simple/broken/', { kind: 'status', status: 500 })
  const lost = add('lost', 'lost-1.0-py3-none-any.whl')
  upstream.misbehave(lost.path, { kind: 'status', status: 404 })
}
