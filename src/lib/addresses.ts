/** IP addresses as text: one spelling for each, and which of them are this machine's own. */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/**
 * The one spelling of an IP address: without brackets and zone, IPv6 as RFC 5952 writes it, an IPv4 address that is mapped into IPv6
 * (`::ffff:127.0.0.1`, `::ffff:7f00:1`) as IPv4. `undefined` for what is no address.
 */
export function plainAddress(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  const family = isIP(bare)
  if (family !== 6) return family === 4 ? bare : undefined
  const groups = hextetsOf(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return isMapped ? dotted(groups[6]!, groups[7]!) : new URL(`http://[${bare}]`).hostname.slice(1, -1)
}

/** The eight groups of an IPv6 address that `isIP` takes. */
export function hextetsOf(address: string): number[] {
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [front = '', back] = canonical.split('::')
  const read = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const first = read(front)
  if (back === undefined) return first
  const last = read(back)
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}

/** The IPv4 address that two groups of an IPv6 address hold. */
export function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Whether the machine itself has that address: any of its network interfaces counts, and all of loopback. Asks the system each time: addresses come and go. */
export function isOwnAddress(address: string): boolean {
  const plain = plainAddress(address)
  if (plain === undefined) return false
  if (isLoopbackAddress(plain)) return true
  return Object.values(networkInterfaces()).some((all) => all?.some((each) => plainAddress(each.address) === plain))
}

/** `plain`: as `plainAddress` writes it. */
export function isLoopbackAddress(plain: string): boolean {
  return plain === '::1' || plain.startsWith('127.')
}
