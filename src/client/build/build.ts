/** Builds the project in the current folder, for `devpi upload` without paths: archives with `python -m build`, documentation with Sphinx. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../session.ts'
import { buildDocs } from './build-docs.ts'
import { exportVersioned } from './build-export.ts'
import { type BuildSettings, readBuildSettings } from './build-settings.ts'
import { pythonOf, runToSuccess } from './program.ts'

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
  readonly withDocs?: boolean
  /** Documentation and nothing else. */
  readonly onlyDocs?: boolean
}

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
  const python = options.python ?? pythonOf(session)
  if (!options.onlyDocs) {
    for (const args of commands(session, options, settings, dist)) {
      await runToSuccess(session, python, args, { cwd: source.path })
    }
  }
  const built = (await readdir(dist)).toSorted().map((name) => join(dist, name))
  for (const path of built) out.line(`built: ${path} ${await kilobytes(path)}`)
  if (options.withDocs || options.onlyDocs) {
    const docs = await buildDocs(session, { python, source: source.path, dist, isolation: options.isolation !== false })
    out.line(`built: ${docs} [sphinx docs] ${await kilobytes(docs)}`)
    built.push(docs)
  }
  if (built.length === 0) throw out.failure('nothing built!')
  return built
}

async function kilobytes(path: string): Promise<string> {
  return `${Math.floor((await stat(path)).size / 1000)}kb`
}

/** The arguments of each run of Python that is needed: one, and one more for each former kind of archive. */
function commands(session: Session, options: BuildOptions, settings: BuildSettings, dist: string): string[][] {
  const { out } = session
  const isolation = options.isolation === false ? ['--no-isolation'] : []
  const build = (...kinds: string[]) => ['-m', 'build', '--outdir', dist, ...kinds, ...isolation]
  const sdist = settings.sdist === true || options.sdist === true
  const wheel = settings.wheel === true || options.wheel === true
  const formats = (options.formats ?? settings.formats ?? '')
    .split(',')
    .map((format) => format.trim())
    .filter(Boolean)
  if (sdist || wheel || formats.length === 0) {
    return [build(...(sdist ? ['--sdist'] : []), ...(wheel ? ['--wheel'] : []))]
  }
  const isSdist = (format: string) => ['sdist', DEFAULT_SDIST, 'sdist.gztar'].includes(format)
  const others = formats.filter((format) => !isSdist(format) && format !== 'bdist_wheel').toSorted()
  const kinds = [...(formats.some(isSdist) ? ['--sdist'] : []), ...(formats.includes('bdist_wheel') ? ['--wheel'] : [])]
  out.warn(`The --formats option is deprecated, ${adviceFor(kinds, others)}`)
  return [
    ...(kinds.length === 0 ? [] : [build(...(kinds.length === 2 ? [] : kinds))]),
    ...others.map((format) => {
      const words = formerCommand(session, format)
      out.warn(
        `The '${format}' format is invalid for python -m build. Falling back to '${words.join(' ')}' which is deprecated.`,
      )
      return [...words, '--dist-dir', dist]
    }),
  ]
}

/** What plain `sdist` means to `python -m build`. */
const DEFAULT_SDIST = 'sdist.tgz'
/** devpi's short names for the formats of setuptools' `sdist` command. */
const SDIST_FORMATS: Readonly<Record<string, string>> = {
  tgz: 'gztar',
  tar: 'tar',
  zip: 'zip',
  tz: 'ztar',
  tbz: 'bztar',
}

function adviceFor(kinds: readonly string[], others: readonly string[]): string {
  if (kinds.length === 0) return `none of the specified formats '${others.join(',')}' are supported by python -m build`
  if (kinds.length === 2)
    return 'you can remove it to get the default sdist and wheel releases you get with your currently specified formats.'
  const what = kinds[0] === '--sdist' ? 'source' : 'wheel'
  return `replace it with ${kinds[0]} to only get ${what} release as with your currently specified format.`
}

function formerCommand({ out }: Session, format: string): string[] {
  const [kind, archive] = format.split('.', 2)
  if (kind !== 'sdist' || archive === undefined) return ['setup.py', format]
  const option = SDIST_FORMATS[archive] ?? Object.values(SDIST_FORMATS).find((known) => known === archive)
  if (option === undefined) {
    throw out.failure(`Cannot build "${format}": use sdist with one of ${Object.keys(SDIST_FORMATS).join(', ')}`)
  }
  return ['setup.py', 'sdist', '--formats', option]
}
