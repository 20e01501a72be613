/** Virtual environments with real Python programs, each built once for every pin list; `.cache/python/` has the clients. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from 'undici'
import { configuredIndex } from '../upstream/configured-index.ts'
import { type Outcome, runProgram } from './run-program.ts'
import { CHECKOUT } from './server-process.ts'

export interface PythonEnvironment {
  /** Absolute, whether or not it stands already. */
  readonly folder: string
  /** The file that says what is in it, as pip reads requirements. It names pip itself. */
  readonly pins: string
  /** What is in it, as a message says it. */
  readonly holds: string
  /** What that runs on; Python 3.9 unless told. */
  readonly oldest?: readonly [major: number, minor: number]
}

const CLIENTS: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'python'),
  pins: join(import.meta.dirname, 'python-clients.txt'),
  holds: 'the Python clients',
}

/** The folder of the environment with the clients, whether or not it stands already. */
export const PYTHON_ENVIRONMENT = CLIENTS.folder

/** twine and build, as pinned, run from here on. */
const OLDEST_PYTHON = [3, 9] as const
const BUILD_MS = 10 * 60_000

/**
 * Builds an environment (the clients' unless told) where it does not stand. `say` is told in one line what is done and why, and nothing when there is nothing to do.
 * Throws a sentence with a remedy when Python is missing or too old, or the index cannot be reached.
 */
export async function preparePythonEnvironment(
  say: (line: string) => void = () => {},
  environment: PythonEnvironment = CLIENTS,
): Promise<void> {
  if (await stands(environment)) return
  await using _lock = await lockBuild(environment)
  if (await stands(environment)) return
  say(`Building ${environment.holds} for tests in ${environment.folder} (once, about a minute)`)
  await build(environment)
}

/** The pin list and the place: a virtual environment holds absolute paths and does not survive a move. */
async function wantedStamp({ pins, folder }: PythonEnvironment): Promise<string> {
  return createHash('sha256')
    .update(await readFile(pins))
    .update(folder)
    .digest('hex')
}

function stampPath({ folder }: PythonEnvironment): string {
  return join(folder, 'ready.sha256')
}

async function stands(environment: PythonEnvironment): Promise<boolean> {
  const stamp = await readFile(stampPath(environment), 'utf8').catch(() => undefined)
  if (stamp !== (await wantedStamp(environment))) return false
  // The Python that it was made from may have been removed since.
  return stat(join(environment.folder, 'bin', 'python')).then(
    () => true,
    () => false,
  )
}

async function build(environment: PythonEnvironment): Promise<void> {
  const { folder, pins, holds } = environment
  const base = await findPython(environment)
  await rm(folder, { recursive: true, force: true })
  const made = await ambient(base, ['-m', 'venv', folder])
  if (made.code !== 0) await makeWithoutEnsurepip(base, made, environment)
  const python = join(folder, 'bin', 'python')
  const installed = await ambient(python, ['-m', 'pip', 'install', '--quiet', '--no-input', '--requirement', pins])
  if (installed.code !== 0) {
    throw new Error(
      `Cannot install ${holds} that tests run (${pins}) from the index that pip is configured with:\n` +
        `${lastLines(installed)}\nhint: check the network and "python3 -m pip config list", then run this again`,
    )
  }
  // Last, so that an interrupted build is never taken for a whole one.
  await writeFile(stampPath(environment), await wantedStamp(environment))
}

/** The first Python that is new enough: `python3`, else one that is called by its version or that pyenv has. */
async function findPython({ holds, oldest = OLDEST_PYTHON }: PythonEnvironment): Promise<string> {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions')
  const kept = await readdir(versions).catch((): string[] => [])
  const others = oldest === OLDEST_PYTHON ? [] : ['python3.14', 'python3.13', 'python3.12', ...kept.toReversed()]
  const paths = others.map((each) => (kept.includes(each) ? join(versions, each, 'bin', 'python3') : each))
  const seen: string[] = []
  for (const python of ['python3', ...paths]) {
    const asked = await ambient(python, ['-c', 'import sys; print(*sys.version_info[:2])']).catch(() => undefined)
    if (asked === undefined || asked.code !== 0) continue
    const [major = 0, minor = 0] = asked.stdout.trim().split(' ').map(Number)
    if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return python
    seen.push(`${major}.${minor}`)
  }
  const found = seen.length === 0 ? 'find Python' : `use Python ${seen.join(' or ')}`
  throw new Error(
    `Cannot ${found}: ${holds} need Python ${oldest.join('.')} or newer on PATH\n` +
      'hint: on Debian and Ubuntu run "apt install python3 python3-venv"',
  )
}

