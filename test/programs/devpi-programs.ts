/** The real devpi-server, devpi-web and devpi-client: what Airlock is compared with, and hands data to and from. */
import { join } from 'node:path'
import { cleanEnv, cleanPath, type Env } from './clean-env.ts'
import { type PythonEnvironment, preparePythonEnvironment } from './python-environment.ts'
import { type Outcome, runProgram } from './run-program.ts'
import { CHECKOUT } from './server-process.ts'

export type DevpiProgram =
  | 'devpi'
  | 'devpi-server'
  | 'devpi-init'
  | 'devpi-export'
  | 'devpi-import'
  | 'devpi-fsck'
  | 'devpi-passwd'
  | 'devpi-gen-config'
  | 'python'

export interface DevpiRunOptions {
  /** HOME of the program, where devpi-client keeps its state; also its working folder unless told. */
  readonly home: string
  readonly cwd?: string
  readonly env?: Env
  /** Two minutes unless told; then the program is killed and the call throws. */
  readonly timeoutMs?: number
  readonly input?: string
}

const DEVPI: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'devpi'),
  pins: join(import.meta.dirname, 'devpi-programs.txt'),
  holds: 'the real devpi programs',
}

/** The absolute path of a program. Builds the environment first where it is missing: a minute, and the network. */
export async function devpiProgram(program: DevpiProgram): Promise<string> {
  await preparePythonEnvironment(undefined, DEVPI)
  return join(DEVPI.folder, 'bin', program)
}

/** Runs a real devpi program to its end. Never throws because of its exit code. */
export async function runDevpi(
  program: DevpiProgram,
  args: readonly string[],
  options: DevpiRunOptions,
): Promise<Outcome> {
  const path = await devpiProgram(program)
  const { home, cwd = home, env, timeoutMs, input } = options
  return runProgram(path, args, {
    cwd,
    env: devpiEnv(home, env),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(input !== undefined && { input }),
  })
}

/** The environment that real devpi programs run in: the machine's own settings for pip and devpi are not seen. */
function devpiEnv(home: string, more: Env = {}): Env {
  return cleanEnv(home, {
    PATH: cleanPath(join(DEVPI.folder, 'bin')),
    PIP_CONFIG_FILE: '/dev/null',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PYTHONUTF8: '1',
    COLUMNS: '200',
    ...more,
  })
}
