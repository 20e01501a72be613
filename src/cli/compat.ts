/** `devpi-init` and `devpi-server`: devpi's own names and options for what `airlock init` and `airlock serve` do. */
import { join } from 'node:path'
import { Command } from 'commander'
import type { ConfigSources } from '../config/load.ts'
import type { SettingKey } from '../config/settings.ts'
import { Problem } from '../model/errors.ts'
import type { CliContext } from './context.ts'
import { initialise } from './maintain.ts'
import { serve } from './serve.ts'
import type { ServerCommands } from './server-commands.ts'
import { addSettingOptions, configOf } from './setting-options.ts'

/** What `devpi-server --version` of the version spoken here prints; devpi's client chooses its words by it. */
const SPOKEN_VERSION = '6.20.3'

const SERVER: readonly SettingKey[] = [
  'serverdir',
  'host',
  'port',
  'listen',
  'outside_url',
  'absolute_urls',
  'mirror_cache_expiry',
  'request_timeout',
  'offline_mode',
  'max_request_body_size',
  'secretfile',
  'no_root_pypi',
  'root_passwd',
]

export function devpiInit(context: CliContext, server: ServerCommands): Command {
  const program = new Command('devpi-init').description('initialise a server folder').version(SPOKEN_VERSION)
  addSettingOptions(program, ['serverdir', 'no_root_pypi', 'root_passwd', 'upstream'], defaultsOf(context))
  program.option('--role <ROLE>', 'only standalone and auto are known')
  return program.action(async (options: { role?: string }) => {
    checkRole(options.role)
    await initialise(context, server, configOf(program, context, defaultsOf(context)))
  })
}

export function devpiServer(context: CliContext, server: ServerCommands): Command {
  const program = new Command('devpi-server').description('run the server').version(SPOKEN_VERSION)
  addSettingOptions(program, SERVER, defaultsOf(context))
  program.option('--role <ROLE>', 'only standalone and auto are known')
  program.option('--debug', 'log more')
  program.option('--threads <N>', 'accepted for compatibility: requests do not wait for threads here')
  program.option('--connection-limit <N>', 'accepted for compatibility: connections are not counted here')
  return program.action(async (options: { role?: string }) => {
    checkRole(options.role)
    const config = configOf(program, context, defaultsOf(context))
    const stores = await server.openStores(config, { initialise: false, alone: true })
    if (stores === undefined) {
      throw new Problem(
        'directory-not-ours',
        `The path '${config.serverDir}' contains no devpi-server data, use devpi-init to initialize.`,
      )
    }
    await serve(context, server, config, stores, context.stdout)
  })
}

/** devpi's default folder. */
function defaultsOf(context: CliContext): NonNullable<ConfigSources['defaults']> {
  return { serverdir: join(context.env.HOME ?? context.cwd, '.devpi', 'server') }
}

function checkRole(role: string | undefined): void {
  if (role === undefined || role === 'standalone' || role === 'auto') return
  throw new Problem('setting-invalid', `Cannot take the role "${role}": this server knows standalone and auto`)
}
