/** `devpi-export` and `devpi-import`, with devpi's options. */
import { Command } from 'commander'
import type { CliContext } from '../../client/context.ts'
import { settingsFor } from '../../config/settings.ts'
import { DEVPI_VERSION } from '../../model/devpi-version.ts'
import { isTrue } from '../devpi-options.ts'
import { addExportOptions, addImportOptions, exportFolder, importFolder } from '../operate/transfer.ts'
import type { ServerCommands } from '../server-commands.ts'
import { addProgramOptions, type DevpiProgram, givenOption, programConfig } from './devpi-config.ts'

export function devpiExport(context: CliContext, server: ServerCommands): Command {
  const takes: DevpiProgram = { settings: settingsFor('folder'), others: ['storage', 'keyfs-cache-size'] }
  const program = new Command('devpi-export').description('write everything a server keeps to a new folder')
  addExportOptions(addProgramOptions(program.version(DEVPI_VERSION, '--version'), takes, context))
  return program.argument('<directory>', 'where to; new or empty').action(async (folder: string) => {
    const config = programConfig(program, takes, context)
    await exportFolder(context, server, config, folder, {
      includeMirroredFiles: isOn(program, 'include-mirrored-files', context),
      hardLinks: isOn(program, 'hard-links', context),
    })
  })
}

export function devpiImport(context: CliContext, server: ServerCommands): Command {
  const takes: DevpiProgram = {
    settings: settingsFor('filling'),
    others: ['storage', 'keyfs-cache-size'],
  }
  const program = new Command('devpi-import').description('fill a new server folder from what devpi-export wrote')
  addImportOptions(addProgramOptions(program.version(DEVPI_VERSION, '--version'), takes, context))
    .option('--no-events', 'no effect: everything is done when the import ends')
    .option('--dry-run', 'read and check everything, and only say what would happen')
  return program.argument('<directory>', 'what devpi-export wrote').action(async (folder: string) => {
    const config = programConfig(program, takes, context)
    const types = givenOption(program, 'skip-import-type', context)?.value
    await importFolder(context, server, config, folder, {
      skipImportType: types === undefined ? [] : [types].flat().map(String),
      hardLinks: isOn(program, 'hard-links', context),
      dryRun: isOn(program, 'dry-run', context),
    })
  })
}

function isOn(program: Command, name: string, context: CliContext): boolean {
  return isTrue(givenOption(program, name, context)?.value)
}
