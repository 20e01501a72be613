/** Runs a client command for commander, and turns its failures into messages. */
import type { Command } from 'commander'
import { type CliContext, CliExit } from './context.ts'
import { UnusableFile } from './state-file.ts'
import { NoAnswer } from './terminal.ts'

/** A command: the context, its positional arguments, and all its options. */
type ClientCommand = (context: CliContext, ...rest: never[]) => Promise<void>

/** Makes commander actions of client commands. */
export function runCommand(context: CliContext): (command: ClientCommand) => (...args: unknown[]) => Promise<void> {
  return (command) =>
    async (...args) => {
      // commander gives the positional arguments, then the command's own options, then the command itself.
      const options = (args.at(-1) as Command).optsWithGlobals()
      try {
        await (command as (...all: unknown[]) => Promise<void>)(context, ...args.slice(0, -2), options)
      } catch (error) {
        if (error instanceof CliExit || !isForPeople(error)) throw error
        context.stderr.write(`${error.message}\n`)
        throw new CliExit(1)
      }
    }
}

/** Trouble with files, state and answers has a sentence; anything else is a defect and keeps its trace. */
function isForPeople(error: unknown): error is Error {
  if (error instanceof NoAnswer || error instanceof SyntaxError || error instanceof UnusableFile) return true
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
}
