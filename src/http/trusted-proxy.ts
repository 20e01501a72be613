/** Reads the headers that a proxy in front adds to a request, and decides whether to trust them. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { TrustedProxySetting } from '../config/proxy-settings.ts'

/** Each absent where nothing is said, or nothing that can be right. */
export interface Forwarded {
  /** The address of who asked the first proxy that is believed. */
  readonly client?: string
  readonly scheme?: 'http' | 'https'
  /** With its port, where one was named. */
  readonly host?: string
  readonly port?: string
  /** `/deep/er`, without final slash. */
  readonly prefix?: string
}

export class TrustedProxy {
  readonly #setting: TrustedProxySetting
  readonly #network = new BlockList()

  constructor(setting: TrustedProxySetting) {
    this.#setting = setting
    const { address } = setting
    const [host = '', bits] = address.split('/')
    if (address === 'localhost') {
      this.#network.addSubnet('127.0.0.0', 8, 'ipv4')
      this.#network.addAddress('::1', 'ipv6')
    } else if (address !== '*') {
      const family = isIP(host) === 6 ? 'ipv6' : 'ipv4'
      this.#network.addSubnet(host, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
    }
  }

  /** Whether it is the proxy who connects from there; `undefined` is a Unix socket, which belongs to `localhost`. */
  isFrom(peer: string | undefined): boolean {
    const { address } = this.#setting
    if (address === '*') return true
    if (peer === undefined) return address === 'localhost'
    const plain = peer.replace(/^::ffff:/i, '').replace(/%.*$/, '')
    const family = isIP(plain)
    return family !== 0 && this.#network.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }

  /** What the headers that are believed say; nothing where somebody else sent the request. */
  read(request: Pick<IncomingMessage, 'headers' | 'socket'>): Forwarded {
    if (!this.isFrom(request.socket.remoteAddress)) return {}
    const { headers, count } = this.#setting
    const said = headers.includes('forwarded')
      ? readForwarded(request.headers.forwarded, count)
      : (name: string) => {
          if (!headers.includes(`x-forwarded-${name}`)) return undefined
          // The last values are those that proxies added; what stands before them came from the client.
          return [request.headers[`x-forwarded-${name}`]].flat().join(',').split(',').slice(-count)[0]?.trim()
        }
    const client = addressOf(said('for'))
    const scheme = said('proto')?.toLowerCase()
    const host = said('host')
    const port = said('port')
    const prefix = said('prefix')
    return {
      ...(client !== undefined && { client }),
      ...((scheme === 'http' || scheme === 'https') && { scheme }),
      ...(host !== undefined && isHost(host) && { host }),
      ...(port !== undefined && /^[1-9]\d{0,4}$/.test(port) && { port }),
      ...(prefix !== undefined && /^(?:\/[\w.~-]+)+\/?$/.test(prefix) && { prefix: prefix.replace(/\/$/, '') }),
    }
  }
}

/** A host with or without port, fit to stand in an address. */
export function isHost(text: string): boolean {
  return /^[A-Za-z0-9._:[\]-]+$/.test(text)
}

/** RFC 7239: of the last `count` proxies' elements, the oldest that says something of it. */
function readForwarded(header: string | undefined, count: number): (name: string) => string | undefined {
  const elements = (header?.match(/(?:[^,"]|"[^"]*")+/g) ?? []).slice(-count).map((element) => {
    const pairs = element.match(/(?:[^;"]|"[^"]*")+/g) ?? []
    return new Map(
      pairs.map((pair) => {
        const at = pair.indexOf('=')
        const value = pair.slice(at + 1).trim()
        return [pair.slice(0, Math.max(at, 0)).trim().toLowerCase(), value.replace(/^"(.*)"$/s, '$1')]
      }),
    )
  })
  return (name) => elements.map((element) => element.get(name)).find((value) => value !== undefined)
}

/** An address as proxies write it: with brackets, with a port, or bare. */
function addressOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const bare = text.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  return isIP(bare) === 0 ? undefined : bare
}
