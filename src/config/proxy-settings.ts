/** The settings of a trusted proxy, which only make sense together. */
import { isIP } from 'node:net'
import { Problem } from '../model/errors.ts'
import { type Given, words, wrong } from './given.ts'
import type { SettingKey } from './settings.ts'

/** Whose forwarded headers are believed, how many values of each, and which. */
export interface TrustedProxySetting {
  /** An IP address, a network as `address/bits`, `localhost`, or `*`. */
  readonly address: string
  readonly count: number
  /** In lower case. */
  readonly headers: readonly string[]
}

const FORWARDED_HEADERS = [
  'forwarded',
  'x-forwarded-by',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
]

/** `undefined` where no proxy is trusted. Throws `setting-invalid`. */
export function trustedProxy(raw: ReadonlyMap<SettingKey, Given>, count: number): TrustedProxySetting | undefined {
  const given = raw.get('trusted_proxy')
  if (given === undefined || given.value === '') {
    const idle = (['trusted_proxy_count', 'trusted_proxy_headers'] as const).find(
      (key) => raw.get(key)!.from !== 'default',
    )
    if (idle === undefined) return undefined
    throw new Problem('setting-invalid', `Cannot use ${idle} without trusted_proxy: no proxy is trusted`)
  }
  const address = String(given.value)
  if (!['*', 'localhost'].includes(address) && !isNetwork(address)) {
    throw wrong('trusted_proxy', given, 'an IP address, a network such as 10.0.0.0/8, localhost, or *')
  }
  const said = raw.get('trusted_proxy_headers')!
  const headers = words(said).map((each) => each.toLowerCase())
  if (headers.length === 0 || headers.some((each) => !FORWARDED_HEADERS.includes(each))) {
    throw wrong('trusted_proxy_headers', said, `one or more of ${FORWARDED_HEADERS.join(', ')}`)
  }
  if (headers.includes('forwarded') && headers.length > 1) {
    throw wrong('trusted_proxy_headers', said, 'either forwarded or X-Forwarded-… headers: a proxy sets one kind')
  }
  return { address, count, headers }
}

/** Throws `setting-invalid` for what is no location, and where nobody could be the nginx that has it. */
export function accelRedirect(given: Given | undefined, hasProxy: boolean): string | undefined {
  if (given === undefined || given.value === '') return undefined
  const prefix = String(given.value)
  if (!/^\/(?:[\w.~+-]+\/)+$/.test(prefix)) {
    throw wrong('x_accel_redirect', given, 'a path with a slash before and after it, such as /+blobs/')
  }
  if (hasProxy) return prefix
  throw new Problem('setting-invalid', 'Cannot use x_accel_redirect without trusted_proxy or unix_socket', {
    hint: 'set trusted_proxy to the address of nginx: only what it asks for is left to it',
  })
}

/** As `allowedHosts`, and networks as `address/bits`. */
export function outgoingAllow(given: Given): string[] {
  const entries = words(given).map((each) => each.toLowerCase().replace(/^\[(.*)\]$/, '$1'))
  if (entries.every((entry) => isNetwork(entry) || isHostPattern(entry))) return entries
  throw wrong(
    'outgoing_allow',
    given,
    'hosts, addresses and networks without scheme and port, such as *.example.org or 10.0.0.0/8',
  )
}

function isNetwork(text: string): boolean {
  const [host = '', bits, ...more] = text.split('/')
  const family = isIP(host)
  const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32))
  return family !== 0 && isMask && more.length === 0
}

function isHostPattern(text: string): boolean {
  return /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(text)
}

/** Names and addresses without port, in lower case; `*.` before a name stands for every host below it. */
export function allowedHosts(given: Given): string[] {
  const hosts = words(given).map((each) => each.toLowerCase().replace(/^\[(.*)\]$/, '$1'))
  if (hosts.every((host) => isIP(host) !== 0 || isHostPattern(host))) return hosts
  throw wrong('allowed_hosts', given, 'hosts without scheme and port, such as index.example.org or *.example.org')
}

/** Anybody could send the header: without a proxy that sets it, it would let everybody in as anybody. */
export function remoteUserHeader(given: Given | undefined, proxy: TrustedProxySetting | undefined): string | undefined {
  if (given === undefined || given.value === '') return undefined
  const name = String(given.value)
  if (!/^[A-Za-z0-9-]+$/.test(name)) throw wrong('remote_user_header', given, 'the name of a header')
  if (proxy !== undefined && proxy.address !== '*') return name.toLowerCase()
  throw new Problem('setting-invalid', 'Cannot use remote_user_header without the address of a trusted proxy', {
    hint: 'set trusted_proxy to the address of the proxy that logs users in; * would let everybody in as anybody',
  })
}
