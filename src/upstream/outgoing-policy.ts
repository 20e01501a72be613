/**
 * The policy of outgoing requests, against request forgery by the server (SSRF): where its own requests may go. The one policy for mirrors (pages, lists, files, each redirect), pushes elsewhere and OIDC issuers. Users
 * and upstreams choose addresses, and the server may reach what they may not: itself, programs on its machine, its network.
 */
import { BlockList, isIP } from 'node:net'
import { plainAddress } from '../lib/addresses.ts'
import { Problem } from '../model/errors.ts'
import { type AddressKind, addressKind } from './address-kinds.ts'
import { resolved } from './resolved.ts'

/** Plain values, which may go to another thread. */
export interface OutgoingRules {
  /** Hosts (`*.` before a name: all below it), addresses and networks that any request may go to (`outgoing_allow`). */
  readonly allow: readonly string[]
  /** Ports that this server listens on; those are added that come with time. */
  readonly ownPorts: number[]
}

/** What a request may reach besides public addresses. */
export type Reach = Exclude<AddressKind, 'never'>

/** Where a request goes. */
export interface Target {
  /** As a URL has it. */
  readonly hostname: string
  readonly port: number
}

export class OutgoingPolicy {
  readonly rules: OutgoingRules
  readonly #names: readonly string[]
  readonly #networks = new BlockList()

  constructor(rules: OutgoingRules) {
    this.rules = rules
    const names: string[] = []
    for (const entry of rules.allow) {
      const [host = '', bits] = entry.split('/')
      const plain = plainAddress(host)
      if (plain === undefined) names.push(nameOf(host))
      else this.#networks.addSubnet(plain, Number(bits ?? (isIP(plain) === 6 ? 128 : 32)), familyOf(plain))
    }
    this.#names = names
  }

  /** Throws `upstream-failed` where the target may not be asked, as far as its name tells: an address, or one that every system knows. */
  checkName(target: Target, reach: Reach): void {
    const name = nameOf(target.hostname)
    const isLocal = name === 'localhost' || name.endsWith('.localhost')
    const address = plainAddress(target.hostname) ?? (isLocal ? '127.0.0.1' : undefined)
    if (address !== undefined) this.checkAddress(address, target, reach)
  }

  /** Throws `upstream-failed` where the target may not be asked at that address. */
  checkAddress(address: string, target: Target, reach: Reach): void {
    const why = this.#whyNot(address, target, reach)
    if (why !== undefined) throw refused(target, why)
  }

  /**
   * How near the host is, which is what a mirror of it may be led to. One that has any public address is public: else its owner could name a
   * near one besides, or later. `undefined` where the name leads nowhere.
   */
  async reachOf(hostname: string): Promise<Reach | undefined> {
    const addresses = await resolved(hostname).catch(() => [])
    const kinds = addresses.map(({ address }) => addressKind(plainAddress(address) ?? address))
    return kinds.includes('public') ? 'public' : kinds.find((kind): kind is Reach => kind !== 'never')
  }

  #whyNot(address: string, { hostname, port }: Target, reach: Reach): string | undefined {
    const plain = plainAddress(address)
    if (plain === undefined) return `"${address}" is no address`
    const kind = addressKind(plain)
    if (kind === 'never') return `${plain} is an address of one cable, of a cloud's metadata, or of many at once`
    if (kind === 'loopback' && this.rules.ownPorts.includes(port)) return 'that is this server itself'
    if (kind === 'public' || kind === reach || this.#isAllowed(hostname, plain)) return undefined
    return kind === 'loopback' ? `${plain} is this machine` : `${plain} is in a private network`
  }

  #isAllowed(hostname: string, plain: string): boolean {
    const name = nameOf(hostname)
    const isNamed = this.#names.some((each) =>
      each.startsWith('*.') ? name.endsWith(each.slice(1)) && name.length >= each.length : each === name,
    )
    return isNamed || this.#networks.check(plain, familyOf(plain))
  }
}

function refused({ hostname, port }: Target, why: string): Problem {
  return new Problem('upstream-failed', `Cannot ask ${hostname}:${port}: ${why}`, {
    hint: 'whoever runs the server can allow it: outgoing_allow, or the owner of the mirror in may_mirror',
  })
}

/** In lower case, without the dot that ends a whole name. */
function nameOf(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '')
}

function familyOf(plain: string): 'ipv4' | 'ipv6' {
  return plain.includes(':') ? 'ipv6' : 'ipv4'
}