/** Debian keeps ensurepip in a package of its own (python3-venv); pip's wheel can install itself without it. */
async function makeWithoutEnsurepip(base: string, failed: Outcome, { folder, pins }: PythonEnvironment): Promise<void> {
  const hint = 'hint: install it (on Debian and Ubuntu: "apt install python3-venv"), then run this again'
  await rm(folder, { recursive: true, force: true })
  const bare = await ambient(base, ['-m', 'venv', '--without-pip', folder])
  if (bare.code !== 0) {
    throw new Error(
      `Cannot make a virtual environment, Python's venv module does not work:\n${lastLines(failed)}\n${hint}`,
    )
  }
  const wheel = await pipWheel(pins).catch((error: unknown) => {
    throw new Error(
      `Cannot make a virtual environment with pip: Python lacks ensurepip, and pip's wheel could not be fetched\n${hint}`,
      {
        cause: error,
      },
    )
  })
  const path = join(folder, wheel.filename)
  await writeFile(path, wheel.bytes)
  // pip's wheel is a folder of modules to Python, and can be run from within.
  const python = join(folder, 'bin', 'python')
  const installed = await ambient(python, [join(path, 'pip'), 'install', '--quiet', '--no-index', '--no-input', path])
  await rm(path)
  if (installed.code !== 0) throw new Error(`Cannot install pip from its own wheel:\n${lastLines(installed)}\n${hint}`)
}

async function pipWheel(pins: string): Promise<{ readonly filename: string; readonly bytes: Buffer }> {
  const pinned = /^pip==(\S+)$/m.exec(await readFile(pins, 'utf8'))?.[1]
  const filename = `pip-${pinned}-py3-none-any.whl`
  const page = new URL('pip/', await configuredIndex())
  const answer = await fetch(page, { headers: { accept: 'text/html' } })
  const text = await answer.text()
  const link = new RegExp(`href="([^"]*/${filename.replaceAll('.', '\\.')})#sha256=([0-9a-f]{64})"`).exec(text)
  if (link === null) throw new Error(`Cannot find "${filename}" on ${page.host} (status ${answer.status})`)
  const file = await fetch(new URL(link[1]!.replaceAll('&amp;', '&'), answer.url))
  const bytes = Buffer.from(await file.arrayBuffer())
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== link[2]) throw new Error(`Cannot use "${filename}": its sha256 is ${sha256}, the page says ${link[2]}`)
  return { filename, bytes }
}

/** With the person's own environment: their index, proxy and certificates are what must be used here. */
function ambient(program: string, args: readonly string[]): Promise<Outcome> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value
  // Settings that would make pip install elsewhere, or refuse to.
  for (const name of ['PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_USER', 'PIP_PYTHON', 'PYTHONPATH', 'PYTHONHOME'])
    delete env[name]
  return runProgram(program, args, { cwd: CHECKOUT, env, timeoutMs: BUILD_MS })
}

function lastLines(outcome: Outcome): string {
  return outcome.output.trim().split('\n').slice(-8).join('\n')
}

/** One process builds, the others wait. A folder is made by exactly one of them. */
async function lockBuild(environment: PythonEnvironment): Promise<AsyncDisposable> {
  const folder = `${environment.folder}.lock`
  const owner = join(folder, 'pid')
  await mkdir(dirname(folder), { recursive: true })
  const until = performance.now() + BUILD_MS
  while (true) {
    try {
      await mkdir(folder)
      await writeFile(owner, String(process.pid))
      return { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const pid = Number(await readFile(owner, 'utf8').catch(() => ''))
    if (pid > 0 && !isRunning(pid)) await rm(folder, { recursive: true, force: true })
    else if (performance.now() > until) {
      throw new Error(
        `Cannot build ${environment.holds}: "${folder}" is held by another process\nhint: remove it if none runs`,
      )
    } else await delay(200)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
