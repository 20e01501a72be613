/**
 * The commands that work on a server folder: init, serve, passwd, check, gc, gen-config, config. What one command alone needs
 * is loaded when it runs, so that `serve` begins sooner and with less in memory.
 */
import type { Command } from 'commander'
import { userAsWritten } from '../../catalog/accounts.ts'
import { addClientOptions } from '../../client/client-options.ts'
import { runCommand } from '../../client/command-run.ts'
import type { passwd } from '../../client/commands/user.ts'
import { type CliContext, CliExit } from '../../client/context.ts'
import { Terminal } from '../../client/terminal.ts'
import { type Config, readSettings } from '../../config/load.ts'
import { SETTINGS, type Setting, type SettingKey } from '../../config/settings.ts'
import { systemClock } from '../../lib/clock.ts'
import { withoutUrlSecrets } from '../../lib/log.ts'
import { noSuchUser, Problem } from '../../model/errors.ts'
import { userName } from '../../model/names.ts'
import { serve } from '../serve/serve.ts'
import { sharedMemory } from '../serve/shared-memory.ts'
import type { OpenStores, ServerCommands } from '../server-commands.ts'
import { addSettingOptions, configOf, settingFlags } from '../setting-options.ts'

/** Those of them that are no command of the client besides. */
export const MAINTAIN_COMMANDS: readonly string[] = ['init', 'serve', 'check', 'gc', 'gen-config', 'config']

export function addMaintainCommands(program: Command, context: CliContext, server: ServerCommands): void {
  addSettingOptions(program.command('init').description('prepare a folder for a server'), 'filling').action(
    async (_options, command: Command) => initialise(context, server, configOf(command, context)),
  )

  addSettingOptions(
    program.command('serve').description('run the server, preparing its folder where needed'),
    'serving',
  ).action(async (_options, command: Command) => {
    const config = configOf(command, context)
    const stores = await server.openStores(config, { initialise: true, alone: true, ...sharedMemory(config) })
    await serve(context, server, config, stores!, context.stderr)
  })

  addSettingOptions(
    program.command('check').description('verify that everything recorded is there and right'),
    'folder',
  )
    .option('--no-hashes', 'do not read the blobs to check their hashes')
    .option('--json', 'print the report as JSON')
    .action(async (options: { hashes: boolean; json?: boolean }, command: Command) => {
      const { hashes, json = false } = options
      await checkFolder(context, server, configOf(command, context), { hashes, json })
    })

  addSettingOptions(
    program
      .command('gc')
      .description('delete blobs that nothing names any more; the server must be stopped, but for --dry-run'),
    'folder',
  )
    .option('--dry-run', 'only say what would be deleted')
    .option('--json', 'print the result as JSON')
    .action(async (options: { dryRun?: boolean; json?: boolean }, command: Command) => {
      const config = configOf(command, context)
      await using stores = await openExisting(server, config, options.dryRun !== true)
      const { blobGraceMs: graceMs } = config.limits
      const { collectGarbage } = await import('../../jobs/upkeep.ts')
      const result = await collectGarbage(stores.catalog, stores.blobs, {
        graceMs,
        clock: systemClock,
        dryRun: options.dryRun === true,
      })
      const said = options.dryRun ? 'would delete' : 'deleted'
      context.stdout.write(
        options.json ? `${JSON.stringify(result)}\n` : `${said} ${result.blobs} blobs, ${result.bytes} bytes\n`,
      )
    })

  const changePassword = runCommand(context)(async (...args: Parameters<typeof passwd>) =>
    (await import('../../client/commands/user.ts')).passwd(...args),
  )
  addClientOptions(addSettingOptions(program.command('passwd [user]').description('change a password'), 'folder'))
    .addHelpText(
      'after',
      '\nWith --serverdir the password is set directly in that folder: for root, or for a user who cannot log in.',
    )
    .action(async (user: string | undefined, options: { serverdir?: string }, command: Command) => {
      if (options.serverdir === undefined) return await changePassword(user, options, command)
      await setPassword(context, server, configOf(command, context), user ?? 'root')
    })

  const genConfig = program.command('gen-config')
  genConfig.description('write configuration files for process managers and web servers; takes what serve takes')
  addSettingOptions(genConfig, 'serving').action(async (_options, command: Command) => {
    const { writeServiceFiles } = await import('../templates/gen-config.ts')
    const starts = { program: 'bin/airlock', words: ['serve'], command }
    await writeServiceFiles(context, configOf(command, context), starts)
  })

  const config = program.command('config').description('look at the settings')
  addSettingOptions(
    config.command('show').description('print every setting and where it comes from'),
    'serving',
  ).action((_options, command: Command) => {
    configOf(command, context)
    const file = command.opts<{ config?: string }>().config
    const given = readSettings({
      flags: settingFlags(command),
      env: context.env,
      cwd: context.cwd,
      ...(file !== undefined && { file }),
    })
    for (const setting of SETTINGS as readonly Setting[]) {
      const found = given.get(setting.key as SettingKey)
      const value = setting.secret && found?.value ? '(secret)' : withoutUrlSecrets(String(found?.value ?? ''))
      context.stdout.write(`${setting.key} = ${value}  # ${found?.from ?? 'not set'}\n`)
    }
  })
}

