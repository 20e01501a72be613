/**
 * The table of everything a process can be told. From it come the parsing of flags, environment and `airlock.toml`,
 * the help text, `docs/configuration.md` and `config show`. What belongs to one index (bases, volatile …) is not here:
 * that is data in the catalog.
 */

/** The public index that root/pypi mirrors unless told otherwise. The only registry address in this program. */
export const DEFAULT_UPSTREAM = 'https://pypi.org/simple/'

/** Where people read about a project of the default upstream; devpi's `mirror_web_url_fmt` for root/pypi. */
export const DEFAULT_UPSTREAM_PAGES = `${new URL(DEFAULT_UPSTREAM).origin}/project/{name}/`

/** The predicate type of a publish attestation (PEP 740, as the default upstream's documentation defines it). */
export const PUBLISH_PREDICATE = `https://docs.${new URL(DEFAULT_UPSTREAM).hostname}/attestations/publish/v1`

export type SettingType = 'text' | 'path' | 'url' | 'integer' | 'flag' | 'list'

export interface Setting {
  /** In `airlock.toml`; also the name on the command line, with dashes. */
  readonly key: string
  readonly type: SettingType
  /** As a person would write it; absent where there is none. */
  readonly default?: string
  /** What stands for the value in help texts. */
  readonly value?: string
  readonly sentence: string
  /** Never shown: not in help, logs or `config show`. */
  readonly secret?: true
  /** What needs it besides a server that runs. Commands that do this take it as an option, by themselves: `settingsFor`. */
  readonly neededFor?: Exclude<Purpose, 'serving'>
  /** devpi-server has no such option: the shortened option names that its programs take never mean it. */
  readonly isOurs?: true
}

/** What a command does: run a server, work on a server folder, fill a new one, or make room on its mirrors. */
export type Purpose = 'serving' | 'folder' | 'filling' | 'room'

