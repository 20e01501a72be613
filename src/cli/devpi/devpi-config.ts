/** The settings of devpi's programs: command line ▸ environment ▸ devpi's YAML file ▸ defaults, under devpi's names. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { parse } from 'yaml'
import type { CliContext } from '../../client/context.ts'
import { type DevpiFile, findDevpiFiles, readDevpiFile } from '../../config/devpi-file.ts'
import { type Config, type ConfigSources, loadConfig } from '../../config/load.ts'
import { flagOf, SETTINGS, type Setting, type SettingKey } from '../../config/settings.ts'
import { Problem } from '../../model/errors.ts'
import {
  addDevpiOptions,
  DEVPI_OPTIONS,
  type DevpiOptionName,
  type GivenOption,
  isTrue,
  judgeDevpiOptions,
} from '../devpi-options.ts'
import { settingFlags, settingOptions } from '../setting-options.ts'

/** What a program takes: settings of ours, and options of devpi that are none. */
export interface DevpiProgram {
  readonly settings: readonly SettingKey[]
  readonly others: readonly DevpiOptionName[]
}

/** Names that mean a setting of another name: devpi 7 says so, or an older devpi did. */
const RENAMED: Readonly<Record<string, SettingKey>> = { remote_refresh_delay: 'mirror_cache_expiry' }
/** Options that devpi's programs do not have. */
const OURS = (SETTINGS as readonly Setting[]).filter(({ isOurs }) => isOurs === true).map(flagOf)
/** In devpi's file and nothing to warn of: what these programs look at by themselves, and what import and export take. */
const ELSEWHERE = [
  'debug',
  'logger_cfg',
  'passwd',
  'include_mirrored_files',
  'skip_import_type',
  'no_events',
  'checksum',
]

export function addProgramOptions(command: Command, { settings, others }: DevpiProgram, context: CliContext): Command {
  for (const option of settingOptions(settings, defaultsOf(context), 1)) command.addOption(option)
  if (settings.includes('mirror_cache_expiry')) {
    command.option('--remote-refresh-delay <SECONDS>', 'the same as --mirror-cache-expiry')
  }
  command.option('-c, --configfile <FILE>', 'read settings from this YAML file, below its key devpi-server')
  command.option('--debug', 'log more').option('--logger-cfg <FILE>', "take the level of this file's root logger")
  addDevpiOptions(command, others)
  return command
}

/** Says on stderr what has no effect. Throws `setting-invalid`. */
export function programConfig(command: Command, { others }: DevpiProgram, context: CliContext): Config {
  const say = (line: string) => context.stderr.write(`${command.name()}: ${line}\n`)
  const file = chosenFile(command, context, say)
  const env = withRenamed(context.env)
  const given = (name: string) => lookUp(name, command, env, file)
  for (const line of judgeDevpiOptions(others, given)) say(line)
  const flags = settingFlags(command)
  const delay = command.opts<{ remoteRefreshDelay?: string }>().remoteRefreshDelay
  if (delay !== undefined) flags.mirror_cache_expiry ??= delay
  if (flags.log_level === undefined && env.AIRLOCK_LOG_LEVEL === undefined) {
    const level = isTrue(given('debug')?.value) ? 'debug' : levelOf(given('logger-cfg'), context.cwd)
    if (level !== undefined) flags.log_level = level
  }
  const sources: ConfigSources = {
    flags,
    env,
    cwd: context.cwd,
    defaults: defaultsOf(context),
    ...(file !== undefined && { devpiFile: file }),
  }
  refuseTwoPlaces(given)
  return loadConfig(sources)
}

/** An option that only this program has, from wherever it was given. */
export function givenOption(command: Command, name: string, context: CliContext): GivenOption | undefined {
  return lookUp(
    name,
    command,
    withRenamed(context.env),
    chosenFile(command, context, () => {}),
  )
}

/** Option names may be shortened while it is clear which is meant among devpi's own, as in devpi; and `-c=FILE` is `--configfile=FILE`. */
export function fullNames(command: Command, argv: readonly string[]): string[] {
  const known = [...command.options.flatMap(({ long }) => (long == null ? [] : [long])), '--help']
  const end = argv.indexOf('--')
  return argv.map((arg, at) => {
    if (end !== -1 && at >= end) return arg
    const [, name, rest] = /^(-c(?==)|--[a-z0-9-]+)(=.*)?$/s.exec(arg) ?? []
    if (name === undefined || known.includes(name)) return arg
    if (name === '-c') return `--configfile${rest}`
    const possible = known.filter((each) => each.startsWith(name))
    const meant = possible.length === 1 ? possible : possible.filter((each) => !OURS.includes(each))
    return meant.length === 1 ? `${meant[0]}${rest ?? ''}` : arg
  })
}

