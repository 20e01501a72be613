/**
 * `airlock group`: manages the groups that access lists name with a colon. Not in devpi, which has groups from plugins
 * only.
 */

import { beginSession } from '../begin-session.ts'
import { below } from '../client-url.ts'
import { type CliContext, CliExit } from '../context.ts'
import type { GenericOptions } from '../session.ts'

export interface GroupOptions extends GenericOptions {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly delete?: boolean
}

type Groups = Readonly<Record<string, readonly string[]>>

/** Without a name every group is shown; with one, it is changed where that is asked for, and shown. */
export async function group(context: CliContext, name: string | undefined, options: GroupOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  const root = session.requireRoot()
  const groups = (await session.api({ method: 'GET', url: below(root, '+groups'), type: 'list:group' })).json!
    .result as Groups
  if (name === undefined) return show(groups)
  const url = below(root, '+groups', name)
  if (options.delete === true) {
    await session.api({ method: 'DELETE', url })
    out.info(`group deleted: ${name}`)
    return
  }
  const { add = [], remove = [] } = options
  const before = groups[name]
  if (add.length + remove.length > 0) {
    const members = [...new Set([...(before ?? []), ...add])].filter((each) => !remove.includes(each))
    await session.api({ method: 'PUT', url, send: { members }, type: 'group' })
    return show({ [name]: members })
  }
  if (before === undefined) {
    out.error(`no group '${name}'; make it with: airlock group ${name} --add USER`)
    throw new CliExit(1)
  }
  show({ [name]: before })

  function show(shown: Groups): void {
    if (options.json) out.json(shown)
    else for (const [each, members] of Object.entries(shown)) out.line(`${each}: ${members.join(', ')}`)
  }
}
