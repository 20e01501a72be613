/** The options of devpi's programs that are no settings here: each is judged, none is passed over in silence. */
import { type Command, Option } from 'commander'
import { Problem } from '../model/errors.ts'

/** An option as somebody gave it: on the command line, in the environment or in the file. */
export interface GivenOption {
  readonly value: unknown
  /** `--threads`, `DEVPISERVER_THREADS`, `devpi-server.yml: threads`. */
  readonly from: string
}

export type DevpiOptionName = (typeof OPTIONS)[number]['name']

interface DevpiOption {
  /** With dashes, as on the command line. */
  readonly name: string
  /** What stands for the value; absent for a flag. */
  readonly value?: string
  /** Why it changes nothing here. */
  readonly idle?: string
  /** Throws for what must not be passed over. Returns why the rest changes nothing; `undefined` where there is nothing to say. */
  readonly judge?: (value: string) => string | undefined
  readonly isHidden?: true
}

const NO_REPLICA = 'this server is no replica'
const OWN_SEARCH = 'the search is part of the catalog'
const OWN_DOCS = 'documentation stays in its archives'
const OWN_COSTS = 'no key is derived at start'
const DEBUGGING = 'it looks into what only devpi has inside'

const OPTIONS = [
  { name: 'role', value: 'ROLE', judge: judgeRole },
  { name: 'primary-url', value: 'URL', judge: refuseReplica },
  { name: 'master-url', value: 'URL', judge: refuseReplica },
  { name: 'storage', value: 'NAME', judge: judgeStorage },
  { name: 'ldap-config', value: 'FILE', judge: refuseLdap },
  { name: 'acl-mirror-index-create', value: 'USERS', judge: refuseMirrorAcl },
  { name: 'threads', value: 'N', idle: 'requests do not wait for threads here' },
  { name: 'connection-limit', value: 'N', idle: 'connections are not counted here' },
  { name: 'profile-requests', value: 'N', idle: 'there is no profiler inside' },
  { name: 'enable-core-metadata', idle: 'metadata files are always served' },
  { name: 'keyfs-cache-size', value: 'N', idle: 'the catalog needs no such cache' },
  { name: 'requests-only', idle: 'one process answers and does the work behind it' },
  { name: 'replica-file-search-path', value: 'PATH', idle: NO_REPLICA },
  { name: 'hard-links', idle: NO_REPLICA },
  { name: 'file-replication-threads', value: 'N', idle: NO_REPLICA },
  { name: 'file-replication-skip-indexes', value: 'INDEXES', idle: NO_REPLICA },
  { name: 'proxy-timeout', value: 'N', idle: NO_REPLICA },
  { name: 'no-replica-streaming', idle: NO_REPLICA },
  { name: 'theme', value: 'DIR', idle: 'the pages are not made from templates' },
  { name: 'debug-macros', idle: 'the pages are not made from templates' },
  { name: 'documentation-path', value: 'DIR', idle: OWN_DOCS },
  { name: 'keep-docs-packed', idle: OWN_DOCS },
  { name: 'indexer-backend', value: 'NAME', idle: OWN_SEARCH },
  { name: 'argon2-memory-cost', value: 'N', idle: OWN_COSTS, isHidden: true },
  { name: 'argon2-parallelism', value: 'N', idle: OWN_COSTS, isHidden: true },
  { name: 'argon2-time-cost', value: 'N', idle: OWN_COSTS, isHidden: true },
  { name: 'debug-keyfs', idle: DEBUGGING, isHidden: true },
  { name: 'debug-poke', idle: DEBUGGING, isHidden: true },
  { name: 'debug-signal', idle: DEBUGGING, isHidden: true },
  { name: 'debug-toolbar', idle: DEBUGGING, isHidden: true },
] as const satisfies readonly DevpiOption[]

/** Every one, as devpi-server takes them. */
export const DEVPI_OPTIONS: readonly DevpiOptionName[] = OPTIONS.map(({ name }) => name)

export function addDevpiOptions(command: Command, names: readonly DevpiOptionName[]): void {
  for (const each of OPTIONS as readonly DevpiOption[]) {
    if (!names.includes(each.name as DevpiOptionName)) continue
    const form = each.value === undefined ? `--${each.name}` : `--${each.name} <${each.value}>`
    const option = new Option(form, each.idle === undefined ? SENTENCES[each.name] : `no effect: ${each.idle}`)
    command.addOption(each.isHidden ? option.hideHelp() : option)
  }
}

/** One line for each option that was given and changes nothing. Throws `setting-invalid` for those that must not be ignored. */
export function judgeDevpiOptions(
  names: readonly DevpiOptionName[],
  given: (name: string) => GivenOption | undefined,
): string[] {
  const lines: string[] = []
  for (const option of OPTIONS as readonly DevpiOption[]) {
    const found = names.includes(option.name as DevpiOptionName) ? given(option.name) : undefined
    if (found === undefined || (option.value === undefined && !isTrue(found.value))) continue
    const why = option.judge === undefined ? option.idle : option.judge(nameOf(found.value))
    if (why !== undefined) lines.push(`${found.from} has no effect: ${why}`)
  }
  return lines
}

/** What devpi takes for true in the environment and in its file. */
export function isTrue(value: unknown): boolean {
  return /^(?:y|yes|t|true|on|1)$/i.test(String(value))
}

const SENTENCES: Readonly<Record<string, string>> = {
  role: 'only standalone and auto are known',
  'primary-url': 'refused: this server cannot be a replica',
  'master-url': 'refused: this server cannot be a replica',
  storage: 'only sqlite is known',
  'ldap-config': 'refused: users log in with passwords that are kept here',
  'acl-mirror-index-create': 'refused: the setting may_mirror says who may make mirrors',
}

/** A storage may be a mapping in the file, with its name in it. */
function nameOf(value: unknown): string {
  return String(typeof value === 'object' && value !== null && 'name' in value ? value.name : value)
}

function judgeRole(role: string): undefined {
  if (role === 'standalone' || role === 'auto') return undefined
  if (role === 'replica') return refuseReplica(role)
  const isPrimary = role === 'primary' || role === 'master'
  const why = isPrimary ? 'this server feeds no replicas' : 'this server knows standalone and auto'
  throw new Problem('setting-invalid', `Cannot take the role "${role}": ${why}`, {
    hint: 'leave the option away, or say --role standalone',
  })
}

function refuseReplica(_url: string): never {
  throw new Problem('setting-invalid', 'Cannot run as a replica: this server keeps packages of its own only', {
    hint: 'start it without --primary-url and --role, and create mirror indexes of the other server on it',
  })
}

function judgeStorage(storage: string): string | undefined {
  if (/^sqlite(?:_db_files)?(?::|$)/.test(storage)) return 'the catalog is SQLite, and files are files'
  throw new Problem(
    'setting-invalid',
    `Cannot use the storage "${storage.split(':')[0]}": the catalog here is SQLite`,
    {
      hint: 'leave the option away: everything is kept in the server folder',
    },
  )
}

function refuseLdap(_file: string): never {
  throw new Problem('setting-invalid', 'Cannot ask an LDAP server who may log in: passwords are kept here', {
    hint: 'leave the option away, or let a proxy log users in and name them with --remote-user-header',
  })
}

function refuseMirrorAcl(_users: string): never {
  throw new Problem('setting-invalid', 'Cannot restrict the creation of mirrors by itself', {
    hint: 'say who may make mirrors in the setting may_mirror',
  })
}