/** devpi's default folder, and whom it lets make mirrors and push to other servers. How near these may be is not its rule, but ours. */
function defaultsOf(context: CliContext): NonNullable<ConfigSources['defaults']> {
  return {
    serverdir: join(context.env.HOME ?? context.cwd, '.devpi', 'server'),
    may_mirror: ':AUTHENTICATED:',
    may_push_out: ':AUTHENTICATED:',
  }
}

function chosenFile(command: Command, context: CliContext, say: (line: string) => void): DevpiFile | undefined {
  const { configfile } = command.opts<{ configfile?: string }>()
  const found = configfile === undefined ? findDevpiFiles(context.env) : [resolve(context.cwd, configfile)]
  const path = found.at(-1)
  if (path === undefined) return undefined
  if (found.length > 1) say(`several configuration files are there, the last one counts: ${found.join(', ')}`)
  const file = readDevpiFile(path)
  const settings: readonly string[] = SETTINGS.map(({ key }) => key)
  const known = [...settings, ...DEVPI_OPTIONS.map(underscored), ...Object.keys(RENAMED), ...ELSEWHERE]
  for (const name of Object.keys(file.values)) {
    if (!known.includes(name)) say(`Unknown ${command.name()} option '${name.replaceAll('_', '-')}' in ${path}`)
  }
  const values: Record<string, unknown> = { ...file.values }
  for (const [name, key] of Object.entries(RENAMED)) if (name in values) values[key] ??= values[name]
  return { path, values }
}

/** devpi's older and newer names of variables under the ones that are read. */
function withRenamed(env: CliContext['env']): CliContext['env'] {
  const renamed: Record<string, string> = {}
  if (env.DEVPI_SERVERDIR !== undefined) renamed.DEVPISERVER_SERVERDIR = env.DEVPI_SERVERDIR
  for (const [name, key] of Object.entries(RENAMED)) {
    const value = env[variableOf(name)]
    if (value !== undefined) renamed[variableOf(key)] = value
  }
  return { ...renamed, ...env }
}

function lookUp(
  name: string,
  command: Command,
  env: CliContext['env'],
  file: DevpiFile | undefined,
): GivenOption | undefined {
  const option = command.options.find(({ long }) => long === `--${name}`)
  if (option !== undefined && command.getOptionValueSource(option.attributeName()) === 'cli') {
    const value: unknown = command.getOptionValue(option.attributeName())
    return { value: option.negate ? true : value, from: `--${name}` }
  }
  const variable = variableOf(underscored(name))
  if (env[variable]) return { value: env[variable], from: variable }
  const value = file?.values[underscored(name)]
  return value === undefined ? undefined : { value, from: `${file!.path}: ${name}` }
}

function refuseTwoPlaces(given: (name: string) => GivenOption | undefined): void {
  const listen = given('listen')
  const other = given('host') ?? given('port')
  if (listen === undefined || other === undefined) return
  throw new Problem('setting-invalid', `Cannot use both listen (${listen.from}) and host or port (${other.from})`, {
    hint: 'say every address with --listen HOST:PORT, or one with --host and --port',
  })
}

/** Of Python's logging configuration, YAML or JSON, the one thing that has a counterpart. Throws `setting-invalid`. */
function levelOf(given: GivenOption | undefined, cwd: string): string | undefined {
  if (given === undefined) return undefined
  const path = resolve(cwd, String(given.value))
  let read: { root?: { level?: unknown } } | null
  try {
    read = parse(readFileSync(path, 'utf8'), { maxAliasCount: 100 })
  } catch (error) {
    throw new Problem('setting-invalid', `Cannot read "${path}" (${given.from}): ${(error as Error).message}`, {
      cause: error,
    })
  }
  const level = String(read?.root?.level ?? '').toLowerCase()
  const meant = { debug: 'debug', info: 'info', warning: 'warn', warn: 'warn', error: 'error', critical: 'error' }
  return Object.entries(meant).find(([name]) => name === level)?.[1]
}

function underscored(name: string): string {
  return name.replaceAll('-', '_')
}

function variableOf(name: string): string {
  return `DEVPISERVER_${name.toUpperCase()}`
}
