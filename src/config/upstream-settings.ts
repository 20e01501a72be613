/**
 * Settings of upstreams from the environment: credentials and certificates of single mirrors, netrc, certificate
 * authorities. It is not in the table of settings: it holds one entry per mirror, and nearly all of it is secret.
 */
import { resolve } from 'node:path'

export interface UpstreamSettings {
  /** By `mirrorLabel`. */
  readonly mirrors: Readonly<Record<string, MirrorAccess>>
  /** A netrc file, which may be missing. */
  readonly netrc?: string
  /** A PEM file of authorities that are believed besides those of the machine. */
  readonly authorities?: string
}

/** What one mirror shows its upstream. Paths are absolute; the files are read when they are needed, so they may change. */
export interface MirrorAccess {
  readonly username?: string
  readonly password?: string
  readonly passwordFile?: string
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string
  readonly tokenFile?: string
  /** PEM files: the certificate with what signed it, its key where that is not in the same file, authorities. */
  readonly certificate?: string
  readonly key?: string
  readonly authorities?: string
}

/** `AIRLOCK_MIRROR_ROOT_COMPANY_…`: how each variable ends. */
const ENDINGS: readonly (readonly [ending: string, key: keyof MirrorAccess, isPath: boolean])[] = [
  ['_USERNAME', 'username', false],
  ['_PASSWORD', 'password', false],
  ['_PASSWORD_FILE', 'passwordFile', true],
  ['_TOKEN', 'token', false],
  ['_TOKEN_FILE', 'tokenFile', true],
  ['_CERTIFICATE', 'certificate', true],
  ['_KEY', 'key', true],
  ['_CA', 'authorities', true],
]
const PREFIX = 'AIRLOCK_MIRROR_'

/** Where requests, curl and OpenSSL are told of authorities, the first that is set; devpi-server reads the first two. */
const AUTHORITIES = ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE']

export function upstreamSettings(env: Readonly<Record<string, string | undefined>>, cwd: string): UpstreamSettings {
  const mirrors: Record<string, Record<string, string>> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || !name.startsWith(PREFIX)) continue
    const found = ENDINGS.find(([ending]) => name.endsWith(ending) && name.length > PREFIX.length + ending.length)
    if (found === undefined) continue
    const [ending, key, isPath] = found
    const label = name.slice(PREFIX.length, -ending.length)
    mirrors[label] = { ...mirrors[label], [key]: isPath ? resolve(cwd, value) : value }
  }
  const netrc = env.NETRC || (env.HOME && resolve(env.HOME, '.netrc'))
  const authorities = AUTHORITIES.map((name) => env[name]).find((value) => value !== undefined && value !== '')
  return {
    mirrors,
    ...(netrc && { netrc: resolve(cwd, netrc) }),
    ...(authorities !== undefined && { authorities: resolve(cwd, authorities) }),
  }
}

/** `root/my-index` → `ROOT_MY_INDEX`. Two indexes may share one; `Mirrors` gives it to those of trusted owners only. */
export function mirrorLabel(index: string): string {
  return index.toUpperCase().replace(/[^A-Z0-9]/g, '_')
}
