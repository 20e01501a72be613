/** The command line: `airlock COMMAND`, and under `compat` devpi's own programs with their options. */
import { Command, CommanderError } from 'commander'
import { addClientOptions } from '../client/client-options.ts'
import { type CliContext, CliExit, EXIT_CODES } from '../client/context.ts'
import { Problem } from '../model/errors.ts'
import { addMaintainCommands, MAINTAIN_COMMANDS } from './operate/maintain.ts'
import type { ServerCommands } from './server-commands.ts'

/** Runs one command and gives its exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function runCli(argv: readonly string[], context: CliContext, server: ServerCommands): Promise<number> {
  const isCompat = argv[0] === 'compat'
  const made = isCompat ? compatProgram(argv[1], context, server) : airlockProgram(argv[0], context, server)
  const { program, isOfDevpi } = await made
  const said = isCompat ? argv.slice(2) : argv
  const rest = isOfDevpi ? (await import('./devpi/devpi-config.ts')).fullNames(program, said) : said
  prepare(program, context)
  try {
    if (program.name() === 'devpi' && (await showedVersion(context, server, rest))) return 0
    if (program.name() === 'devpi' && rest.length === 0) program.help()
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

/** Every program with all of its commands, for `docs/commands.md`. */
export async function allPrograms(context: CliContext, server: ServerCommands): Promise<readonly Command[]> {
  const { DEVPI_PROGRAMS } = await import('./devpi/compat.ts')
  const airlock = await airlockProgram(undefined, context, server)
  const others = ['devpi', ...Object.keys(DEVPI_PROGRAMS)].map((name) => compatProgram(name, context, server))
  return [airlock, ...(await Promise.all(others))].map(({ program }) => program)
}

interface Made {
  readonly program: Command
  /** One of devpi's server programs, which take the beginnings of their options' names. */
  readonly isOfDevpi: boolean
}

/** With all commands, unless it is clear that a command of the server itself is meant: loading the others takes longer than it. */
async function airlockProgram(asked: string | undefined, context: CliContext, server: ServerCommands): Promise<Made> {
  const program = new Command('airlock')
    .description('A Python package index for places that cannot or should not reach the public one')
    .version(server.version)
    .addHelpText('after', `\nExit codes: ${EXIT_CODES}.`)
  addMaintainCommands(program, context, server)
  if (asked !== undefined && MAINTAIN_COMMANDS.includes(asked)) return { program, isOfDevpi: false }
  const { addCacheCommand } = await import('./operate/cache.ts')
  addCacheCommand(program, context, server)
  const { addAdvisoriesCommand } = await import('./operate/advisories.ts')
  addAdvisoriesCommand(program, context, server)
  const { addTransferCommands } = await import('./operate/transfer.ts')
  addTransferCommands(program, context, server)
  const { addClientCommands } = await import('../client/commands/client-commands.ts')
  addClientCommands(program, context)
  const { addSyncCommand } = await import('../client/commands/sync-command.ts')
  addSyncCommand(program, context)
  return { program, isOfDevpi: false }
}

async function compatProgram(name: string | undefined, context: CliContext, server: ServerCommands): Promise<Made> {
  if (name === 'devpi') {
    const { addClientCommands } = await import('../client/commands/client-commands.ts')
    const program = addClientOptions(new Command('devpi').description("devpi's client commands"))
    addClientCommands(program.option('--version', 'show the versions of client and server'), context)
    return { program, isOfDevpi: false }
  }
  const { DEVPI_PROGRAMS } = await import('./devpi/compat.ts')
  const known = DEVPI_PROGRAMS[name ?? '']
  if (known !== undefined) return { program: known(context, server), isOfDevpi: true }
  const program = new Command('airlock compat')
  const names = ['devpi', ...Object.keys(DEVPI_PROGRAMS)].join(', ')
  program.action(() => program.error(`error: unknown program '${name ?? ''}', use one of ${names}`))
  return { program, isOfDevpi: false }
}

/** Whether `devpi` was asked for its version, and told it. */
async function showedVersion(context: CliContext, server: ServerCommands, words: readonly string[]): Promise<boolean> {
  const { showVersion, versionAsked } = await import('../client/commands/version.ts')
  const options = versionAsked(words)
  if (options !== undefined) await showVersion(context, server.version, options)
  return options !== undefined
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
