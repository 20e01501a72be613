/** The options that all client commands share. */
import { type Command, InvalidArgumentError } from 'commander'

/**
 * The options of every client command. `devpi` takes them before the command as well: call this on its program too.
 * (Not on `airlock`'s: a program's options are found behind any command, and other commands have options of these names.)
 */
export function addClientOptions(command: Command): Command {
  return command
    .option('--debug', 'show more about requests')
    .option('-y, --yes', 'answer yes to questions')
    .option('-v, --verbose', 'show more; can be given more than once', counted)
    .option('--clientdir <dir>', 'folder for logins and other state (default: ~/.devpi/client)', folder)
    .option('--json', 'data as JSON on stdout, everything else on stderr')
}

function counted(_value: string, before: number | undefined): number {
  return (before ?? 0) + 1
}

function folder(value: string): string {
  if (value === '') throw new InvalidArgumentError('Name a folder.')
  return value
}
