/** devpi-client from PyPI: 7.3, and the last 6.x, each in an environment of its own, with tox and Sphinx on PATH. */
import { join } from 'node:path'
import { cleanEnv, cleanPath, type Env } from './clean-env.ts'
import { type PythonEnvironment, preparePythonEnvironment } from './python-environment.ts'
import { type Outcome, runProgram } from './run-program.ts'
import { CHECKOUT } from './server-process.ts'

export type DevpiClientVersion = '7.3.0' | '6.0.7'

export const DEVPI_CLIENT_VERSIONS: readonly DevpiClientVersion[] = ['7.3.0', '6.0.7']

export interface DevpiClientOptions {
  /** HOME, where the client keeps its state; also its working folder unless told. */
  readonly home: string
  readonly cwd?: string
  /** Added to a clean environment. */
  readonly env?: Env
  /** What is typed when it asks. */
  readonly input?: string
}

/** With what devpi-client's own tests need. */
export const DEVPI_CLIENT_7: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'devpi-client-7'),
  pins: join(import.meta.dirname, 'devpi-client-7.txt'),
  holds: 'devpi-client 7 with tox and Sphinx',
}
const DEVPI_CLIENT_6: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'devpi-client-6'),
  pins: join(import.meta.dirname, 'devpi-client-6.txt'),
  holds: 'devpi-client 6',
}
const RUN_MS = 5 * 60_000

/** Builds the environments that the client needs, where they do not stand: a minute, and the network. */
export async function prepareDevpiClient(version: DevpiClientVersion): Promise<void> {
  await preparePythonEnvironment(undefined, DEVPI_CLIENT_7)
  if (version === '6.0.7') await preparePythonEnvironment(undefined, DEVPI_CLIENT_6)
}

/** Runs `program` (`devpi`, or `python` of the client's environment) to its end. Never throws because of its exit code. */
export async function runDevpiClient(
  version: DevpiClientVersion,
  program: 'devpi' | 'python',
  args: readonly string[],
  { home, cwd = home, env, input }: DevpiClientOptions,
): Promise<Outcome> {
  const { folder } = version === '6.0.7' ? DEVPI_CLIENT_6 : DEVPI_CLIENT_7
  return await runProgram(join(folder, 'bin', program), args, {
    cwd,
    env: cleanEnv(home, {
      PATH: cleanPath(join(folder, 'bin'), join(DEVPI_CLIENT_7.folder, 'bin')),
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      PYTHONUTF8: '1',
      COLUMNS: '200',
      ...env,
    }),
    timeoutMs: RUN_MS,
    ...(input !== undefined && { input }),
  })
}
