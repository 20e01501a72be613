/** One run of tox over one file. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { asObject } from '../../lib/json-object.ts'
import { findProgram, runProgram } from '../build/program.ts'
import { installerEnv, withLogin } from '../installers/installer-env.ts'
import { shellWords } from '../installers/shell-words.ts'
import { chosenVenv } from '../installers/venv-choice.ts'
import type { Session } from '../session.ts'
import { readIfThere } from '../state-file.ts'

export interface ToxOptions {
  readonly toxenv?: string
  readonly toxini?: string
  readonly fallbackIni?: string
  /** Options for tox itself, as a shell would read them. */
  readonly toxArgs?: string
}

export interface ToxSubject {
  /** The file to install and test. */
  readonly archive: string
  /** The unpacked sdist, where tox runs. */
  readonly source: string
  /** Where tox writes its JSON report. */
  readonly report: string
}

/** Runs tox, its output shown, with the index in use for what it installs; gives its exit code. */
export async function runTox(session: Session, subject: ToxSubject, options: ToxOptions): Promise<number | string> {
  const { out, state } = session
  const venv = await chosenVenv(session, undefined)
  const tox = (venv && findProgram(session, ['tox'], venv)) ?? findProgram(session, ['tox'])
  if (tox === undefined) throw out.failure('no tox binary found')
  if (state.simpleindex === undefined) throw out.failure('Cannot test: the server names no simple index')
  const more = shellWords(options.toxArgs ?? '')
  if (more === undefined) throw out.failure(`Cannot read --tox-args "${options.toxArgs}": a quote is not closed`)
  const { code } = await runProgram(
    session,
    tox,
    [
      '--installpkg',
      subject.archive,
      '--recreate',
      '--result-json',
      subject.report,
      ...(options.toxenv === undefined ? [] : [`-e${options.toxenv}`]),
      '-c',
      await configuration(session, subject.source, options),
      ...more,
    ],
    { cwd: subject.source, output: 'shown', env: installerEnv(session, withLogin(session, state.simpleindex)) },
  )
  return code
}

/** The file that tells tox what to do: the one named, else the sdist's own, else the fallback. */
async function configuration(session: Session, source: string, options: ToxOptions): Promise<string> {
  if (options.toxini !== undefined) return existing(session, session.path(options.toxini))
  for (const name of ['tox.ini', 'pyproject.toml', 'setup.cfg', 'tox.toml']) {
    const path = join(source, name)
    if (await configuresTox(path, name)) return path
  }
  const { fallbackIni } = options
  if (fallbackIni === undefined) {
    throw session.out.failure(`no tox.ini/pyproject.toml/setup.cfg file found in ${source}`)
  }
  const direct = session.path(fallbackIni)
  return existing(session, existsSync(direct) ? direct : join(source, fallbackIni))
}

async function configuresTox(path: string, name: string): Promise<boolean> {
  const text = await readIfThere(path)
  if (text === undefined) return false
  if (name === 'setup.cfg') return /^\[tox:tox\]/m.test(text)
  if (name !== 'pyproject.toml') return true
  try {
    return asObject(parse(text).tool).tox !== undefined
  } catch {
    // What is no TOML configures nothing; building it will say so.
    return false
  }
}

function existing({ out }: Session, path: string): string {
  const entry = statSync(path, { throwIfNoEntry: false })
  if (entry === undefined) throw out.failure(`file does not exist: ${path}`)
  if (!entry.isFile()) throw out.failure(`is not a file: ${path}`)
  return path
}
