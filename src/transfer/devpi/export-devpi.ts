/** Writes a devpi-export folder, version 2, as `devpi-import` of devpi-server 6 takes it. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { listIndexes, listUsers } from '../../catalog/accounts.ts'
import type { Reader } from '../../catalog/catalog.ts'
import { listGroups } from '../../catalog/groups.ts'
import { findProject } from '../../catalog/projects.ts'
import { renameDurably, syncFolder } from '../../lib/durable.ts'
import { DEVPI_VERSION } from '../../model/devpi-version.ts'
import { Problem } from '../../model/errors.ts'
import type { IndexRecord, User } from '../../model/records.ts'
import { DUMP_INDEX } from './devpi-dump.ts'
import type { DevpiExport, ExportCounts } from './devpi-export.ts'
import { FileExporter } from './export-files.ts'
import { eachProject, exportedReleases } from './exported-releases.ts'
import { NO_PASSWORD } from './import-accounts.ts'
import { JsonFile } from './json-file.ts'

/**
 * One reading of the catalog, so that the dump is of one moment even while the server runs. What was written is
 * removed again when the export fails. Throws `directory-in-use` for a folder with something in it.
 */
export async function exportDevpi(options: DevpiExport): Promise<ExportCounts> {
  const { catalog, folder } = options
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) {
    throw new Problem('directory-in-use', `export directory ${folder} must not exist or be empty`, {
      hint: 'name a new folder',
    })
  }
  try {
    return await catalog.read((reader) => writeDump(options, reader))
  } catch (error) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
    throw error
  }
}

async function writeDump(options: DevpiExport, reader: Reader): Promise<ExportCounts> {
  const { folder, tell, includeMirroredFiles } = options
  const counts: ExportCounts = { users: 0, indexes: 0, files: 0, bytes: 0 }
  const unfinished = join(folder, `${DUMP_INDEX}.part`)
  await using json = await JsonFile.create(unfinished)
  await json.begin('{')
  await json.begin('{', 'users')
  for (const user of await listUsers(reader)) {
    await json.add(exportedUser(user), user.name)
    counts.users++
  }
  await json.end()
  await json.begin('{', 'indexes')
  const files = new FileExporter(options, reader, counts)
  for (const index of await listIndexes(reader)) {
    tellSecrets(index, tell)
    await json.begin('{', index.name)
    await json.add(index.options, 'indexconfig')
    if (index.options.type === 'stage' || includeMirroredFiles) {
      await writeProjects(options, reader, json, index)
      await json.begin('[', 'files')
      await eachProject(reader, index, async (project) => {
        for await (const line of files.ofProject(index, project)) await json.add(line)
      })
      await json.end()
      await writeStatuses(options, reader, json, index)
    }
    await json.end()
    counts.indexes++
  }
  await json.end()
  await writeGroups(reader, json, tell)
  await json.add('2', 'dumpversion')
  await json.add(DEVPI_VERSION, 'devpi_server')
  await json.end()
  await json.finish()
  await renameDurably(unfinished, join(folder, DUMP_INDEX))
  await syncFolder(folder)
  return counts
}

async function writeProjects(options: DevpiExport, reader: Reader, json: JsonFile, index: IndexRecord): Promise<void> {
  await json.begin('{', 'projects')
  await eachProject(reader, index, async (project) => {
    options.stop?.throwIfAborted()
    await json.begin('{', project)
    for (const { version, metadata } of await exportedReleases(reader, index, project))
      await json.add(metadata, version)
    await json.end()
  })
  await json.end()
}

/** Of projects whose owner set one. Under a key that devpi passes over, and our own import reads. */
async function writeStatuses(options: DevpiExport, reader: Reader, json: JsonFile, index: IndexRecord): Promise<void> {
  let isBegun = false
  await eachProject(reader, index, async (project) => {
    const status = (await findProject(reader, index, project))?.status
    if (status === undefined) return
    options.tell(`${project} of ${index.name} is ${status.status}: devpi does not know that, and lets it be installed`)
    if (!isBegun) await json.begin('{', 'statuses')
    isBegun = true
    await json.add(status, project)
  })
  if (isBegun) await json.end()
}

function exportedUser(user: User): Record<string, unknown> {
  return {
    username: user.name,
    pwhash: user.passwordHash ?? NO_PASSWORD,
    created: user.created,
    ...(user.modified !== undefined && { modified: user.modified }),
    ...(user.email !== undefined && { email: user.email }),
    ...(user.title !== undefined && { title: user.title }),
    ...(user.description !== undefined && { description: user.description }),
    ...(user.customData !== undefined && { custom_data: user.customData }),
  }
}

/** Under a key that devpi passes over, and our own import reads. */
async function writeGroups(reader: Reader, json: JsonFile, tell: DevpiExport['tell']): Promise<void> {
  const groups = await listGroups(reader)
  if (groups.size === 0) return
  tell(`devpi has no groups of its own: ${[...groups.keys()].join(', ')} would come from a plugin there`)
  await json.add(Object.fromEntries(groups), 'groups')
}

function tellSecrets({ name, options }: IndexRecord, tell: DevpiExport['tell']): void {
  if (options.acl_pkg_read !== undefined) {
    tell(`acl_pkg_read of ${name} is written, and without a plugin devpi lets everybody read the index all the same`)
  }
  if (options.type !== 'mirror' || options.mirror_url === undefined) return
  if (new URL(options.mirror_url).password === '') return
  tell(`the mirror_url of ${name} carries a password: keep ${DUMP_INDEX} to yourself`)
}
