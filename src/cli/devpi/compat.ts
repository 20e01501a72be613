/** devpi's server programs, with devpi's names and options, on top of the commands of `airlock`. */
import { Command } from 'commander'
import type { CliContext } from '../../client/context.ts'
import { Terminal } from '../../client/terminal.ts'
import type { Config } from '../../config/load.ts'
import { settingsFor } from '../../config/settings.ts'
import { keepSecretFile } from '../../folder/secret-file.ts'
import { DEVPI_VERSION } from '../../model/devpi-version.ts'
import { Problem } from '../../model/errors.ts'
import { DEVPI_OPTIONS, type DevpiOptionName } from '../devpi-options.ts'
import { checkFolder, initialise, setPassword } from '../operate/maintain.ts'
import { serve } from '../serve/serve.ts'
import { sharedMemory } from '../serve/shared-memory.ts'
import type { ServerCommands } from '../server-commands.ts'
import { writeServiceFiles } from '../templates/gen-config.ts'
import { devpiExport, devpiImport } from './compat-transfer.ts'
import { addProgramOptions, type DevpiProgram, programConfig } from './devpi-config.ts'

const STORAGE: readonly DevpiOptionName[] = ['storage', 'keyfs-cache-size']
type MakeProgram = (context: CliContext, server: ServerCommands) => Command

/** devpi's programs by name. */
export const DEVPI_PROGRAMS: Readonly<Record<string, MakeProgram>> = {
  'devpi-server': devpiServer,
  'devpi-init': devpiInit,
  'devpi-export': devpiExport,
  'devpi-import': devpiImport,
  'devpi-fsck': devpiFsck,
  'devpi-passwd': devpiPasswd,
  'devpi-gen-config': devpiGenConfig,
  'devpi-gen-secret': devpiGenSecret,
}

function devpiServer(context: CliContext, server: ServerCommands): Command {
  const takes = { settings: settingsFor('serving'), others: DEVPI_OPTIONS }
  const program = programOf('devpi-server', 'run the server', takes, context)
  program.option('--passwd <USER>', 'deprecated: set the password of a user; use devpi-passwd')
  return program.action(async ({ passwd }: { passwd?: string }) => {
    const config = programConfig(program, takes, context)
    if (passwd !== undefined) {
      context.stderr.write('devpi-server: --passwd is deprecated, use: devpi-passwd USER\n')
      return await setPassword(context, server, config, passwd)
    }
    const stores = await server.openStores(config, { initialise: false, alone: true, ...sharedMemory(config) })
    if (stores === undefined) {
      throw new Problem(
        'directory-not-ours',
        `The path '${config.serverDir}' contains no devpi-server data, use devpi-init to initialize.`,
      )
    }
    await serve(context, server, config, stores, context.stdout)
  })
}

function devpiInit(context: CliContext, server: ServerCommands): Command {
  const takes: DevpiProgram = {
    settings: settingsFor('filling'),
    others: ['role', 'primary-url', 'master-url', ...STORAGE],
  }
  const program = programOf('devpi-init', 'initialise a server folder', takes, context)
  return program.action(() => initialise(context, server, programConfig(program, takes, context)))
}

function devpiFsck(context: CliContext, server: ServerCommands): Command {
  const takes: DevpiProgram = { settings: settingsFor('folder'), others: STORAGE }
  const program = programOf('devpi-fsck', 'verify that everything recorded is there and right', takes, context)
  program.option('--checksum', 'check the hashes of all files, which is the default')
  program.option('--no-checksum', 'do not read the files to check their hashes')
  return program.action(async ({ checksum = true }: { checksum?: boolean }) => {
    await checkFolder(context, server, programConfig(program, takes, context), { hashes: checksum, json: false })
  })
}

function devpiPasswd(context: CliContext, server: ServerCommands): Command {
  const takes: DevpiProgram = { settings: settingsFor('folder'), others: STORAGE }
  const program = programOf('devpi-passwd', 'set the password of a user in the server folder', takes, context)
  return program
    .argument('[user]', 'the user whose password is set; asked for when absent')
    .action(async (said: string | undefined) => {
      const config = programConfig(program, takes, context)
      const terminal = new Terminal(context)
      const user = said ?? (await terminal.ask('User to set password for: ')).trim()
      if (user === '') throw new Problem('bad-request', 'Cannot set a password: no user name was given')
      await setPassword(context, server, config, user, terminal)
    })
}

function devpiGenConfig(context: CliContext): Command {
  const takes = { settings: settingsFor('serving'), others: DEVPI_OPTIONS }
  const about = 'write configuration files for process managers and web servers; takes what devpi-server takes'
  const program = programOf('devpi-gen-config', about, takes, context)
  return program.action(async () => {
    const config = programConfig(program, takes, context)
    const server = { program: 'compat/bin/devpi-server', words: [], command: program }
    await writeServiceFiles(context, config, server)
  })
}

function devpiGenSecret(context: CliContext): Command {
  const takes: DevpiProgram = {
    settings: ['secretfile'],
    others: ['argon2-memory-cost', 'argon2-parallelism', 'argon2-time-cost'],
  }
  const program = programOf(
    'devpi-gen-secret',
    'make a secret for --secretfile, or check the one there is',
    takes,
    context,
  )
  return program.action(async () => {
    const { secretFile }: Config = programConfig(program, takes, context)
    if (secretFile === undefined) {
      throw new Problem('setting-invalid', 'Cannot make a secret: say where with --secretfile FILE')
    }
    const { isNew } = await keepSecretFile(secretFile)
    context.stdout.write(
      `${isNew ? 'wrote a new secret to' : 'the secret is good, and its permissions are:'} ${secretFile}\n`,
    )
  })
}

function programOf(name: string, description: string, takes: DevpiProgram, context: CliContext): Command {
  const program = new Command(name).description(description).version(DEVPI_VERSION, '--version')
  return addProgramOptions(program, takes, context)
}
