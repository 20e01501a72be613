/** The command line: `airlock COMMAND`, and under `compat` devpi's own programs with their options. */
import { Command, CommanderError } from 'commander'
import { Problem } from '../model/errors.ts'
import { addClientCommands, addClientOptions } from './client/client-commands.ts'
import { devpiInit, devpiServer } from './compat.ts'
import { type CliContext, CliExit } from './context.ts'
import { addMaintainCommands } from './maintain.ts'
import type { ServerCommands } from './server-commands.ts'

/** Runs one command and gives its exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function runCli(argv: readonly string[], context: CliContext, server: ServerCommands): Promise<number> {
  const program = argv[0] === 'compat' ? compatProgram(argv[1], context, server) : airlockProgram(context, server)
  const rest = argv[0] === 'compat' ? argv.slice(2) : argv
  prepare(program, context)
  try {
    await program.parseAsync([...rest], { from: 'user' })
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
  addClientCommands(program, context)
  return program
}

function compatProgram(name: string | undefined, context: CliContext, server: ServerCommands): Command {
  switch (name) {
    case 'devpi': {
      const program = addClientOptions(new Command('devpi').description("devpi's client commands"))
      addClientCommands(program.version(server.version), context)
      return program
    }
    case 'devpi-server':
      return devpiServer(context, server)
    case 'devpi-init':
      return devpiInit(context, server)
    default: {
      const program = new Command('airlock compat')
      program.action(() =>
        program.error(`error: unknown program '${name ?? ''}', use devpi, devpi-init or devpi-server`),
      )
      return program
    }
  }
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
