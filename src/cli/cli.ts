/** The command line: `airlock COMMAND`, and under `compat` devpi's own programs with their options. */
import { Command, CommanderError } from 'commander'
import { Problem } from '../model/errors.ts'
import { addAdvisoriesCommand } from './advisories.ts'
import { addCacheCommand } from './cache.ts'
import { addClientCommands, addClientOptions } from './client/client-commands.ts'
import { addSyncCommand } from './client/sync-command.ts'
import { showVersion, versionAsked } from './client/version.ts'
import { DEVPI_PROGRAMS } from './compat.ts'
import { type CliContext, CliExit } from './context.ts'
import { fullNames } from './devpi-config.ts'
import { addMaintainCommands } from './maintain.ts'
import type { ServerCommands } from './server-commands.ts'
import { addTransferCommands } from './transfer.ts'

/** Runs one command and gives its exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function runCli(argv: readonly string[], context: CliContext, server: ServerCommands): Promise<number> {
  const isCompat = argv[0] === 'compat'
  const program = isCompat ? compatProgram(argv[1], context, server) : airlockProgram(context, server)
  const said = isCompat ? argv.slice(2) : argv
  const rest = DEVPI_PROGRAMS[program.name()] === undefined ? said : fullNames(program, said)
  prepare(program, context)
  try {
    const versionOptions = program.name() === 'devpi' ? versionAsked(rest) : undefined
    if (versionOptions) await showVersion(context, server.version, versionOptions)
    else if (program.name() === 'devpi' && rest.length === 0) program.help()
    else await program.parseAsync([...rest], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CliExit) return error.code
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Problem)) throw error
    context.stderr.write(`${program.name()}: ${error.message}\n`)
    if (error.hint !== undefined) context.stderr.write(`hint: ${error.hint}\n`)
    return 1
  }
}

function airlockProgram(context: CliContext, server: ServerCommands): Command {
  const program = new Command('airlock')
    .description('A Python package index for places that cannot or should not reach the public one')
    .version(server.version)
    .addHelpText('after', '\nExit codes: 0 done, 1 refused or failed, 2 wrong usage.')
  addMaintainCommands(program, context, server)
  addCacheCommand(program, context, server)
  addAdvisoriesCommand(program, context, server)
  addTransferCommands(program, context, server)
  addClientCommands(program, context)
  addSyncCommand(program, context)
  return program
}

function compatProgram(name: string | undefined, context: CliContext, server: ServerCommands): Command {
  if (name === 'devpi') {
    const program = addClientOptions(new Command('devpi').description("devpi's client commands"))
    addClientCommands(program.option('--version', 'show the versions of client and server'), context)
    return program
  }
  const known = DEVPI_PROGRAMS[name ?? '']
  if (known !== undefined) return known(context, server)
  const program = new Command('airlock compat')
  const names = ['devpi', ...Object.keys(DEVPI_PROGRAMS)].join(', ')
  program.action(() => program.error(`error: unknown program '${name ?? ''}', use one of ${names}`))
  return program
}

/** No command may end the process or write past the context; that is `main.ts`'s. */
function prepare(command: Command, context: CliContext): void {
  command.exitOverride()
  command.configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
  })
  for (const each of command.commands) prepare(each, context)
}
