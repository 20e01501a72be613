/** Finds the source of a file that the page of a project lists. */
import type { FileSource, PackageIndex } from '../../src/indexes/package-index.ts'
import type { ProjectName } from '../../src/pep/name.ts'

/** `filename` may end in `.metadata`. `undefined` where the page lists no such file. */
export async function sourceIn(
  index: PackageIndex,
  project: ProjectName,
  filename: string,
): Promise<FileSource | undefined> {
  const found = await index.at({ kind: 'listed', project }, filename)
  return typeof found === 'object' ? found.source : undefined
}
