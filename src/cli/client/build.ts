/** Builds sdist and wheel of the project in the current folder with `python -m build`, for `devpi upload` without paths. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { platform } from 'node:os'
import { delimiter, join } from 'node:path'
import { exportVersioned } from './build-export.ts'
import { readBuildSettings } from './build-settings.ts'
import type { Session } from './session.ts'

export interface BuildOptions {
  readonly sdist?: boolean
  readonly wheel?: boolean
  /** False for `--no-isolation`. */
  readonly isolation?: boolean
  /** False for `--no-vcs`. */
  readonly vcs?: boolean
  readonly setupdirOnly?: boolean
  /** devpi's former way to say `--sdist` (`sdist`, `sdist.tgz`) and `--wheel` (`bdist_wheel`). */
  readonly formats?: string
  readonly python?: string
}

/** What a failing build printed is shown up to here. */
const OUTPUT_BYTES_MAX = 1024 * 1024

/** The paths of the archives built, in `dist` of the current folder, which is emptied before as devpi's client does. */
export async function build(session: Session, options: BuildOptions): Promise<string[]> {
  const { out, context } = session
  const { cwd } = context
  if (!['pyproject.toml', 'setup.py', 'setup.cfg'].some((name) => existsSync(join(cwd, name)))) {
    throw out.failure(`Cannot build: "${cwd}" has no pyproject.toml or setup.py; name the files to upload`)
  }
  const settings = await readBuildSettings(session, cwd)
  const dist = join(cwd, 'dist')
  await using source = await exportVersioned(session, cwd, {
    vcs: options.vcs !== false && settings.noVcs !== true,
    setupdirOnly: options.setupdirOnly === true || settings.setupdirOnly === true,
  })
  out.line(`pre-build: cleaning ${dist}`)
  await rm(dist, { recursive: true, force: true })
  await mkdir(dist)
  const wanted = kinds(session, options, settings)
  const args = ['-m', 'build', '--outdir', dist, ...wanted, ...(options.isolation === false ? ['--no-isolation'] : [])]
  await run(session, options.python ?? pythonOf(session), args, source.path)
  const built = (await readdir(dist)).toSorted().map((name) => join(dist, name))
  if (built.length === 0) throw out.failure('nothing built!')
  for (const path of built) out.line(`built: ${path} ${Math.floor((await stat(path)).size / 1000)}kb`)
  return built
}

function kinds(
  { out }: Session,
  options: BuildOptions,
  settings: { sdist?: boolean; wheel?: boolean; formats?: string },
): string[] {
  let sdist = settings.sdist === true || options.sdist === true
  let wheel = settings.wheel === true || options.wheel === true
  const formats = (options.formats ?? settings.formats ?? '').split(',').map((format) => format.trim())
  if (formats.some((format) => format !== '') && !sdist && !wheel) {
    sdist = formats.some((format) => format === 'sdist' || format.startsWith('sdist.'))
    wheel = formats.includes('bdist_wheel')
    if (!sdist && !wheel)
      throw out.failure(`Cannot build "${formats.join(',')}": use --sdist, --wheel or neither for both`)
    out.warn('The --formats option is deprecated, use --sdist, --wheel or neither for both.')
  }
  return [...(sdist ? ['--sdist'] : []), ...(wheel ? ['--wheel'] : [])]
}

/** The Python of the activated environment, else the first on PATH. */
function pythonOf({ activeVenv, context, out }: Session): string {
  const windows = platform() === 'win32'
  const programs = [
    ...(activeVenv ? [join(activeVenv, windows ? 'Scripts' : 'bin')] : []),
    ...(context.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''),
  ]
  const names = windows ? ['python.exe'] : ['python3', 'python']
  const found = programs.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) throw out.failure('command not found: python3 (name one with --python)')
  return found
}

async function run(
  { out, context, options }: Session,
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  out.line(`--> ${cwd}$ ${program} ${args.join(' ')}`)
  const env = { ...context.env } as NodeJS.ProcessEnv
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const kept: Buffer[] = []
  let keptBytes = 0
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      if (options.verbose) context.stderr.write(chunk)
      kept.push(chunk)
      keptBytes += chunk.length
      while (keptBytes > OUTPUT_BYTES_MAX) keptBytes -= kept.shift()!.length
    })
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject).on('close', resolve)
  const code = await promise.catch((error: Error) => {
    throw out.failure(`Cannot run "${program}": ${error.message}`)
  })
  if (code === 0) return
  if (!options.verbose) out.line(Buffer.concat(kept).toString('utf8').trimEnd())
  throw out.failure(`command failed: "${program} ${args.join(' ')}" ended with ${code ?? 'a signal'}`)
}
