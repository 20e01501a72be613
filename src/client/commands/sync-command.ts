/** `airlock sync --warm FILE`: has a running server's mirrors fetch and keep what a requirements file or a lock names. */
import type { Command } from 'commander'
import type { Wanted } from '../../locks/wanted.ts'
import { readWanted } from '../../locks/wanted-file.ts'
import { beginSession } from '../begin-session.ts'
import { addClientOptions } from '../client-options.ts'
import { runCommand } from '../command-run.ts'
import { type CliContext, CliExit } from '../context.ts'
import type { GenericOptions, Session } from '../session.ts'
import { type Warmed, warm } from '../warm/warm.ts'

interface SyncOptions extends GenericOptions {
  readonly warm: readonly string[]
  readonly onlyWheels?: boolean
}

const HELP = `
FILE is a requirements file, or the lock of a tool: pylock.toml, uv.lock, poetry.lock, pdm.lock, Pipfile.lock.
Of each release that it pins, the files that it names are fetched, or all files where it names none.
Of a requirement without a version the newest that matches is taken. Dependencies are not looked for: give a lock,
or a requirements file that names them all. Environment markers are not weighed: what any machine needs is fetched.

Exit codes: 0 everything is held now, 1 something is missing (the report says what and why), 2 wrong usage.`

export function addSyncCommand(program: Command, context: CliContext): void {
  addClientOptions(program.command('sync').description('fill the mirrors of a running server'))
    .requiredOption('--warm <file...>', 'requirements files or locks; everything that they name is fetched and kept')
    .option('--index <index>', 'a mirror, or a stage with mirrors behind it (default: the index in use)')
    .option('--only-wheels', 'leave out sdists of releases that have wheels, unless the file names them')
    .addHelpText('after', HELP)
    .action(runCommand(context)(sync))
}

async function sync(context: CliContext, options: SyncOptions): Promise<void> {
  await using session = await beginSession(context, options)
  session.requireIndex()
  const read: Wanted[] = []
  for (const each of options.warm) read.push(await readWanted(session.path(each)))
  const wanted = {
    releases: read.flatMap((each) => each.releases),
    skipped: read.flatMap((each) => each.skipped),
  }
  const warmed = await warm(session, wanted, { onlyWheels: options.onlyWheels === true }).catch((error: unknown) => {
    if (context.stop?.aborted !== true) throw error
    throw session.out.failure('interrupted: fetched files stay; run the same command to continue')
  })
  if (options.json) session.out.json(warmed)
  else report(session, warmed)
  if (warmed.missing.length > 0) throw new CliExit(1)
}

function report({ out, options }: Session, { held, newest, missing, skipped }: Warmed): void {
  if (options.verbose) for (const { how, filename } of held) out.line(`${how}  ${filename}`)
  for (const { project, specifier, version } of newest) {
    out.line(`${project}${specifier}: took ${version}, the newest that matches`)
  }
  for (const { text, reason } of skipped) out.warn(`skipped ${text}: ${reason}`)
  for (const { project, version, filename, reason } of missing) {
    const what = filename ?? (version === undefined ? project : `${project}==${version}`)
    out.error(`missing ${what}: ${reason}`)
  }
  const bytes = held.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0)
  const releases = new Set(held.map(({ project, version }) => `${project} ${version}`)).size
  const present = held.filter(({ how }) => how === 'present').length
  out.info(
    `${held.length} files of ${releases} releases are held (${(bytes / 1e6).toFixed(1)} MB): ${held.length - present} fetched, ${present} there already, ${missing.length} missing`,
  )
}
