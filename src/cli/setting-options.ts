/** Turns the settings table into command-line options. */
import { type Command, Option } from 'commander'
import type { CliContext } from '../client/context.ts'
import { type Config, type ConfigSources, loadConfig } from '../config/load.ts'
import {
  flagOf,
  type Purpose,
  SETTINGS,
  type Setting,
  type SettingKey,
  settingsFor,
  variablesOf,
} from '../config/settings.ts'

/** Adds the options of the settings that the purpose needs, and `--config`. */
export function addSettingOptions(command: Command, purpose: Purpose): Command {
  for (const option of settingOptions(settingsFor(purpose), {}, 0)) command.addOption(option)
  return command.option('-c, --config <FILE>', 'read settings from this TOML file')
}

/** The options of those settings; `defaults` are the command's own, and `variable` which of the two names is told of. */
export function settingOptions(
  keys: readonly SettingKey[],
  defaults: NonNullable<ConfigSources['defaults']>,
  variable: 0 | 1,
): Option[] {
  return keys.map((key) => {
    const setting: Setting = SETTINGS.find((each) => each.key === key)!
    const flag = setting.type === 'flag' ? flagOf(setting) : `${flagOf(setting)} <${setting.value ?? 'VALUE'}>`
    const standing = defaults[key] ?? setting.default
    const hasShownDefault = standing !== undefined && standing !== '' && setting.type !== 'flag'
    const shown = hasShownDefault ? ` (default: ${standing})` : ''
    const option = new Option(flag, `${setting.sentence}${shown} [env: ${variablesOf(setting)[variable]}]`)
    if (setting.type === 'list')
      option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
    return option
  })
}

/** The configuration from the command's own flags, the environment and the file. Throws `setting-invalid`. */
export function configOf(command: Command, context: CliContext): Config {
  const { config } = command.opts<{ config?: string }>()
  const { env, cwd } = context
  return loadConfig({ flags: settingFlags(command), env, cwd, ...(config !== undefined && { file: config }) })
}

/** What the command line says of the settings, by key. */
export function settingFlags(command: Command): Record<string, unknown> {
  const options = command.opts<Record<string, unknown>>()
  const flags: Record<string, unknown> = {}
  for (const { key } of SETTINGS) {
    const name = key.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())
    // commander reads `--no-root-pypi` as rootPypi set to false.
    const value = key.startsWith('no_') ? negated(options, name) : options[name]
    if (value !== undefined) flags[key] = value
  }
  return flags
}

function negated(options: Record<string, unknown>, name: string): unknown {
  const positive = name.slice(2, 3).toLowerCase() + name.slice(3)
  return options[positive] === false ? true : undefined
}
