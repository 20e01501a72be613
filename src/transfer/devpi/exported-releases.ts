/** The releases of an index as a dump lists them. */
import type { Reader } from '../../catalog/catalog.ts'
import { listFiles } from '../../catalog/files.ts'
import { listProjects, listReleases } from '../../catalog/projects.ts'
import type { File, IndexRecord, Release } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { compareVersions } from '../../pep/version.ts'

/** Names read at a time. */
const PROJECTS = 500

/** In order of name. */
export async function eachProject(
  reader: Reader,
  index: IndexRecord,
  take: (project: ProjectName) => Promise<void>,
): Promise<void> {
  for (let after = ''; ; ) {
    const rows = await listProjects(reader, index, after, PROJECTS)
    for (const row of rows) await take(row.name)
    if (rows.length < PROJECTS) return
    after = rows.at(-1)!.name
  }
}

/**
 * Of a stage what is registered, and what a file stands for that is not; of a mirror what devpi keeps of those: each
 * version that has a file here, whether it is yanked and for which Pythons it is. Oldest first.
 */
export async function exportedReleases(
  reader: Reader,
  index: IndexRecord,
  project: ProjectName,
): Promise<Pick<Release, 'version' | 'metadata'>[]> {
  const files = (await listFiles(reader, index, project)).filter((file) => file.version !== '')
  const found = new Map<string, Pick<Release, 'version' | 'metadata'>>()
  for (const file of files) found.set(file.version, { version: file.version, metadata: ofFile(index, project, file) })
  if (index.options.type === 'stage') {
    for (const { version, metadata } of await listReleases(reader, index, project)) {
      const own = Object.entries(metadata).filter(([key]) => !/^[+:]/.test(key))
      found.set(version, { version, metadata: { name: project, ...Object.fromEntries(own), version } })
    }
  }
  return [...found.values()].sort((a, b) => compareVersions(a.version, b.version))
}

function ofFile({ options }: IndexRecord, project: ProjectName, file: File): Release['metadata'] {
  const plain = { name: project, version: file.version }
  if (options.type === 'stage') return plain
  return {
    ...plain,
    ...(file.requiresPython !== undefined && { requires_python: file.requiresPython }),
    ...(file.yanked !== undefined && { yanked: file.yanked === true ? '' : file.yanked }),
  }
}