export const SETTINGS = [
  {
    key: 'serverdir',
    type: 'path',
    default: 'data',
    value: 'DIR',
    sentence: 'Folder that holds everything the server keeps',
    neededFor: 'folder',
  },
  { key: 'host', type: 'text', default: 'localhost', value: 'HOST', sentence: 'Name or address to listen on' },
  { key: 'port', type: 'integer', default: '3141', value: 'PORT', sentence: 'Port to listen on' },
  {
    key: 'listen',
    type: 'list',
    value: 'HOST:PORT',
    sentence: 'Address and port to listen on, instead of host and port; may be given more than once',
  },
  {
    key: 'workers',
    type: 'integer',
    default: '1',
    value: 'N',
    sentence: 'Threads that answer requests side by side, each on a core of its own; more than one only on Linux',
    isOurs: true,
  },
  {
    key: 'outside_url',
    type: 'url',
    value: 'URL',
    sentence: 'Address under which clients reach the server through a proxy; the header X-Outside-Url wins over it',
  },
  {
    key: 'allowed_hosts',
    type: 'list',
    value: 'HOSTS',
    sentence:
      'Hosts that requests may name (index.example.org, *.example.org), besides localhost, this machine’s addresses and outside_url; others are answered with 421. Without it any host may be named',
    isOurs: true,
  },
  {
    key: 'offline_mode',
    type: 'flag',
    default: 'false',
    sentence: 'Never contact an upstream; mirrors show and serve only what is already here',
  },
  {
    key: 'mirror_cache_expiry',
    type: 'integer',
    default: '1800',
    value: 'SECONDS',
    sentence: 'Age in seconds after which a mirror asks upstream again, for mirrors that set none themselves',
  },
  {
    key: 'mirror_cache_size',
    type: 'text',
    default: 'unlimited',
    value: 'SIZE',
    sentence:
      'Room that the files of one mirror may take up (500MB, 20GiB), what was used longest ago goes first; for mirrors that set none themselves',
    neededFor: 'room',
    isOurs: true,
  },
  {
    key: 'mirror_cache_days',
    type: 'text',
    default: 'unlimited',
    value: 'DAYS',
    sentence: 'Days after its last use that the file of a mirror is kept, for mirrors that set none themselves',
    neededFor: 'room',
    isOurs: true,
  },
  {
    key: 'request_timeout',
    type: 'integer',
    default: '5',
    value: 'SECONDS',
    sentence: 'Seconds to wait for the first byte of an answer from upstream',
  },
  {
    key: 'max_request_body_size',
    type: 'integer',
    default: '10737418240',
    value: 'BYTES',
    sentence: 'Largest upload that is accepted, in bytes',
  },
  {
    key: 'absolute_urls',
    type: 'flag',
    default: 'false',
    sentence: 'Write absolute instead of relative links into simple pages',
  },
  {
    key: 'default_index',
    type: 'text',
    default: 'root/pypi',
    value: 'INDEX',
    sentence: 'Index that /simple/, /packages/, /pypi/NAME/json and /legacy/ stand for',
    isOurs: true,
  },
  {
    key: 'secretfile',
    type: 'path',
    value: 'FILE',
    sentence: 'File with the secret that signs login tokens; by default one inside the server folder',
  },
  {
    key: 'upstream',
    type: 'url',
    default: DEFAULT_UPSTREAM,
    value: 'URL',
    sentence: 'Simple index that root/pypi mirrors, used when the server folder is initialised',
    neededFor: 'filling',
    isOurs: true,
  },
  {
    key: 'no_root_pypi',
    type: 'flag',
    default: 'false',
    sentence: 'Do not create the mirror root/pypi when the server folder is initialised',
    neededFor: 'filling',
  },
  {
    key: 'root_passwd',
    type: 'text',
    default: '',
    value: 'PASSWORD',
    secret: true,
    sentence: 'Password of root, used when the server folder is initialised',
    neededFor: 'filling',
  },
  {
    key: 'root_passwd_hash',
    type: 'text',
    value: 'HASH',
    secret: true,
    sentence: 'The same as an argon2 hash ($argon2id$v=19$…), which wins over the password itself',
    neededFor: 'filling',
  },
  {
    key: 'unix_socket',
    type: 'path',
    value: 'PATH',
    sentence: 'Unix socket to listen on; alone where neither listen nor host and port are set, else besides them',
  },
  {
    key: 'unix_socket_perms',
    type: 'text',
    default: '600',
    value: 'MODE',
    sentence: 'Permissions of that socket, in octal digits',
  },
  {
    key: 'trusted_proxy',
    type: 'text',
    value: 'ADDRESS',
    sentence:
      'Proxy whose X-Forwarded-… headers are believed: an IP address, a network (10.0.0.0/8), localhost (a Unix socket too), or *',
  },
  {
    key: 'trusted_proxy_count',
    type: 'integer',
    default: '1',
    value: 'N',
    sentence: 'How many proxies stand in a row: so many of the last values of each of those headers are believed',
  },
  {
    key: 'trusted_proxy_headers',
    type: 'list',
    default: 'x-forwarded-for,x-forwarded-host,x-forwarded-port,x-forwarded-prefix,x-forwarded-proto',
    value: 'HEADERS',
    sentence: 'Headers of the trusted proxy that are believed; forwarded (RFC 7239) only by itself',
  },
  {
    key: 'remote_user_header',
    type: 'text',
    value: 'HEADER',
    sentence: 'Header in which the trusted proxy names the user whom it has logged in',
    isOurs: true,
  },
  {
    key: 'x_accel_redirect',
    type: 'text',
    value: 'PREFIX',
    sentence:
      'Internal location of nginx (/+blobs/) from which it sends files itself, for requests that it says so of; needs trusted_proxy or unix_socket',
    isOurs: true,
  },
  {
    key: 'no_sendfile',
    type: 'flag',
    default: 'false',
    sentence:
      'Read large files into memory to send them, where the system could send them from the file; for file systems whose sendfile cannot be relied on',
    isOurs: true,
  },
  {
    key: 'restrict_modify',
    type: 'list',
    value: 'USERS',
    sentence:
      'Only these users, and members of these :groups, may create and change users and indexes; root is to be named too',
  },
  {
    key: 'may_mirror',
    type: 'list',
    value: 'USERS',
    sentence:
      'Users, and members of these :groups, who may make mirrors and say of what, besides root; mirrors of users who are named here may be of this machine and of private networks. Without it those of restrict_modify, else nobody',
    isOurs: true,
  },
  {
    key: 'may_push_out',
    type: 'list',
    value: 'USERS',
    sentence:
      'Users, and members of these :groups, who may push releases to other servers, besides root; those who are named here to this machine and to private networks, too. Without it those of restrict_modify, else nobody',
    isOurs: true,
  },
  {
    key: 'outgoing_allow',
    type: 'list',
    value: 'HOSTS',
    sentence:
      'Hosts (files.example.org, *.example.org), addresses and networks (10.0.0.0/8) that every mirror, push and OIDC issuer may be at, though they are on this machine or in a private network',
    isOurs: true,
  },
  {
    key: 'oidc_audience',
    type: 'text',
    value: 'AUDIENCE',
    sentence:
      'Audience of the OIDC tokens that are accepted for Trusted Publishing; without it the host of outside_url, else airlock',
    isOurs: true,
  },
  {
    key: 'autocreate_users',
    type: 'flag',
    default: 'false',
    sentence: 'Create users who are known to what they log in with, but not yet here',
  },
  {
    key: 'sigstore_trusted_root',
    type: 'path',
    value: 'FILE',
    sentence:
      "File with Sigstore's trusted root (trusted_root.json) by which attestations are verified, in place of the public one that comes along",
    isOurs: true,
  },
  {
    key: 'upload_sessions',
    type: 'flag',
    default: 'false',
    sentence:
      'Take uploads by Upload 2.0 sessions (PEP 694) too; the standard is a draft, and the addresses and answers follow it as it changes',
    isOurs: true,
  },
  {
    key: 'log_level',
    type: 'text',
    default: 'info',
    value: 'LEVEL',
    sentence: 'Least severe log lines to write: error, warn, info or debug',
    isOurs: true,
  },
] as const satisfies readonly Setting[]

export type SettingKey = (typeof SETTINGS)[number]['key']

/** The settings that a command takes as options: a server all of them, other work on a folder those that it needs. */
export function settingsFor(purpose: Purpose): readonly SettingKey[] {
  const taken = (SETTINGS as readonly Setting[]).filter(
    ({ neededFor }) => purpose === 'serving' || neededFor === 'folder' || neededFor === purpose,
  )
  return taken.map(({ key }) => key as SettingKey)
}

/** `mirror_cache_expiry` → `--mirror-cache-expiry`. */
export function flagOf(setting: Pick<Setting, 'key'>): string {
  return `--${setting.key.replaceAll('_', '-')}`
}

/** The environment variables that set it, first one wins: ours, then devpi-server's. */
export function variablesOf(setting: Pick<Setting, 'key'>): readonly [string, string] {
  const name = setting.key.toUpperCase()
  return [`AIRLOCK_${name}`, `DEVPISERVER_${name}`]
}
