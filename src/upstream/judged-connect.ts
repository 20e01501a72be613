/** Connections that are judged where they are made: the address that is connected to is the one that was judged. */
import type { LookupFunction } from 'node:net'
import type { buildConnector } from 'undici'
import type { OutgoingPolicy, Reach } from './outgoing-policy.ts'
import { resolved } from './resolved.ts'

/**
 * What undici makes direct connections with; through a proxy, that makes them. Names are resolved once, and only the addresses that may be asked
 * are tried. Connections fail with `upstream-failed` where there are none.
 */
export async function judgedConnect(
  policy: OutgoingPolicy,
  reach: Reach,
  options: buildConnector.BuildOptions,
): Promise<buildConnector.connector> {
  const { buildConnector } = await import('undici')
  const connectors = new Map<boolean, buildConnector.connector>()
  // Two, as a lookup is not told the port: whether it is one of ours decides on this machine's addresses.
  const connectorTo = (port: number) => {
    const isOurs = policy.rules.ownPorts.includes(port)
    const known = connectors.get(isOurs)
    if (known !== undefined) return known
    const made = buildConnector({ ...options, lookup: judgedLookup(policy, reach, port) } as typeof options)
    connectors.set(isOurs, made)
    return made
  }
  return (target, callback) => {
    const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80))
    try {
      // An address is not looked up.
      policy.checkName({ hostname: target.hostname, port }, reach)
    } catch (error) {
      callback(error as Error, null)
      return
    }
    connectorTo(port)(target, callback)
  }
}

/** As node:net wants it, for connections to that port. */
export function judgedLookup(policy: OutgoingPolicy, reach: Reach, port: number): LookupFunction {
  return (hostname, options, callback) => {
    void resolved(hostname, options).then(
      (all) => {
        const refusals: Error[] = []
        const found = all.filter(({ address }) => {
          try {
            policy.checkAddress(address, { hostname, port }, reach)
            return true
          } catch (error) {
            refusals.push(error as Error)
            return false
          }
        })
        const [first] = found
        if (first === undefined) callback(refusals[0] ?? new Error(`${hostname} has no address`), [])
        else if (options.all === true) callback(null, found)
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    )
  }
}
