/** The real pip, uv, twine, devpi and build, each run in an environment that knows nothing of the machine. */
import { chmod, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '../world/temp-folder.ts'
import { cleanEnv, cleanPath, type Env } from './clean-env.ts'
import { PYTHON_ENVIRONMENT, preparePythonEnvironment } from './python-environment.ts'
import { type Outcome, runProgram } from './run-program.ts'

export interface RunOptions {
  /** A temporary folder (`home`) unless told. */
  readonly cwd?: string
  readonly env?: Env
  /** Two minutes unless told; then the program is killed and the call throws. */
  readonly timeoutMs?: number
  readonly input?: string
}

export type Client = 'pip' | 'uv' | 'twine' | 'devpi' | 'pyproject-build' | 'python'

export interface Venv extends AsyncDisposable {
  readonly path: string
  /** A program of this environment (`pip`, `python`, what was installed), or `uv`, which then works on this environment. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Outcome>
}

export interface PythonClients extends AsyncDisposable {
  /** HOME of every run: devpi's state and all caches are below it, so runs of one `PythonClients` know of each other. */
  readonly home: string
  /** Never throws because of an exit code. Refuses to change the environment, which all tests share: use `freshVenv()`. */
  run(client: Client, args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** An empty virtual environment with pip in it. Goes with its `PythonClients`, or earlier when disposed. */
  freshVenv(): Promise<Venv>
  /** Another person: the same programs with a HOME of their own. */
  another(): Promise<PythonClients>
}

/** Builds the environment first where it is missing, which takes about a minute and needs the network. */
export async function pythonClients(): Promise<PythonClients> {
  await preparePythonEnvironment()
  const home = await tempFolder()
  const others: PythonClients[] = []

  const clients: PythonClients = {
    home: home.path,
    async run(client, args, options = {}) {
      refuseChanges(client, args)
      const env = clientEnv(home.path, PYTHON_ENVIRONMENT, options.env)
      return runProgram(join(PYTHON_ENVIRONMENT, 'bin', client), args, programOptions(home.path, env, options))
    },
    freshVenv: () => makeVenv(home.path),
    async another() {
      const other = await pythonClients()
      others.push(other)
      return other
    },
    async [Symbol.asyncDispose]() {
      for (const other of others) await other[Symbol.asyncDispose]()
      await home.remove()
    },
  }
  return clients
}

function clientEnv(home: string, venv: string, more: Env = {}): Env {
  return cleanEnv(home, {
    PATH: cleanPath(join(venv, 'bin')),
    // A file of the machine (/etc/pip.conf, /etc/uv/uv.toml) would lead to its own index.
    PIP_CONFIG_FILE: '/dev/null',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
    UV_NO_CONFIG: '1',
    UV_NO_PROGRESS: '1',
    UV_PYTHON_DOWNLOADS: 'never',
    UV_CACHE_DIR: join(home, '.cache', 'uv'),
    PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
    PYTHONUTF8: '1',
    NO_COLOR: '1',
    COLUMNS: '200',
    ...more,
  })
}

function programOptions(home: string, env: Env, options: RunOptions) {
  return {
    cwd: options.cwd ?? home,
    env,
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    ...(options.input !== undefined && { input: options.input }),
  }
}

/** What would leave something behind in the environment that every test uses. */
function refuseChanges(client: Client, args: readonly string[]): void {
  const elsewhere = ['--target', '-t', '--dry-run', '--prefix', '--root', '--python', '--help']
  if (args.some((arg) => elsewhere.some((option) => arg === option || arg.startsWith(`${option}=`)))) return
  const words = args.filter((arg) => !arg.startsWith('-'))
  const changes =
    (client === 'pip' && (words[0] === 'install' || words[0] === 'uninstall')) ||
    (client === 'python' &&
      args[0] === '-m' &&
      args[1] === 'pip' &&
      (args[2] === 'install' || args[2] === 'uninstall')) ||
    (client === 'devpi' && words[0] === 'install')
  if (!changes) return
  throw new RangeError(
    `Cannot run "${client} ${args.join(' ')}" in the environment that all tests share: use freshVenv(), or --target, or --dry-run`,
  )
}

async function makeVenv(home: string): Promise<Venv> {
  const path = await mkdtemp(join(home, 'venv-'))
  const python = join(PYTHON_ENVIRONMENT, 'bin', 'python')
  const made = await runProgram(python, ['-m', 'venv', '--without-pip', path], { cwd: home, env: cleanEnv(home) })
  if (made.code !== 0) throw new Error(`Cannot make a virtual environment: ${made.output}`)
  // A copy takes a tenth of the time in which ensurepip unpacks pip, and is the pinned version.
  const from = await sitePackages(PYTHON_ENVIRONMENT)
  const to = await sitePackages(path)
  for (const entry of await readdir(from)) {
    if (entry === 'pip' || /^pip-.*\.dist-info$/.test(entry))
      await cp(join(from, entry), join(to, entry), { recursive: true })
  }
  for (const name of ['pip', 'pip3']) {
    const script = join(path, 'bin', name)
    await writeFile(
      script,
      `#!${path}/bin/python\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n`,
    )
    await chmod(script, 0o755)
  }
  return {
    path,
    async run(program, args, options = {}) {
      const env = { ...clientEnv(home, path, options.env), VIRTUAL_ENV: path }
      const at = program === 'uv' ? PYTHON_ENVIRONMENT : path
      return runProgram(join(at, 'bin', program), args, programOptions(home, env, options))
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}

async function sitePackages(venv: string): Promise<string> {
  const versions = (await readdir(join(venv, 'lib'))).filter((name) => name.startsWith('python3'))
  if (versions.length !== 1)
    throw new Error(`Cannot find site-packages in "${venv}": expected one folder, got ${versions.length}`)
  return join(venv, 'lib', versions[0]!, 'site-packages')
}
