/** `airlock cache`: shows the stored files of mirrors and their use, and deletes some of them. */
import type { Command } from 'commander'
import { indexAsWritten, listIndexes } from '../../catalog/accounts.ts'
import { holdings, largestProjects } from '../../catalog/mirror-uses.ts'
import type { CliContext } from '../../client/context.ts'
import type { Config } from '../../config/load.ts'
import { byteSize } from '../../lib/byte-size.ts'
import { systemClock } from '../../lib/clock.ts'
import { FileUses } from '../../mirrors/file-uses.ts'
import { boundsOf, MirrorRoom, type RoomBounds } from '../../mirrors/mirror-room.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import { type IndexRecord, isMirror, type MirrorRecord } from '../../model/records.ts'
import type { OpenStores, ServerCommands } from '../server-commands.ts'
import { addSettingOptions, configOf } from '../setting-options.ts'
import { openExisting } from './maintain.ts'

interface CacheOptions {
  readonly json?: boolean
  readonly evict?: boolean
}

/** Projects of one mirror that are told one by one. */
const PROJECTS_TOLD = 50

export function addCacheCommand(program: Command, context: CliContext, server: ServerCommands): void {
  const command = program.command('cache [index]')
  command.description('show what mirrors keep on disk; of one mirror its projects, the largest first')
  addSettingOptions(command, 'room')
    .option(
      '--evict',
      'delete files beyond the limits; only while the server is stopped (a running server does it by itself)',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nWith --evict, size and days given here hold for mirrors that set none themselves.' +
        '\nBeside a running server, set mirror_cache_size on the mirror: airlock index root/pypi mirror_cache_size=5GB',
    )
    .action(async (name: string | undefined, options: CacheOptions, action: Command) => {
      const config = configOf(action, context)
      await using stores = await openExisting(server, config, options.evict === true)
      const records = await mirrorsOf(stores, name)
      if (options.evict === true) await evict(context, stores, config, records, options)
      else if (name === undefined) await showMirrors(context, stores, config, records, options)
      else await showProjects(context, stores, records[0]!, options)
    })
}

async function mirrorsOf({ catalog }: OpenStores, name: string | undefined): Promise<MirrorRecord[]> {
  return await catalog.read(async (reader) => {
    if (name === undefined) return (await listIndexes(reader)).filter(isMirror)
    const record: IndexRecord | undefined = await indexAsWritten(reader, name)
    if (record === undefined) throw noSuchIndex(name)
    if (isMirror(record)) return [record]
    throw new Problem('bad-request', `Cannot show what ${name} keeps of upstream: it is a stage`, {
      hint: 'airlock cache without a name lists all mirrors',
    })
  })
}

async function showMirrors(
  context: CliContext,
  { catalog }: OpenStores,
  config: Config,
  records: readonly MirrorRecord[],
  { json }: CacheOptions,
): Promise<void> {
  const found = await catalog.read((reader) =>
    Promise.all(
      records.map(async (record) => ({
        index: record.name,
        ...(await holdings(reader, record)),
        limitBytes: boundsOf(record, defaults(config)).bytes ?? null,
        days: boundsOf(record, defaults(config)).days ?? null,
      })),
    ),
  )
  if (json === true) context.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0) context.stdout.write('there is no mirror\n')
  for (const { index, files, bytes, limitBytes, days } of json === true ? [] : found) {
    const limit = limitBytes === null ? 'without limit' : `of ${byteSize(limitBytes)}`
    const age = days === null ? '' : `, kept ${days} days`
    context.stdout.write(`${index}: ${files} files, ${byteSize(bytes)} ${limit}${age}\n`)
  }
}

async function showProjects(
  context: CliContext,
  { catalog }: OpenStores,
  record: MirrorRecord,
  { json }: CacheOptions,
): Promise<void> {
  const { all, projects } = await catalog.read(async (reader) => ({
    all: await holdings(reader, record),
    projects: await largestProjects(reader, record, PROJECTS_TOLD),
  }))
  const told = projects.map(({ usedMs, ...rest }) => ({ ...rest, used: new Date(usedMs).toISOString() }))
  if (json === true) {
    context.stdout.write(`${JSON.stringify({ index: record.name, ...all, projects: told }, null, 2)}\n`)
    return
  }
  context.stdout.write(`${record.name}: ${all.files} files, ${byteSize(all.bytes)}\n`)
  for (const { project, files, bytes, uses, used } of told) {
    const times = `used ${uses} times, last ${used.slice(0, 16).replace('T', ' ')}`
    context.stdout.write(`${byteSize(bytes).padStart(10)}  ${project}: ${files} files, ${times}\n`)
  }
}

async function evict(
  context: CliContext,
  { catalog, blobs }: OpenStores,
  config: Config,
  records: readonly MirrorRecord[],
  { json }: CacheOptions,
): Promise<void> {
  const warn = (message: string) => context.stderr.write(`${message}\n`)
  const onFailure = (error: unknown) => warn(String(error))
  await using uses = new FileUses({ catalog, limits: config.limits, clock: systemClock, onFailure })
  const sum = { files: 0, bytes: 0 }
  for (const record of records) {
    const bounds = boundsOf(record, defaults(config))
    const room = new MirrorRoom({ record, catalog, blobs, clock: systemClock, uses, bounds, warn })
    const { files, bytes } = await room.keepWithin({ age: true })
    sum.files += files
    sum.bytes += bytes
  }
  const said = json === true ? JSON.stringify(sum) : `let go ${sum.files} files, ${byteSize(sum.bytes)}`
  context.stdout.write(`${said}\n`)
}

function defaults(config: Config): RoomBounds {
  return {
    ...(config.mirrorCacheBytes !== undefined && { bytes: config.mirrorCacheBytes }),
    ...(config.mirrorCacheDays !== undefined && { days: config.mirrorCacheDays }),
  }
}
