/** `airlock status`: shows and sets whether a project is active, archived, quarantined or deprecated (PEP 792). Ours: devpi has none. */

import { beginSession } from '../begin-session.ts'
import { asFile, below } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions } from '../session.ts'

export interface StatusOptions extends GenericOptions {
  readonly reason?: string
}

/** Without a status it is shown, as the index with its bases has it. */
export async function status(
  context: CliContext,
  project: string,
  wanted: string | undefined,
  options: StatusOptions,
): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  const url = below(asFile(session.indexUrl()), '+status', project)
  if (wanted === undefined && options.reason !== undefined) {
    throw out.failure(
      'Cannot set a reason alone: name the status it is for, as in: airlock status NAME archived --reason TEXT',
    )
  }
  const send = { status: wanted, ...(options.reason !== undefined && { reason: options.reason }) }
  const reply = await session.api(
    wanted === undefined
      ? { method: 'GET', url, type: 'projectstatus' }
      : { method: 'PUT', url, send, type: 'projectstatus' },
  )
  const result = resultOf(reply)
  if (options.json) out.json(result)
  else out.line(`${result.project}: ${result.status}${typeof result.reason === 'string' ? ` (${result.reason})` : ''}`)
}
