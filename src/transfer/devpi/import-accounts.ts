/** Users, groups and indexes of a dump as they are kept here. */
import {
  changeIndex,
  createIndex,
  deleteIndex,
  findIndex,
  findUser,
  saveUser,
  userAsWritten,
} from '../../catalog/accounts.ts'
import type { Writer } from '../../catalog/catalog.ts'
import { saveGroup } from '../../catalog/groups.ts'
import { createdOptions, type IndexOptions, isIndexOption, updatedOptions } from '../../model/index-options.ts'
import { groupName, indexName, type UserName, userName } from '../../model/names.ts'
import type { User } from '../../model/records.ts'
import { renamed } from '../../model/renamed-options.ts'
import { asRecord } from './dump-values.ts'
import type { ImportReport } from './import-report.ts'

/** What a dump says of users and indexes, before any of it is looked at. */
export interface DumpHead {
  version: unknown
  readonly users: Map<string, unknown>
  readonly groups: Map<string, unknown>
  readonly indexes: Map<string, unknown>
}

export interface AccountChoices {
  readonly report: ImportReport
  /** Whether the hash of a password is of a form that can be checked here. */
  readonly isPasswordHash: (stored: string) => boolean
  /** Types of indexes to leave out. */
  readonly skipTypes: readonly string[]
  readonly hasRootPypi: boolean
}

export interface ImportedIndex {
  /** `user/index`. */
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
}

