/** The user account at the other end of a connection from this machine, from Linux's tables: a person's, or a service's such as a proxy. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** Where the system lists its connections, both ends of each that stays on the machine. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
/** Accounts of people begin here; those above the last are services again (systemd's dynamic users, `nobody`). */
const FIRST_PERSON = 1000
const LAST_PERSON = 61_183

/**
 * The user id of a service that holds the other end, where it is neither root nor the server's own. `undefined`: it is a person's program, or
 * the system does not tell.
 */
export function servicePeer(socket: Pick<Socket, 'remotePort' | 'localPort'>, tables = TABLES): number | undefined {
  const { remotePort, localPort } = socket
  if (remotePort === undefined || localPort === undefined) return undefined
  const [theirs, ours] = [remotePort, localPort].map((port) => port.toString(16).toUpperCase().padStart(4, '0'))
  // Local address, remote address, and behind five columns the user. By the ports alone: one too many is refused, none is let in.
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${theirs} [0-9A-F]+:${ours} \\S+ \\S+ \\S+ \\S+ +(\\d+) `, 'gm')
  const own = process.getuid?.()
  return tables
    .flatMap((table) => [...textOf(table).matchAll(line)].map(([, uid]) => Number(uid)))
    .find((uid) => uid !== 0 && uid !== own && (uid < FIRST_PERSON || uid > LAST_PERSON))
}

/** Nothing where there is no such table: other systems have none. */
function textOf(table: string): string {
  try {
    return readFileSync(table, 'latin1')
  } catch {
    return ''
  }
}