/** Prints what `check` finds. Throws `CliExit` with 1 where something is wrong. */
export async function checkFolder(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  options: { readonly hashes: boolean; readonly json: boolean },
): Promise<void> {
  await using stores = await openExisting(server, config, false)
  const { check } = await import('../../jobs/upkeep.ts')
  const report = await check(stores.catalog, stores.blobs, { hashes: options.hashes })
  if (options.json) context.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else {
    for (const fault of report.faults) context.stdout.write(`${fault}\n`)
    const unnamed =
      report.unnamed === 0
        ? ''
        : `, ${report.unnamed} without a row (airlock gc removes them a day after they were written)`
    const verdict = report.faults.length === 0 ? 'clean' : `${report.faults.length} faults`
    context.stdout.write(`${verdict}: ${report.files} files, ${report.blobs} blobs, ${report.bytes} bytes${unnamed}\n`)
  }
  if (report.faults.length > 0) throw new CliExit(1)
}

/** Makes the folder ready. Throws when it is ready already: a second init is a mistake somebody should see. */
export async function initialise(context: CliContext, server: ServerCommands, config: Config): Promise<void> {
  const existing = await server.openStores(config, { initialise: false, alone: true })
  if (existing !== undefined) {
    await existing[Symbol.asyncDispose]()
    throw new Problem('directory-in-use', `Cannot initialise "${config.serverDir}": it holds a server's data already`, {
      hint: 'serve it, or choose another folder with --serverdir',
    })
  }
  await using _made = await server.openStores(config, { initialise: true, alone: true })
  context.stderr.write(`initialised ${config.serverDir}\n`)
}

/** Sets the password of a user directly in the server folder: for root, or for a user who cannot log in. */
export async function setPassword(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  name: string,
  terminal: Terminal = new Terminal(context),
): Promise<void> {
  await using stores = await openExisting(server, config, false)
  const known = await stores.catalog.read((reader) => userAsWritten(reader, name))
  if (known === undefined) throw noSuchUser(name)
  const password = await newPassword(terminal, name, (context.stdin as { isTTY?: boolean }).isTTY === true)
  await stores.users.modify({ name: userName('root'), groups: [] }, name, { password })
  context.stderr.write(`password of ${name} changed\n`)
}

/** Typed twice, as nobody sees it; a pipe says it once. */
async function newPassword(terminal: Terminal, name: string, isTyped: boolean): Promise<string> {
  const password = await terminal.askSecret(`new password for user ${name}: `)
  if (password === undefined)
    throw new Problem('bad-request', `Cannot set the password of ${name}: no password was given`)
  if (isTyped && (await terminal.askSecret(`the same again for user ${name}: `)) !== password)
    throw new Problem('bad-request', `Cannot set the password of ${name}: the two passwords differ`)
  return password
}

/** The stores of a folder that was initialised. Throws `directory-not-ours`, and with `alone` `directory-in-use`. */
export async function openExisting(server: ServerCommands, config: Config, alone: boolean): Promise<OpenStores> {
  const stores = await server.openStores(config, { initialise: false, alone })
  if (stores !== undefined) return stores
  throw new Problem('directory-not-ours', `Cannot open "${config.serverDir}": it holds no server's data`, {
    hint: 'name the folder with --serverdir, or prepare it with: airlock init',
  })
}
