/** Reads the words of a project's latest documentation, so that the search finds the project by them. */

import { ArchiveError } from '../archive/read-metadata.ts'
import type { ZipMember } from '../archive/zip-members.ts'
import type { Documentation, ReleaseDocumentation } from '../browse/documentation.ts'
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { findProject } from '../catalog/projects.ts'
import { indexDocumentationForSearch } from '../catalog/search.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { IndexRecord, Job } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { HtmlText } from './html-text.ts'

interface Readers {
  readonly catalog: Catalog
  readonly documentation: Documentation
  readonly limits: Limits
}

/** Doing it twice is the same as once. A project that is gone, or has no documentation any more, is found by none. */
export async function indexDocumentation(
  readers: Readers,
  job: Extract<Job, { kind: 'index-documentation' }>,
): Promise<void> {
  const index = await readers.catalog.read((reader) => findIndex(reader, job.index))
  if (index === undefined) return
  const found = await latestDocumentation(readers, index, job.project)
  const text = found === undefined ? '' : await textOf(readers, found)
  await readers.catalog.write(async (writer) => {
    const project = await findProject(writer, index, job.project)
    if (project !== undefined) await indexDocumentationForSearch(writer, project.id, text)
  })
}

async function latestDocumentation(
  { documentation }: Readers,
  index: IndexRecord,
  project: ProjectName,
): Promise<ReleaseDocumentation | undefined> {
  try {
    return await documentation.find(index, project, 'latest', () => true)
  } catch (error) {
    // That is how it says that there is none.
    if (error instanceof Problem) return undefined
    throw error
  }
}

async function textOf({ documentation, limits }: Readers, { zip, members }: ReleaseDocumentation): Promise<string> {
  const pages = [...members.values()].filter(({ path }) => /\.html?$/i.test(path)).sort(byDepth)
  const texts: string[] = []
  let left = limits.documentationTextCharacters
  for (const page of pages.slice(0, limits.documentationPages)) {
    if (left <= 0) break
    const reader = new HtmlText(left)
    const range = { start: 0, end: Math.min(page.sizeBytes, limits.documentationPageBytes) }
    try {
      for await (const chunk of documentation.read(zip, page, range)) reader.write(chunk)
    } catch (error) {
      // What the page holds up to there is as good as any.
      if (!(error instanceof ArchiveError)) throw error
    }
    const text = reader.end()
    left -= text.length
    texts.push(text)
  }
  return texts.join('\n')
}

/** Those nearer to the root, where people begin to read, come first. */
function byDepth(a: ZipMember, b: ZipMember): number {
  return a.path.split('/').length - b.path.split('/').length || (a.path < b.path ? -1 : 1)
}
