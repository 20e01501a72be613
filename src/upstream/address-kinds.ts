/** How near an IP address is, as far as requests outward are concerned (IANA's registries of special-purpose addresses). */
import { BlockList } from 'node:net'
import { dotted, hextetsOf, isOwnAddress, plainAddress } from '../lib/addresses.ts'

/**
 * `never`: link-local, the metadata services of clouds, multicast. `loopback`: this machine, by any of its addresses. `private`: networks that the
 * Internet does not lead to. `public`: all others.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'never'

const NEVER = listOf([
  '169.254.0.0/16',
  'fe80::/10',
  '224.0.0.0/4',
  '255.255.255.255/32',
  'ff00::/8',
  // Metadata services that lie elsewhere: of AWS and Google in IPv6, Alibaba, Oracle, Azure.
  'fd00:ec2::/32',
  'fd20:ce::/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
])
/** "This host", which is where a connection to it ends. */
const LOOPBACK = listOf(['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'])
const PRIVATE = listOf([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  'fc00::/7',
  'fec0::/10',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
])

/** `plain`: as `plainAddress` writes it. */
export function addressKind(plain: string): AddressKind {
  const inner = embedded(plain)
  if (inner !== undefined) return addressKind(inner)
  const family = plain.includes(':') ? 'ipv6' : 'ipv4'
  if (NEVER.check(plain, family)) return 'never'
  if (LOOPBACK.check(plain, family) || isOwnAddress(plain)) return 'loopback'
  return PRIVATE.check(plain, family) ? 'private' : 'public'
}

/** The IPv4 address to which a gateway or a tunnel passes on what is sent to one in IPv6: NAT64, 6to4, the deprecated compatible form. */
function embedded(plain: string): string | undefined {
  if (!plain.includes(':') || plain === '::' || plain === '::1') return undefined
  const groups = hextetsOf(plain)
  const starts = (...start: number[]) => start.every((group, at) => groups[at] === group)
  if (starts(0x2002)) return dotted(groups[1]!, groups[2]!)
  const isTranslated = starts(0x64, 0xff9b, 0, 0, 0, 0) || starts(0, 0, 0, 0, 0, 0) || starts(0, 0, 0, 0, 0xffff, 0)
  return isTranslated ? plainAddress(dotted(groups[6]!, groups[7]!)) : undefined
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
