/** Flags ▸ environment ▸ `airlock.toml` ▸ defaults → one frozen `Config`. The only reader of such values. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'smol-toml'
import { nearest } from '../lib/nearest.ts'
import { Problem } from '../model/errors.ts'
import { LIMITS, type Limits, withLimits } from '../model/limits.ts'
import { type IndexName, parseIndexName } from '../model/names.ts'
import type { DevpiFile } from './devpi-file.ts'
import { boolean, byteLimit, dayLimit, type Given, octal, oneOf, url, wholeNumber, words, wrong } from './given.ts'
import {
  accelRedirect,
  allowedHosts,
  outgoingAllow,
  remoteUserHeader,
  type TrustedProxySetting,
  trustedProxy,
} from './proxy-settings.ts'
import { flagOf, SETTINGS, type Setting, type SettingKey, variablesOf } from './settings.ts'
import { type UpstreamSettings, upstreamSettings } from './upstream-settings.ts'

export interface Config {
  readonly serverDir: string
  readonly listen: readonly { readonly host: string; readonly port: number }[]
  /** Threads that serve; the process's own is one of them. */
  readonly workers: number
  readonly outsideUrl?: URL
  /** Hosts that requests may name, besides those that are the server's own; absent: any. */
  readonly allowedHosts?: readonly string[]
  readonly offline: boolean
  readonly absoluteUrls: boolean
  readonly mirrorExpirySeconds: number
  /** Of one mirror that sets none itself; absent: unlimited. */
  readonly mirrorCacheBytes?: number
  readonly mirrorCacheDays?: number
  /** `user/index`, which need not exist. */
  readonly defaultIndex: IndexName
  readonly secretFile?: string
  /** A `trusted_root.json`; absent: the one that comes along. */
  readonly sigstoreTrustedRoot?: string
  readonly upstream: string
  readonly hasRootPypi: boolean
  readonly rootPassword: string
  /** An argon2 hash in a PHC string; whether it is one is looked at where it is used. Wins over `rootPassword`. */
  readonly rootPasswordHash?: string
  readonly unixSocket?: { readonly path: string; readonly mode: number }
  readonly trustedProxy?: TrustedProxySetting
  /** In lower case. Only with `trustedProxy`. */
  readonly remoteUserHeader?: string
  /** A path that begins and ends with a slash. Only with `trustedProxy` or `unixSocket`. */
  readonly accelRedirect?: string
  /** Whether the system may send large files, where it can. */
  readonly hasSendfile: boolean
  /** Users and `:groups` who may create and change users and indexes; absent: everybody their own. An empty list is nobody. */
  readonly restrictModify?: readonly string[]
  /** Users and `:groups` who may make mirrors, and push to other servers, besides root; absent: those of `restrictModify`. */
  readonly mayMirror?: readonly string[]
  readonly mayPushOut?: readonly string[]
  /** Hosts and networks that the server's own requests may go to, wherever they are. */
  readonly outgoingAllow: readonly string[]
  readonly autocreateUsers: boolean
  /** Upload 2.0 (PEP 694). */
  readonly uploadSessions: boolean
  /** Whom OIDC tokens for Trusted Publishing are meant for. */
  readonly oidcAudience: string
  /** Credentials and certificates for upstreams, from the environment. */
  readonly upstreams: UpstreamSettings
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug'
  readonly limits: Limits
}

export interface ConfigSources {
  /** By setting key, as the command line gave them. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Paths are relative to it. */
  readonly cwd: string
  /** An `airlock.toml`; one that is named must exist. */
  readonly file?: string
  /** What devpi-server's own configuration file says, in place of `file`. */
  readonly devpiFile?: DevpiFile
  /** For commands with other defaults (devpi-server's folder). */
  readonly defaults?: Readonly<Partial<Record<SettingKey, string>>>
}

