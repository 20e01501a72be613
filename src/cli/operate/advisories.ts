/** `airlock advisories`: known vulnerabilities, brought in by hand from a dump of OSV, also beside a server that runs. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  advisoriesOf,
  countAdvisories,
  lastImport,
  removeAdvisories,
  removeAllAdvisories,
} from '../../catalog/advisories.ts'
import { type CliContext, CliExit } from '../../client/context.ts'
import { systemClock } from '../../lib/clock.ts'
import { Problem } from '../../model/errors.ts'
import { asProjectName } from '../../pep/name.ts'
import { fixedVersions } from '../../pep/osv-record.ts'
import { importAdvisories } from '../../transfer/osv/import-advisories.ts'
import type { OpenStores, ServerCommands } from '../server-commands.ts'
import { addSettingOptions, configOf } from '../setting-options.ts'
import { openExisting } from './maintain.ts'

interface Json {
  readonly json?: boolean
}

/** Records that cannot be used and are told one by one. */
const FAULTS_TOLD = 100

export function addAdvisoriesCommand(program: Command, context: CliContext, server: ServerCommands): void {
  const advisories = program.command('advisories').description('known vulnerabilities, from a dump of OSV')
  const print = (told: object, sentence: string, { json }: Json) =>
    context.stdout.write(`${json === true ? JSON.stringify(told) : sentence}\n`)

  const takesIn = advisories.command('import <path...>').description("take in OSV's zips, folders of records, records")
  addSettingOptions(takesIn, 'folder')
    .option('--json', 'print the counts as JSON')
    .addHelpText('after', '\nThe server may run. Exit code 1 when a record could not be used: the others are imported.')
    .action(async (paths: string[], options: Json, command: Command) => {
      const config = configOf(command, context)
      await using stores = await openExisting(server, config, false)
      let untold = -FAULTS_TOLD
      const onFault = (sentence: string) => {
        if (untold++ < 0) context.stderr.write(`${sentence}\n`)
      }
      const { catalog } = stores
      const found = paths.map((path) => resolve(context.cwd, path))
      const counts = await importAdvisories({ catalog, limits: config.limits, clock: systemClock }, found, onFault)
      if (untold > 0) context.stderr.write(`and ${untold} more\n`)
      const { imported, unchanged, others, faults } = counts
      const sentence = `imported ${imported}, unchanged ${unchanged}, about no Python package ${others}, unusable ${faults}`
      print(counts, sentence, options)
      if (faults > 0) throw new CliExit(1)
    })

  const lists = advisories.command('list [project]').description('count what is here; of a project, name it')
  addSettingOptions(lists, 'folder')
    .option('--json', 'print it as JSON')
    .action(async (project: string | undefined, options: Json, command: Command) => {
      await using stores = await openExisting(server, configOf(command, context), false)
      if (project === undefined) return await summarise(stores, (told, sentence) => print(told, sentence, options))
      const found = await ofProject(stores, project)
      if (options.json === true) context.stdout.write(`${JSON.stringify(found)}\n`)
      for (const { id, modified, withdrawn, fixed } of options.json === true ? [] : found) {
        const mended = fixed.length === 0 ? '' : `, fixed in ${fixed.join(', ')}`
        context.stdout.write(`${id}  changed ${modified.slice(0, 10)}${mended}${withdrawn ? ', withdrawn' : ''}\n`)
      }
    })

  const removes = advisories.command('remove [id...]').description('forget advisories; those of a later dump come back')
  addSettingOptions(removes, 'folder')
    .option('--all', 'delete all of them: queries then fail, because no advisories were imported')
    .action(async (ids: string[], options: { all?: boolean }, command: Command) => {
      if (ids.length > 0 === (options.all === true)) {
        throw new Problem('bad-request', 'Cannot remove advisories: name their ids, or all of them with --all')
      }
      await using stores = await openExisting(server, configOf(command, context), false)
      const removed = await stores.catalog.write((writer) =>
        options.all === true ? removeAllAdvisories(writer) : removeAdvisories(writer, ids),
      )
      context.stdout.write(`removed ${removed}\n`)
      if (removed < ids.length) throw new CliExit(1)
    })
}

async function summarise({ catalog }: OpenStores, print: (told: object, sentence: string) => void): Promise<void> {
  const [counts, completed] = await catalog.read((reader) => Promise.all([countAdvisories(reader), lastImport(reader)]))
  const { advisories, projects, withdrawn, newest } = counts
  const told = { advisories, projects, withdrawn, newest: newest ?? null, imported: completed ?? null }
  const last = completed === undefined ? 'no import was completed' : `last import ${completed}`
  const change = newest === undefined ? '' : `, newest change ${newest}`
  print(told, `${advisories} advisories about ${projects} projects, ${withdrawn} of them withdrawn${change}; ${last}`)
}

async function ofProject({ catalog }: OpenStores, name: string) {
  const project = asProjectName(name)
  const found = project === undefined ? [] : await catalog.read((reader) => advisoriesOf(reader, project))
  return found.map(({ id, modified, withdrawn, affected }) => ({
    id,
    modified,
    ...(withdrawn !== undefined && { withdrawn }),
    fixed: fixedVersions(affected),
  }))
}
