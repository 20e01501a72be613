/** `devpi install`: runs pip with the index in use, login included. */

import { beginSession } from '../begin-session.ts'
import { findProgram, runProgram, runToSuccess } from '../build/program.ts'
import { asDirectory, below } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { installerEnv, withLogin } from '../installers/installer-env.ts'
import { chosenVenv } from '../installers/venv-choice.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface InstallOptions extends GenericOptions {
  readonly listinstalled?: boolean
  readonly editable?: string
  readonly venv?: string
  /** The words name requirements files. */
  readonly requirement?: boolean
}

export async function install(context: CliContext, words: readonly string[], options: InstallOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  session.requireIndex()
  const venv = await chosenVenv(session, options.venv)
  const pip = findProgram(session, ['pip', 'pip3'], venv)
  if (pip === undefined) throw out.failure('no pip binary found')
  if (options.listinstalled) {
    out.info(`list of installed packages on ${venv ?? 'None'}`)
    if (!options.json) return await run(session, pip, ['list'])
    return out.json(JSON.parse(await runToSuccess(session, pip, ['list', '--format', 'json'], { cwd: context.cwd })))
  }
  if (options.editable !== undefined && words.length > 0)
    throw out.failure('cannot specify packagespecs and --editable')
  const wanted = options.editable === undefined ? words : ['--editable', options.editable]
  if (wanted.length === 0) return
  const simple = asDirectory(below(session.indexUrl(), '+simple'))
  const isSafe = await hidesPasswords(session, pip)
  if (!isSafe) {
    out.warn('passing of authentication data to pip disabled, because pip < 19.3 exposes the password in log output.')
  }
  const args = ['install', '-U', ...(options.requirement ? ['--requirement'] : []), ...wanted]
  await run(session, pip, args, {
    PIP_PRE: '1',
    PIP_USE_WHEEL: '1',
    ...installerEnv(session, isSafe ? withLogin(session, simple) : simple),
  })
}

/** Whether pip keeps passwords out of what it prints: since 19.3. */
async function hidesPasswords(session: Session, pip: string): Promise<boolean> {
  const said = await runToSuccess(session, pip, ['--version'], { cwd: session.context.cwd })
  const [, major = 0, minor = 0] = /^pip (\d+)\.(\d+)/m.exec(said)?.map(Number) ?? []
  return major > 19 || (major === 19 && minor >= 3)
}

async function run(
  session: Session,
  pip: string,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<void> {
  const { cwd } = session.context
  const { code } = await runProgram(session, pip, args, { cwd, output: 'shown', ...(env && { env }) })
  if (code !== 0) throw session.out.failure('command failed')
}
