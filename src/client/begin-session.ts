/** Begins a client command: loads the saved state and applies the chosen index. */
import type { CliContext } from './context.ts'
import { chooseFromEnvironment } from './index-choice.ts'
import { type GenericOptions, Session } from './session.ts'

/** Applies `--index` and DEVPI_INDEX. `url` is the address that `use` was given. */
export async function beginSession(context: CliContext, options: GenericOptions, url?: string): Promise<Session> {
  const session = await Session.remembered(context, options)
  await chooseFromEnvironment(session, url)
  return session
}
