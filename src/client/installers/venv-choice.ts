/** The virtual environment that installs, tests and settings are meant for. */
import { existsSync } from 'node:fs'
import { platform } from 'node:os'
import { join, resolve } from 'node:path'
import type { Session } from '../session.ts'

/** `--venv`, the remembered one or the activated one; `-` forgets it. Below WORKON_HOME when it is not found here. */
export async function chosenVenv(session: Session, asked: string | undefined): Promise<string | undefined> {
  const { out, state, context } = session
  if (asked === '-') {
    await state.setVenv(null)
    return undefined
  }
  const wanted = asked ?? state.venv ?? session.activeVenv
  if (wanted === undefined) return undefined
  const programs = platform() === 'win32' ? 'Scripts' : 'bin'
  const workon = context.env.WORKON_HOME
  const places = [session.path(wanted), ...(workon ? [resolve(workon, wanted)] : [])]
  const found = places.find((place) => existsSync(join(place, programs)))
  if (found === undefined) {
    const remedy = state.venv
      ? "\nYou can unset it with 'devpi use --venv -'."
      : session.activeVenv
        ? '\nCheck your VIRTUAL_ENV environment variable.'
        : ''
    throw out.failure(`No virtualenv found at: '${places.at(-1)}'${remedy}`)
  }
  if (asked !== undefined) await state.setVenv(found)
  return found
}
