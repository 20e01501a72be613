/** The hosts that this server answers for, as requests name them in `Host`; a list of allowed ones ends DNS rebinding. */
import type { FastifyRequest } from 'fastify'
import { isLoopbackAddress, isOwnAddress, plainAddress } from '../lib/addresses.ts'
import { Problem } from '../model/errors.ts'
import type { Outside } from './outside.ts'

export interface OwnHostsOptions {
  /** In lower case, without port; `*.example.org` is every host below it. Absent: any host is answered for. */
  readonly allowedHosts?: readonly string[]
  readonly outsideUrl?: URL
  /** Names and addresses that the server listens on. */
  readonly listens?: readonly string[]
}

/** A `Host` header's two parts; `name` in lower case, an IP address as `plainAddress` writes it. */
export interface NamedHost {
  readonly name: string
  readonly port: number | undefined
}

export class OwnHosts {
  readonly #allowed: readonly string[] | undefined
  readonly #configured: readonly string[]

  constructor({ allowedHosts, outsideUrl, listens = [] }: OwnHostsOptions) {
    const names = [...(outsideUrl === undefined ? [] : [outsideUrl.hostname]), ...listens, ...(allowedHosts ?? [])]
    this.#allowed = allowedHosts
    this.#configured = names.map((name) => plainAddress(name) ?? name.toLowerCase())
  }

  /**
   * Whether a request that names this host is answered at all. A page on the web can have its own name lead here (DNS rebinding), and
   * its browser then takes our answers for that page's; what is asked for by an address of ours, no other name leads to.
   */
  isAnswered(header: string | undefined): boolean {
    if (this.#allowed === undefined || header === undefined) return true
    const host = readHost(header)
    return host !== undefined && this.isOwn(host)
  }

  /** Whether the host is loopback, an address of this machine, or a name that the operator configured. */
  isOwn({ name }: NamedHost): boolean {
    const address = plainAddress(name)
    if (name === 'localhost' || (address !== undefined && isLoopbackAddress(address))) return true
    const isConfigured = this.#configured.some((each) =>
      each.startsWith('*.') ? name.endsWith(each.slice(1)) && name.length > each.length - 1 : each === name,
    )
    return isConfigured || (address !== undefined && isOwnAddress(address))
  }
}

/** Throws `host-unknown` for a request that names a host which is not answered for; what a trusted proxy says that it was asked for counts. */
export function checkHost(
  request: FastifyRequest,
  { ownHosts, trustedProxy }: Pick<Outside, 'trustedProxy'> & { readonly ownHosts: OwnHosts },
): void {
  const header = trustedProxy?.read(request.raw).host ?? request.headers.host
  if (ownHosts.isAnswered(header)) return
  throw new Problem('host-unknown', `Cannot answer for the host ${JSON.stringify(header?.slice(0, 200))}`, {
    hint: 'ask by an address of the server or a name that it knows; whoever runs it can add the name to allowed_hosts',
  })
}

/** Reads a `Host` header (RFC 9110 §7.2). `undefined` for what is none, such as two of them joined by a comma. */
export function readHost(header: string): NamedHost | undefined {
  const found = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(header)
  if (found === null) return undefined
  const name = found[1]!.replace(/\.$/, '').toLowerCase()
  if (name.startsWith('[') && plainAddress(name) === undefined) return undefined
  return { name: plainAddress(name) ?? name, port: found[2] === undefined ? undefined : Number(found[2]) }
}