/** Throws `setting-invalid` with a sentence that names the setting, where it was set, and what it may be. */
export function loadConfig(sources: ConfigSources): Config {
  const raw = readSettings(sources)
  const text = (key: SettingKey) => {
    const value = raw.get(key)?.value
    return value === undefined || value === '' ? undefined : String(value)
  }
  const path = (key: SettingKey) => {
    const value = text(key)
    return value === undefined ? undefined : resolve(sources.cwd, withHome(value, sources.env.HOME))
  }
  const integer = (key: SettingKey, least: number, most: number) => wholeNumber(key, raw.get(key)!, least, most)
  const flag = (key: SettingKey) => boolean(key, raw.get(key)!)
  const socket = path('unix_socket')
  const isTcpAsked = (['host', 'port'] as const).some((key) => raw.get(key)!.from !== 'default')
  const hasTcp = socket === undefined || isTcpAsked || raw.has('listen')
  const listen = hasTcp ? listenOn(raw.get('listen'), text('host')!, integer('port', 0, 65_535)) : []
  const proxy = trustedProxy(raw, integer('trusted_proxy_count', 1, 100))
  const userHeader = remoteUserHeader(raw.get('remote_user_header'), proxy)
  const handOver = accelRedirect(raw.get('x_accel_redirect'), proxy !== undefined || socket !== undefined)
  const restricted = raw.get('restrict_modify')
  const hosts = raw.get('allowed_hosts')
  const allowed = hosts === undefined ? [] : allowedHosts(hosts)
  const rootPasswordHash = text('root_passwd_hash')
  const outside = raw.get('outside_url')
  const outsideUrl = outside !== undefined && outside.value !== '' ? url('outside_url', outside) : undefined
  const secretFile = path('secretfile')
  const sigstoreTrustedRoot = path('sigstore_trusted_root')
  const mirrorCacheBytes = byteLimit('mirror_cache_size', raw.get('mirror_cache_size')!)
  const mirrorCacheDays = dayLimit('mirror_cache_days', raw.get('mirror_cache_days')!)
  return Object.freeze({
    serverDir: path('serverdir')!,
    listen,
    workers: integer('workers', 1, LIMITS.workers),
    offline: flag('offline_mode'),
    absoluteUrls: flag('absolute_urls'),
    mirrorExpirySeconds: integer('mirror_cache_expiry', 0, 365 * 86_400),
    upstream: url('upstream', raw.get('upstream')!).href,
    hasRootPypi: !flag('no_root_pypi'),
    rootPassword: String(raw.get('root_passwd')!.value),
    defaultIndex: index('default_index', raw.get('default_index')!),
    autocreateUsers: flag('autocreate_users'),
    uploadSessions: flag('upload_sessions'),
    oidcAudience: text('oidc_audience') ?? outsideUrl?.host ?? 'airlock',
    outgoingAllow: raw.has('outgoing_allow') ? outgoingAllow(raw.get('outgoing_allow')!) : [],
    hasSendfile: !flag('no_sendfile'),
    upstreams: upstreamSettings(sources.env, sources.cwd),
    logLevel: oneOf('log_level', raw.get('log_level')!, ['error', 'warn', 'info', 'debug'] as const),
    limits: withLimits({
      upstreamAnswerMs: integer('request_timeout', 1, 3600) * 1000,
      uploadBytes: integer('max_request_body_size', 1, Number.MAX_SAFE_INTEGER),
      connectMs: Math.min(LIMITS.connectMs, integer('request_timeout', 1, 3600) * 1000),
    }),
    ...(outsideUrl !== undefined && { outsideUrl }),
    ...(allowed.length > 0 && { allowedHosts: allowed }),
    ...(secretFile !== undefined && { secretFile }),
    ...(sigstoreTrustedRoot !== undefined && { sigstoreTrustedRoot }),
    ...(mirrorCacheBytes !== undefined && { mirrorCacheBytes }),
    ...(mirrorCacheDays !== undefined && { mirrorCacheDays }),
    ...(rootPasswordHash !== undefined && { rootPasswordHash }),
    ...(socket !== undefined && {
      unixSocket: { path: socket, mode: octal('unix_socket_perms', raw.get('unix_socket_perms')!) },
    }),
    ...(proxy !== undefined && { trustedProxy: proxy }),
    ...(userHeader !== undefined && { remoteUserHeader: userHeader }),
    ...(handOver !== undefined && { accelRedirect: handOver }),
    ...(restricted !== undefined && { restrictModify: words(restricted) }),
    ...(raw.has('may_mirror') && { mayMirror: words(raw.get('may_mirror')!) }),
    ...(raw.has('may_push_out') && { mayPushOut: words(raw.get('may_push_out')!) }),
  })
}

/** Every setting that has a value. Unknown keys in the file are refused with the nearest known one as a hint. */
export function readSettings(sources: ConfigSources): Map<SettingKey, Given> {
  const path = sources.devpiFile?.path ?? sources.file
  const inFile = sources.devpiFile?.values ?? (path === undefined ? {} : readFile(resolve(sources.cwd, path)))
  const given = new Map<SettingKey, Given>()
  for (const setting of SETTINGS as readonly Setting[]) {
    const key = setting.key as SettingKey
    const variable = variablesOf(setting).find((name) => isSet(name, sources.env[name]))
    if (sources.flags[key] !== undefined) given.set(key, { value: sources.flags[key], from: flagOf(setting) })
    else if (variable !== undefined) given.set(key, { value: sources.env[variable], from: variable })
    else if (inFile[key] !== undefined) given.set(key, { value: inFile[key], from: `${path}: ${key}` })
    else {
      const value = sources.defaults?.[key] ?? setting.default
      if (value !== undefined) given.set(key, { value, from: 'default' })
    }
  }
  return given
}

/** For devpi-server an empty variable is none. */
function isSet(name: string, value: string | undefined): boolean {
  return value !== undefined && (value !== '' || !name.startsWith('DEVPISERVER_'))
}

function withHome(path: string, home: string | undefined): string {
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, home)
}

function readFile(path: string): Record<string, unknown> {
  let parsed: Record<string, unknown>
  try {
    parsed = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Problem('setting-invalid', `Cannot read settings from "${path}": ${(error as Error).message}`, {
      cause: error,
    })
  }
  const known = SETTINGS.map((setting) => setting.key as string)
  for (const key of Object.keys(parsed)) {
    if (known.includes(key)) continue
    throw new Problem('setting-invalid', `Unknown setting "${key}" in "${path}"`, {
      hint: `did you mean "${nearest(key, known)}"?`,
    })
  }
  return parsed
}

function index(key: SettingKey, given: Given): IndexName {
  const name = parseIndexName(String(given.value))
  if (name === undefined) throw wrong(key, given, 'USER/INDEX')
  return name
}

const LISTEN_FORM = 'HOST:PORT, [ADDRESS]:PORT for IPv6, or *:PORT for every address'

function listenOn(listen: Given | undefined, host: string, port: number): Config['listen'] {
  if (listen === undefined) return [{ host, port }]
  const places = words(listen)
  if (places.length === 0) throw wrong('listen', listen, LISTEN_FORM)
  return places.map((each) => {
    const found = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(each)
    if (found === null || Number(found[3]) > 65_535) throw wrong('listen', listen, LISTEN_FORM)
    return { host: found[1] ?? found[2]!, port: Number(found[3]) }
  })
}
