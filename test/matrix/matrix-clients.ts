/** The programs of docs/clients.md, each run as a person would, in an environment that knows nothing of the machine. */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanEnv, cleanPath, type Env } from '../programs/clean-env.ts'
import { type PythonEnvironment, preparePythonEnvironment } from '../programs/python-environment.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'

export type PipVersion = 'newest' | '24.0' | '23.2.1'

export interface MatrixRun {
  /** A temporary folder (`home`) unless told. */
  readonly cwd?: string
  readonly env?: Env
}

export interface MatrixClients extends AsyncDisposable {
  /** HOME of every run. */
  readonly home: string
  /** A program of the environment. Never throws because of its exit code. */
  run(program: string, args: readonly string[], options?: MatrixRun): Promise<Outcome>
  /** A pip of the version. */
  pip(version: PipVersion, args: readonly string[], options?: MatrixRun): Promise<Outcome>
  /** A new folder below `home` with the files in it; content by name. */
  folder(files?: Readonly<Record<string, string | Uint8Array>>): Promise<string>
  /** A new virtual environment without pip: its path. */
  venv(): Promise<string>
}

/** What the keyring that programs ask knows; see matrix_keyring.py. */
export interface KeyringEntry {
  /** Part of the services that it answers for. */
  readonly service: string
  readonly user: string
  readonly password: string
}

const MATRIX = environment('matrix', 'matrix-clients', 'poetry, PDM, Hatch, Flit, Pipenv and others')
const PIPS: Readonly<Record<PipVersion, PythonEnvironment>> = {
  newest: MATRIX,
  '24.0': environment('matrix-pip-24', 'matrix-pip-24', 'pip 24.0'),
  '23.2.1': environment('matrix-pip-23', 'matrix-pip-23', 'pip 23.2.1'),
}
/** Of `keyring`, which asks nobody. */
const NO_KEYRING = 'keyring.backends.null.Keyring'
const RUN_MS = 4 * 60_000

/** Builds the environments first where they are missing, which takes a minute and needs the network. */
export async function matrixClients(): Promise<MatrixClients> {
  for (const each of new Set(Object.values(PIPS))) await preparePythonEnvironment(undefined, each)
  const home = await tempFolder()
  const run = (from: PythonEnvironment, program: string, args: readonly string[], options: MatrixRun = {}) => {
    const bin = join(from.folder, 'bin')
    const env = clientEnv(home.path, bin, options.env)
    return runProgram(join(bin, program), args, { cwd: options.cwd ?? home.path, env, timeoutMs: RUN_MS })
  }
  const folder: MatrixClients['folder'] = async (files = {}) => {
    const path = await mkdtemp(join(home.path, 'work-'))
    for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content)
    return path
  }
  return {
    home: home.path,
    run: (program, args, options) => run(MATRIX, program, args, options),
    pip: (version, args, options) => run(PIPS[version], 'python', ['-m', 'pip', ...args], options),
    folder,
    async venv() {
      const path = join(await folder(), 'venv')
      const made = await run(MATRIX, 'python', ['-m', 'venv', '--without-pip', path])
      if (made.code !== 0) throw new Error(`Cannot make a virtual environment: ${made.output}`)
      return path
    },
    [Symbol.asyncDispose]: () => home.remove(),
  }
}

/** The environment in which programs ask a keyring that has `entry`, and note it in `log`, a path. */
export function keyringEnv({ service, user, password }: KeyringEntry, log: string): Env {
  return {
    PYTHONPATH: import.meta.dirname,
    PYTHON_KEYRING_BACKEND: 'matrix_keyring.Keyring',
    PYTHONDONTWRITEBYTECODE: '1',
    MATRIX_KEYRING_SERVICE: service,
    MATRIX_KEYRING_USER: user,
    MATRIX_KEYRING_PASSWORD: password,
    MATRIX_KEYRING_LOG: log,
  }
}

/** Version by project of what is installed in a virtual environment, or in a folder that pip was given as `--target`. */
export async function installed(folder: string): Promise<Readonly<Record<string, string>>> {
  const lib = (await readdir(folder)).includes('pyvenv.cfg') ? join(folder, 'lib') : undefined
  const places = lib === undefined ? [folder] : (await readdir(lib)).map((name) => join(lib, name, 'site-packages'))
  const found: Record<string, string> = {}
  for (const place of places) {
    for (const name of (await readdir(place)).filter((each) => each.endsWith('.dist-info'))) {
      const text = await readFile(join(place, name, 'METADATA'), 'utf8')
      found[/^Name: (.+)$/m.exec(text)?.[1] ?? name] = /^Version: (.+)$/m.exec(text)?.[1] ?? ''
    }
  }
  return found
}

function environment(folder: string, pins: string, holds: string): PythonEnvironment {
  return { folder: join(CHECKOUT, '.cache', folder), pins: join(import.meta.dirname, `${pins}.txt`), holds }
}

function clientEnv(home: string, bin: string, more: Env = {}): Env {
  return cleanEnv(home, {
    PATH: cleanPath(bin),
    // A file of the machine (/etc/pip.conf, /etc/uv/uv.toml) would lead to its own index.
    PIP_CONFIG_FILE: '/dev/null',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
    UV_NO_PROGRESS: '1',
    UV_PYTHON_DOWNLOADS: 'never',
    POETRY_NO_INTERACTION: '1',
    PDM_CHECK_UPDATE: '0',
    PIPENV_NOSPIN: '1',
    PIPENV_VERBOSITY: '-1',
    PYTHON_KEYRING_BACKEND: NO_KEYRING,
    PYTHONUTF8: '1',
    NO_COLOR: '1',
    COLUMNS: '200',
    CI: '1',
    ...more,
  })
}
