/** `docs/commands.md`, from the commands as commander knows them. */
import { Readable, Writable } from 'node:stream'
import { Command } from 'commander'
import { allPrograms } from '../src/cli/cli.ts'
import type { ServerCommands } from '../src/cli/server-commands.ts'
import { addClientOptions } from '../src/client/client-options.ts'
import { type CliContext, EXIT_CODES } from '../src/client/context.ts'
import { flagOf, SETTINGS } from '../src/config/settings.ts'

const HEAD = `# Commands

Made by \`scripts/docs.ts\` from the programs themselves. Do not edit it by hand.

\`airlock\` is one program for the server and its client. \`devpi\` and the programs whose names begin with \`devpi-\` lie in \`compat/bin\`: they have devpi's
names and options, and do the same work. The server programs take shortened option names while it is clear which of devpi's options is meant.

Data goes to stdout, everything else to stderr. The exit codes are ${EXIT_CODES}; where a command's code says
more, it stands with the command.
An option that names a setting can also be set in the environment or in a file: [configuration.md](configuration.md).
Words in \`<>\` are required, those in \`[]\` may be left out, and \`...\` means that there may be several.
`

/** A program or command with its options, and the words with which it is called. */
export interface NamedCommand {
  readonly words: string
  readonly command: Command
}

/** The page as it has to be. */
export async function commandsPage(): Promise<string> {
  const all = await allCommands()
  const known = new Set(all.filter(({ words }) => words.startsWith('airlock ')).map(sectionOf))
  const isRepeated = (named: NamedCommand) => known.has(sectionOf(named).replaceAll('devpi ', 'airlock '))
  const repeated = all.filter(({ words }) => words.startsWith('devpi ')).filter(isRepeated)
  const sections = all.flatMap((named) => {
    if (repeated.includes(named)) return []
    return named.words === 'devpi' ? [sectionOf(named), sameAs(repeated)] : [sectionOf(named)]
  })
  return [HEAD, `## Options of client commands\n\n${listed(clientOptions())}`, ...sections].join('\n')
}

/** Every command of every program that does something, in the order of the help texts. */
export async function allCommands(): Promise<readonly NamedCommand[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const context: CliContext = {
    env: { HOME: '~' },
    cwd: '.',
    stdin: Readable.from([]),
    stdout: nowhere,
    stderr: nowhere,
  }
  // No command runs: of the server only its version is asked for.
  const programs = await allPrograms(context, { version: '0' } as ServerCommands)
  return programs.flatMap((program) => below(program, program.name()))
}

function below(command: Command, words: string): NamedCommand[] {
  const commands = command.commands.flatMap((each) => below(each, `${words} ${each.name()}`))
  return [{ words, command }, ...commands]
}

function sectionOf({ words, command }: NamedCommand): string {
  const help = command.createHelp()
  const isProgram = command.parent === null
  const usage = `${words} ${command.usage()}`
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  const flags = options.map(({ long }) => long)
  const ofClient = clientOptions().map(({ long }) => long)
  const ofSettings: readonly string[] = SETTINGS.map(flagOf)
  const hasClientOptions = ofClient.every((flag) => flags.includes(flag))
  const hasAllSettings = ofSettings.every((flag) => flags.includes(flag))
  const own = options.filter(({ long }) => {
    if (hasClientOptions && ofClient.includes(long)) return false
    return !(hasAllSettings && ofSettings.includes(long ?? ''))
  })
  const rows = [
    ...help.visibleArguments(command).map((each) => `* \`${each.name()}\`: ${help.argumentDescription(each)}\n`),
    ...(hasAllSettings ? ['* every setting as an option: [configuration.md](configuration.md)\n'] : []),
    listed(own),
    ...(hasClientOptions ? ['* the [options of client commands](#options-of-client-commands)\n'] : []),
  ].join('')
  const said = [command.description(), afterHelp(command)].filter((text) => text !== '')
  const parts = [`${isProgram ? '##' : '###'} ${words}\n`, ...said.map((text) => `${sentence(text)}\n`)]
  return [...parts, `\`\`\`\n${usage}\n\`\`\`\n`, ...(rows === '' ? [] : [rows])].join('\n')
}

/** Of `devpi`'s commands, those that `airlock` has word for word. */
function sameAs(commands: readonly NamedCommand[]): string {
  const names = commands.map(({ words }) => `\`${words.replace(/^devpi /, '')}\``)
  return `The same as with \`airlock\`: ${names.join(', ')}.\n`
}

function clientOptions() {
  return addClientOptions(new Command()).options
}

function listed(options: Command['options']): string {
  const help = new Command().createHelp()
  return options.map((each) => `* \`${help.optionTerm(each)}\`: ${help.optionDescription(each)}\n`).join('')
}

/** What a command's help says after its options. */
function afterHelp(command: Command): string {
  let shown = ''
  command.configureOutput({ writeOut: (text) => (shown += text) })
  command.outputHelp()
  return shown.slice(shown.indexOf(command.helpInformation()) + command.helpInformation().length).trim()
}

/** Upper case and a full stop, for what is half a sentence in a help text. */
function sentence(text: string): string {
  const begun = text.replace(/^(?!devpi)[a-z]/, (letter) => letter.toUpperCase())
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
