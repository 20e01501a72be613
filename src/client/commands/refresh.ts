/** `devpi refresh`: makes the mirrors behind an index ask upstream for a project again. */

import { beginSession } from '../begin-session.ts'
import { asDirectory, below } from '../client-url.ts'
import { type CliContext, CliExit } from '../context.ts'
import type { GenericOptions } from '../session.ts'

/** Goes on with the next project when one is refused, and ends with 1 then. */
export async function refresh(
  context: CliContext,
  projects: readonly string[],
  options: GenericOptions,
): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  session.requireIndex()
  const refreshed: string[] = []
  for (const project of projects) {
    const url = below(asDirectory(below(session.indexUrl(), '+simple')), project, 'refresh')
    const reply = await session.fetch({ method: 'POST', url })
    if (reply.status === 200) {
      refreshed.push(project)
      out.info(`Refreshed ${project}`)
    } else {
      out.error(`Couldn't refresh ${project} via ${url.href}: ${reply.status} ${reply.reason}`)
    }
  }
  if (options.json) out.json(refreshed)
  if (refreshed.length < projects.length) throw new CliExit(1)
}
