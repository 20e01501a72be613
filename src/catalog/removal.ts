/** Deletes files, releases and projects of an index, with the rows that depend on them. Their blobs stay until they are collected. */
import type { File, IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { compareVersions } from '../pep/version.ts'
import { deleteAttachments, listAttachments } from './attachments.ts'
import type { Writer } from './catalog.ts'
import { rememberDeleted } from './deleted-addresses.ts'
import { listFiles } from './files.ts'
import { describeProject, findProject, listReleases } from './projects.ts'

/**
 * The file with its test results. On a stage the last file of a release takes the release with it, unless
 * documentation is left, and the last release the project (devpi's rule).
 */
export async function deleteFile(writer: Writer, index: IndexRecord, file: File): Promise<void> {
  const attachments = await listAttachments(writer, index, file.project)
  await deleteAttachments(
    writer,
    attachments.filter((each) => each.ofFile?.id === file.id),
  )
  await dropFiles(writer, index, [file])
  const isHere = (each: { readonly version: string }) => each.version === file.version
  const isLast =
    !(await listFiles(writer, index, file.project)).some(isHere) &&
    !attachments.some((each) => each.kind === 'doczip' && isHere(each))
  if (isLast) await deleteRelease(writer, index, file.project, file.version)
}

/** With its files and attachments. The last release takes the project with it. `false` where there is none. */
export async function deleteRelease(
  writer: Writer,
  index: IndexRecord,
  project: ProjectName,
  version: string,
): Promise<boolean> {
  const isHere = (each: { readonly version: string }) => each.version === version
  const row = await findProject(writer, index, project)
  const releases = await listReleases(writer, index, project)
  const files = await listFiles(writer, index, project)
  if (row === undefined || !(releases.some(isHere) || files.some(isHere))) return false
  await deleteAttachments(writer, (await listAttachments(writer, index, project)).filter(isHere))
  await dropFiles(writer, index, files.filter(isHere))
  await writer.db.deleteFrom('releases').where('project_id', '=', row.id).where('version', '=', version).execute()
  writer.change({ what: 'release', how: 'deleted', index: index.name, project, version })
  const left = releases.filter((each) => !isHere(each))
  if (left.length === 0 && files.every(isHere)) {
    await dropProject(writer, index, project, row.id)
    return true
  }
  const latest = left.sort((a, b) => compareVersions(b.version, a.version))[0]
  if (latest !== undefined) await describeProject(writer, row.id, latest)
  return true
}

/** With all releases, files and attachments. `false` where there is none. */
export async function deleteProject(writer: Writer, index: IndexRecord, project: ProjectName): Promise<boolean> {
  const row = await findProject(writer, index, project)
  if (row === undefined) return false
  await deleteAttachments(writer, await listAttachments(writer, index, project))
  await dropFiles(writer, index, await listFiles(writer, index, project))
  await dropProject(writer, index, project, row.id)
  return true
}

async function dropFiles(writer: Writer, index: IndexRecord, files: readonly File[]): Promise<void> {
  if (index.options.type === 'stage') await rememberDeleted(writer, files)
  for (const file of files) {
    await writer.db.deleteFrom('files').where('id', '=', file.id).execute()
    writer.change({
      what: 'file',
      how: 'deleted',
      index: index.name,
      project: file.project,
      filename: file.filename,
    })
  }
}

async function dropProject(writer: Writer, index: IndexRecord, project: ProjectName, id: number): Promise<void> {
  await writer.db.deleteFrom('projects').where('id', '=', id).execute()
  writer.change({ what: 'project', how: 'deleted', index: index.name, project })
}
