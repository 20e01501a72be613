/** `gen-config`: files with which process managers start this server and web servers stand before it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { CliContext } from '../../client/context.ts'
import type { Config } from '../../config/load.ts'
import { SETTINGS, type Setting } from '../../config/settings.ts'
import { DEVPI_OPTIONS } from '../devpi-options.ts'
import { nginxSite } from './nginx-template.ts'
import {
  crontab,
  launchdHowTo,
  launchdPlist,
  type ServiceFacts,
  supervisorConfig,
  supervisorProgram,
  systemdUnit,
  windowsHowTo,
} from './service-templates.ts'

/** How the server is started that the files are for. */
export interface StartedBy {
  /** Below the checkout. */
  readonly program: string
  /** What stands before the options. */
  readonly words: readonly string[]
  /** Its options, as they were given now. */
  readonly command: Command
}

const FOLDER = 'gen-config'

/** Writes `gen-config/` into the current folder and names each file on stdout; files of an earlier time are replaced. */
export async function writeServiceFiles(context: CliContext, config: Config, startedBy: StartedBy): Promise<void> {
  const facts: ServiceFacts = {
    program: fileURLToPath(new URL(`../../${startedBy.program}`, import.meta.url)),
    args: [...startedBy.words, ...optionsToKeep(startedBy.command, config, context)],
    user: userInfo().username,
    serverDir: config.serverDir,
  }
  const files: Readonly<Record<string, string>> = {
    crontab: crontab(facts),
    'net.devpi.plist': launchdPlist(facts),
    'launchd-macos.txt': launchdHowTo(),
    'nginx-devpi.conf': nginxSite(config, { isCaching: false, hostname: hostname() }),
    'nginx-devpi-caching.conf': nginxSite(config, { isCaching: true, hostname: hostname() }),
    'supervisor-devpi.conf': supervisorProgram(facts),
    'supervisord.conf': supervisorConfig(),
    'devpi.service': systemdUnit(facts),
    'windows-service.txt': windowsHowTo(facts),
  }
  await mkdir(join(context.cwd, FOLDER), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(context.cwd, FOLDER, name), text)
    context.stdout.write(`wrote ${join(FOLDER, name)}\n`)
  }
}

/** The options as given, paths made absolute, without those that have no effect and without secrets; the folder in any case. */
function optionsToKeep(command: Command, config: Config, context: CliContext): string[] {
  const kept = ['--serverdir', config.serverDir]
  for (const option of command.options) {
    const name = option.long?.slice(2) ?? ''
    const setting = (SETTINGS as readonly Setting[]).find(({ key }) => key === name.replaceAll('-', '_'))
    const isGiven = command.getOptionValueSource(option.attributeName()) === 'cli'
    const isIdle = (DEVPI_OPTIONS as readonly string[]).includes(name)
    if (!isGiven || isIdle || name === 'serverdir' || name === 'passwd' || setting?.secret === true) continue
    if (!option.required) {
      kept.push(`--${name}`)
      continue
    }
    const isPath = setting?.type === 'path' || ['configfile', 'config', 'logger-cfg'].includes(name)
    const value: unknown = command.getOptionValue(option.attributeName())
    for (const each of Array.isArray(value) ? value : [value]) {
      kept.push(`--${name}`, isPath ? resolve(context.cwd, String(each)) : String(each))
    }
  }
  return kept
}
