/** `devpi --version`: which client this is, and what the server in use is made of. */
import { Command } from 'commander'
import { asObject } from '../../lib/json-object.ts'
import { beginSession } from '../begin-session.ts'
import { addClientOptions } from '../client-options.ts'
import { below } from '../client-url.ts'
import { Unreachable } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

/** The devpi-client whose words and files these commands share; scripts look for it. */
const SPOKEN_VERSION = '7.3.0'

/** The options before `--version` where that stands instead of a command; its answer takes a request, so it is no option like others. */
export function versionAsked(words: readonly string[]): GenericOptions | undefined {
  const program = addClientOptions(new Command()).option('--version')
  const { operands, unknown } = program.parseOptions([...words])
  const { version, ...options } = program.opts<GenericOptions & { version?: boolean }>()
  return version && operands.length === 0 && unknown.length === 0 ? options : undefined
}

/** `ownVersion` is this program's. A server that cannot be reached is left out. */
export async function showVersion(context: CliContext, ownVersion: string, options: GenericOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out, state } = session
  out.line(`devpi-client ${SPOKEN_VERSION}`)
  out.line(`    airlock ${ownVersion}`)
  const { root } = state
  const versions = root === undefined ? {} : await serverVersions(session, root)
  if (root !== undefined && Object.keys(versions).length > 0) {
    out.line()
    out.info(`current devpi server: ${root.href}`)
    for (const [name, version] of Object.entries(versions).toSorted()) out.line(`    ${name} ${version}`)
  }
  if (options.json) out.json({ 'devpi-client': SPOKEN_VERSION, airlock: ownVersion, server: versions })
}

async function serverVersions(session: Session, root: URL): Promise<Readonly<Record<string, unknown>>> {
  try {
    const headers = { accept: 'application/json' }
    const reply = await session.connection.send({ method: 'GET', url: below(root, '+status'), headers })
    return reply.status === 200 ? asObject(resultOf(reply).versioninfo) : {}
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    session.out.debug(`${error.message}`)
    return {}
  }
}