/** In devpi: no password is a hash that nothing was made from, for there a user without one has the empty password. */
export const NO_PASSWORD = `$argon2id$v=19$m=8,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
/** devpi's time for what has none. */
const EPOCH = '1970-01-01T00:00:00Z'
const USER_KEYS = [
  'username',
  'pwhash',
  'pwsalt',
  'created',
  'modified',
  'email',
  'title',
  'description',
  'custom_data',
]
/** What the server tells of a user, and a plugin's switch that is off: nothing is lost with them. */
const OF_NO_ACCOUNT = ['indexes']

/** Root is there already and keeps its password where the dump has none. */
export async function importUser(
  writer: Writer,
  { report, isPasswordHash }: AccountChoices,
  name: string,
  value: unknown,
): Promise<void> {
  await report.attempt(`user ${JSON.stringify(name)}`, async () => {
    const known = userName(name)
    const config = asRecord(value) ?? {}
    const before = await findUser(writer, known)
    const hash = passwordHashOf(known, config, { report, isPasswordHash }) ?? before?.passwordHash
    for (const key of Object.keys(config)) {
      if (USER_KEYS.includes(key) || OF_NO_ACCOUNT.includes(key)) continue
      report.leftOut(`user ${known}`, `users have no "${key}" here`)
    }
    const user: User = {
      name: known,
      created: timeOf(config.created) ?? before?.created ?? EPOCH,
      ...texts(known, config, report),
      ...(hash !== undefined && { passwordHash: hash }),
      ...(timeOf(config.modified) !== undefined && { modified: timeOf(config.modified)! }),
      ...(config.custom_data !== undefined && config.custom_data !== null && { customData: config.custom_data }),
    }
    await saveUser(writer, user, before === undefined ? 'created' : 'modified')
    report.counts.users++
  })
}

/** A group as our own exports carry it: a list of users. */
export async function importGroup(writer: Writer, report: ImportReport, name: string, value: unknown): Promise<void> {
  await report.attempt(`group ${JSON.stringify(name)}`, async () => {
    const group = groupName(name)
    const members: UserName[] = []
    for (const member of Array.isArray(value) ? value : []) {
      const user = await userAsWritten(writer, String(member))
      if (user !== undefined) members.push(user.name)
      else report.leftOut(`group ${group}`, `its member ${JSON.stringify(member)} is no user of the dump`)
    }
    await saveGroup(writer, group, members)
  })
}

/**
 * With its options, bases as they stand even where they lead nowhere. `false` for one that is left out on purpose.
 * root/pypi is there already: what the dump says is laid over it.
 */
export async function importIndex(
  writer: Writer,
  { report, skipTypes, hasRootPypi }: AccountChoices,
  name: string,
  value: unknown,
): Promise<boolean> {
  let isTaken = false
  await report.attempt(`index ${JSON.stringify(name)}`, async () => {
    const config = asRecord(value)
    if (config === undefined) throw new SyntaxError('Cannot import the index: the dump has no "indexconfig" of it')
    const parts = name.split('/')
    if (parts.length !== 2) throw new SyntaxError('Cannot import the index: its name is not written as user/index')
    const type = String(config.type ?? 'stage')
    if (skipTypes.includes(type)) return report.leftOut(`index ${name}`, `indexes of type "${type}" are to be skipped`)
    if (name === 'root/pypi' && !hasRootPypi) return report.leftOut(`index ${name}`, 'root/pypi is not wanted')
    const checked = indexName(parts[0]!, parts[1]!)
    const owner = await userAsWritten(writer, parts[0]!)
    if (owner === undefined) throw new SyntaxError(`Cannot import the index: the dump has no user "${parts[0]}"`)
    if (!['stage', 'mirror'].includes(String(renamed('type', type)[1]))) {
      throw new SyntaxError(`Unknown index type '${type}'. You can skip these with '--skip-import-type ${type}'.`)
    }
    const given = knownOptions(name, config, report)
    const before = await findIndex(writer, checked)
    const isSameType = before?.options.type === renamed('type', type)[1]
    const options = isSameType ? updatedOptions(before!.options, given) : createdOptions(owner.name, given)
    tellDropped(name, given, options, report)
    if (isSameType) await changeIndex(writer, before!, options)
    else {
      if (before !== undefined) await deleteIndex(writer, before)
      await createIndex(writer, checked, owner.name, options)
    }
    report.counts.indexes++
    isTaken = true
  })
  return isTaken
}

function passwordHashOf(
  name: string,
  { pwhash, pwsalt }: Readonly<Record<string, unknown>>,
  { report, isPasswordHash }: Pick<AccountChoices, 'report' | 'isPasswordHash'>,
): string | undefined {
  if (pwhash === undefined || pwhash === null || pwhash === '' || pwhash === NO_PASSWORD) return undefined
  const isOld = pwsalt !== undefined && pwsalt !== null && pwsalt !== ''
  if (typeof pwhash === 'string' && !isOld && isPasswordHash(pwhash)) return pwhash
  const form = isOld ? 'the salted form that devpi gave up' : 'a form that is not known here'
  report.changed(`user ${name}`, `has no password now: its hash is of ${form}; set one with: airlock passwd ${name}`)
  return undefined
}

function texts(name: string, config: Readonly<Record<string, unknown>>, report: ImportReport) {
  const found: { email?: string; title?: string; description?: string } = {}
  for (const key of ['email', 'title', 'description'] as const) {
    const value = config[key]
    if (value === undefined || value === null || value === '') continue
    if (typeof value === 'string') found[key] = value
    else report.leftOut(`user ${name}`, `its "${key}" is no text`)
  }
  return found
}

function timeOf(value: unknown): string | undefined {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined
}

/** The options that there are here, under today's names; devpi's own changes of older dumps included. */
function knownOptions(
  name: string,
  config: Readonly<Record<string, unknown>>,
  report: ImportReport,
): Record<string, unknown> {
  const { pypi_whitelist: oldWhitelist, ...rest } = config
  const given: Record<string, unknown> = rest
  if (oldWhitelist !== undefined) given.mirror_whitelist ??= oldWhitelist
  delete given.projects
  // A plugin's option that was never set (devpi drops it as well).
  if (!given.uploadtrigger_jenkins) delete given.uploadtrigger_jenkins
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === null) continue
    if (isIndexOption(key)) kept[key] = value
    else report.leftOut(`index ${name}`, `indexes have no option "${key}" here`)
  }
  const hasInheritance = Object.keys(kept).some((key) => renamed(key, '')[0] === 'mirror_whitelist_inheritance')
  if (renamed('type', config.type ?? 'stage')[1] === 'stage' && !hasInheritance) {
    // What the option's absence meant to the server that wrote the dump.
    kept.mirror_whitelist_inheritance = 'union'
    report.changed(`index ${name}`, 'mirror_whitelist_inheritance is union, as it was before there was a choice')
  }
  return kept
}

function tellDropped(
  name: string,
  given: Readonly<Record<string, unknown>>,
  options: IndexOptions,
  report: ImportReport,
): void {
  for (const [key, value] of Object.entries(given)) {
    const isEmpty = value === '' || (Array.isArray(value) && value.length === 0)
    if (isEmpty || Object.hasOwn(options, renamed(key, value)[0])) continue
    report.leftOut(`index ${name}`, `a ${options.type} has no option "${key}"`)
  }
}
