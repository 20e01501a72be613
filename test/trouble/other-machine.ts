/** Another machine, as far as the network can tell: a network namespace at the end of a virtual cable. */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { cleanEnv } from '../programs/clean-env.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'

export interface OtherMachine extends AsyncDisposable {
  /** Its own. */
  readonly address: string
  /** This machine's, as seen from there. */
  readonly thisMachine: string
  /** Runs a script of Node there. */
  run(script: string): Promise<Outcome>
}

/** Needs root, `ip` and a kernel that allows it. */
export function canMakeMachines(): boolean {
  if (process.getuid?.() !== 0) return false
  const tried = (...args: string[]) => spawnSync('ip', args, { env: cleanEnv(tmpdir()) }).status === 0
  const mark = randomInt(36 ** 5).toString(36)
  const [name, here, there] = [`airlock-${mark}`, `al${mark}a`, `al${mark}b`]
  if (!tried('netns', 'add', name)) return false
  const isMade = tried('link', 'add', here, 'type', 'veth', 'peer', 'name', there)
  if (isMade) tried('link', 'delete', here)
  return tried('netns', 'delete', name) && isMade
}

/** Throws when the system refuses; what was made until then is removed. */
export async function otherMachine(): Promise<OtherMachine> {
  await using stack = new AsyncDisposableStack()
  // A network of four addresses among those that documents may use.
  const first = randomInt(63) * 4
  const [thisMachine, address] = [`198.51.100.${first + 1}`, `198.51.100.${first + 2}`]
  const mark = randomInt(36 ** 5).toString(36)
  const [name, here, there] = [`airlock-${mark}`, `al${mark}a`, `al${mark}b`]
  await ip('netns', 'add', name)
  stack.defer(() => ip('netns', 'delete', name))
  await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
  // Its other end goes with it.
  stack.defer(() => ip('link', 'delete', here))
  await ip('address', 'add', `${thisMachine}/30`, 'dev', here)
  await ip('link', 'set', here, 'up')
  await ip('-n', name, 'address', 'add', `${address}/30`, 'dev', there)
  await ip('-n', name, 'link', 'set', there, 'up')
  const moved = stack.move()
  return {
    address,
    thisMachine,
    run: (script) =>
      runProgram('ip', ['netns', 'exec', name, process.execPath, '--input-type=module', '-e', script], {
        cwd: tmpdir(),
        env: cleanEnv(tmpdir()),
      }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

async function ip(...args: string[]): Promise<void> {
  const { code, output } = await runProgram('ip', args, { cwd: tmpdir(), env: cleanEnv(tmpdir()) })
  if (code !== 0) throw new Error(`Cannot run "ip ${args.join(' ')}": ${output}`)
}
