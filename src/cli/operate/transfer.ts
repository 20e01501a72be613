/** The commands that carry everything from one server to another: `import` and `export`. */
import { access, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { Passwords } from '../../accounts/login/passwords.ts'
import { countHeld } from '../../catalog/file-totals.ts'
import { type CliContext, CliExit } from '../../client/context.ts'
import { progressBar } from '../../client/progress.ts'
import type { Config } from '../../config/load.ts'
import { ServerFolder } from '../../folder/server-folder.ts'
import { systemClock } from '../../lib/clock.ts'
import { isDiskFull, Problem } from '../../model/errors.ts'
import { DUMP_INDEX } from '../../transfer/devpi/devpi-dump.ts'
import type { ExportCounts } from '../../transfer/devpi/devpi-export.ts'
import { exportDevpi } from '../../transfer/devpi/export-devpi.ts'
import { forgetfulBlobs } from '../../transfer/devpi/forgetful-blobs.ts'
import { DUMP_READINGS, importDevpi } from '../../transfer/devpi/import-devpi.ts'
import { ImportReport, type Remark } from '../../transfer/devpi/import-report.ts'
import type { OpenStores, ServerCommands } from '../server-commands.ts'
import { addSettingOptions, configOf } from '../setting-options.ts'

export interface ImportOptions {
  readonly skipImportType?: readonly string[]
  readonly hardLinks?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

export interface DumpOptions {
  readonly includeMirroredFiles?: boolean
  readonly hardLinks?: boolean
  readonly json?: boolean
}

export function addTransferCommands(program: Command, context: CliContext, server: ServerCommands): void {
  const takesIn = program.command('import <DIR>').description('fill a new server folder from a devpi-export folder')
  addImportOptions(addSettingOptions(takesIn, 'filling'))
    .option('--dry-run', 'read and check everything, and only say what would happen')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExit code 1 when anything is wrong with the dump: nothing is imported then.')
    .action(async (folder: string, options: ImportOptions, command: Command) => {
      await importFolder(context, server, configOf(command, context), folder, options)
    })

  const givesOut = program
    .command('export <DIR>')
    .description('write everything to a new folder, in the form of devpi-export (--devpi)')
  addExportOptions(addSettingOptions(givesOut, 'folder'))
    .option('--devpi', 'in the form of devpi-export')
    .option('--json', 'print the counts as JSON')
    .action(async (folder: string, options: DumpOptions & { devpi?: boolean }, command: Command) => {
      if (options.devpi !== true) {
        throw new Problem('bad-request', 'Cannot export: the form was not chosen', { hint: 'add --devpi' })
      }
      await exportFolder(context, server, configOf(command, context), folder, options)
    })
}

export function addImportOptions(command: Command): Command {
  return command
    .option('--skip-import-type <TYPE>', 'leave out indexes of this type; may be given more than once', collected)
    .option('--hard-links', 'link files instead of copying them; the dump becomes read-only and must not change')
}

export function addExportOptions(command: Command): Command {
  return command
    .option('--include-mirrored-files', 'include the files of mirrors that are here')
    .option('--hard-links', 'link files instead of copying them; the dump must not be changed')
}

/**
 * All of the dump, or nothing: it is put together in the server folder's drafts and moved into place at the end.
 * Prints what was left out or changed. Throws `CliExit` with 1 where something is wrong with the dump.
 */
export async function importFolder(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  folder: string,
  options: ImportOptions,
): Promise<void> {
  const dump = resolve(context.cwd, folder)
  await requireDump(dump)
  const report = new ReportPrinter(context, options.json === true)
  const run = (serverDir: string) => fill(context, server, { ...config, serverDir }, dump, report.report, options)
  if (options.dryRun === true) {
    const draft = await mkdtemp(join(tmpdir(), 'airlock-dry-run-'))
    try {
      await run(draft)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  } else await intoPlace(context, new ServerFolder(config.serverDir), report.report, run)
  report.end(options.dryRun === true)
  if (report.report.remarks.error === 0) return
  const again = options.dryRun === true ? '' : '; --dry-run tells all that is wrong'
  context.stderr.write(`nothing was imported: the dump has errors${again}\n`)
  throw new CliExit(1)
}

/** Prints what devpi will not know, and how much was written. */
export async function exportFolder(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  folder: string,
  options: DumpOptions,
): Promise<void> {
  await using stores = await server.openStores(config, { initialise: false, alone: false })
  if (stores === undefined) {
    throw new Problem(
      'directory-not-ours',
      `The path '${config.serverDir}' contains no devpi-server data, use devpi-init to initialize.`,
    )
  }
  const { catalog, blobs } = stores
  const held = await catalog.read(countHeld)
  using progress = progressBar(context.stderr, 'exporting', held.bytes)
  const counts = await stoppable(context, 'export', () =>
    exportDevpi({
      catalog,
      blobs,
      folder: resolve(context.cwd, folder),
      includeMirroredFiles: options.includeMirroredFiles === true,
      onBytes: (bytes) => progress.at(bytes),
      tell: (sentence) => context.stderr.write(`${sentence}\n`),
      ...(options.hardLinks === true && blobs.files !== undefined && { link: blobs.files.linkTo }),
      ...(context.stop !== undefined && { stop: context.stop }),
    }),
  )
  const { users, indexes, files, bytes }: ExportCounts = counts
  const said = `exported ${users} users, ${indexes} indexes, ${files} files, ${bytes} bytes`
  context.stdout.write(options.json === true ? `${JSON.stringify(counts)}\n` : `${said} to ${folder}\n`)
}

async function fill(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  dump: string,
  report: ImportReport,
  options: ImportOptions,
): Promise<void> {
  await using stores: OpenStores = (await server.openStores(config, { initialise: true, alone: true }))!
  const { catalog, blobs } = stores
  const isDry = options.dryRun === true
  let bytesRead = 0
  using progress = progressBar(context.stderr, 'importing', (await stat(join(dump, DUMP_INDEX))).size * DUMP_READINGS)
  const filling = () =>
    importDevpi({
      folder: dump,
      catalog,
      blobs: isDry ? forgetfulBlobs : blobs,
      limits: config.limits,
      clock: systemClock,
      report,
      isPasswordHash: Passwords.isHash,
      skipTypes: options.skipImportType ?? [],
      hasRootPypi: config.hasRootPypi,
      goesOn: isDry,
      onRead: (bytes) => {
        bytesRead += bytes
        progress.at(bytesRead)
      },
      ...(options.hardLinks === true && !isDry && blobs.files !== undefined && { adopt: blobs.files.adopt }),
      ...(context.stop !== undefined && { stop: context.stop }),
    })
  // What is wrong with the dump as a whole is a line of the report as well.
  await stoppable(context, 'import', () => report.attempt(DUMP_INDEX, filling))
}

/** A folder that was made for it is removed again when nothing comes of it. */
async function intoPlace(
  context: CliContext,
  target: ServerFolder,
  report: ImportReport,
  run: (serverDir: string) => Promise<void>,
): Promise<void> {
  await target.refuseHeld()
  const isNew = !(await isThere(target.root))
  let isDone = false
  try {
    await using _lock = await target.lock()
    await mkdir(target.drafts, { recursive: true })
    const draft = new ServerFolder(await mkdtemp(join(target.drafts, 'import-')))
    try {
      await run(draft.root)
      if (report.remarks.error === 0) {
        await target.takeOver(draft)
        isDone = true
        context.stderr.write(`imported into ${target.root}\n`)
      }
    } finally {
      await rm(draft.root, { recursive: true, force: true })
    }
  } finally {
    if (isNew && !isDone) await rm(target.root, { recursive: true, force: true })
  }
}

/** Writes each remark as it comes; as JSON they are a list that is closed in the end. */
class ReportPrinter {
  readonly report: ImportReport
  readonly #context: CliContext
  readonly #isJson: boolean
  /** What stands before the next remark; the report begins with the first, or with its end. */
  #separator = '{"remarks":['

  constructor(context: CliContext, isJson: boolean) {
    this.#context = context
    this.#isJson = isJson
    this.report = new ImportReport((remark) => this.#tell(remark))
  }

  end(isDry: boolean): void {
    const { counts, remarks } = this.report
    const isGood = remarks.error === 0
    if (this.#isJson) {
      const rest = JSON.stringify({ counts, totals: remarks, imported: isGood && !isDry, dryRun: isDry })
      const opening = this.#separator === ',' ? '' : this.#separator
      this.#context.stdout.write(`${opening}],${rest.slice(1)}\n`)
      return
    }
    const said = isGood ? (isDry ? 'would import' : 'imported') : 'read'
    const { users, indexes, releases, files, documentation, testResults, bytes } = counts
    this.#context.stdout.write(
      `${said} ${users} users, ${indexes} indexes, ${releases} releases, ${files} archives, ` +
        `${documentation} documentation archives, ${testResults} test results, ${bytes} bytes; ` +
        `${remarks['left out']} left out, ${remarks.changed} changed, ${remarks.error} errors\n`,
    )
  }

  #tell(remark: Remark): void {
    if (!this.#isJson) {
      this.#context.stdout.write(`${printable(`${remark.kind}: ${remark.entry}: ${remark.why}`)}\n`)
      return
    }
    this.#context.stdout.write(`${this.#separator}${JSON.stringify(remark)}`)
    this.#separator = ','
  }
}

/** A dump may name anything, and a terminal obeys some of it. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

async function stoppable<T>(context: CliContext, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isDiskFull(error)) {
      throw new Problem('disk-full', `Cannot ${what}: the disk is full`, {
        hint: 'free some space and start again; nothing was kept',
        cause: error,
      })
    }
    if (context.stop?.aborted !== true) throw error
    context.stderr.write(`${what} stopped, nothing of it is left\n`)
    throw new CliExit(1)
  }
}

async function requireDump(folder: string): Promise<void> {
  if (await isThere(join(folder, DUMP_INDEX))) return
  throw new Problem('file-invalid', `Cannot import "${folder}": there is no ${DUMP_INDEX} in it`, {
    hint: 'name a folder that devpi-export wrote',
  })
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function collected(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
