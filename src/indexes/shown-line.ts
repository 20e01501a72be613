/** Applies the gate to the stored lines of project lists, so that a line shows only what may be seen. */
import { findIndex } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import type { IndexName } from '../model/names.ts'
import type { ProjectName } from '../pep/name.ts'
import { compareVersions } from '../pep/version.ts'
import type { Gate } from './gate.ts'
import { heldFile } from './held.ts'

export interface ShownLine {
  readonly name: ProjectName
  /** That of the newest release. */
  readonly version?: string
  /** Of that release. */
  readonly summary?: string
}

/**
 * By what is held, as the line is: no upstream is asked. Where the newest release is hidden, the line tells the newest that
 * is not, without a summary. `undefined` where every file is hidden.
 */
export async function shownLine<Line extends ShownLine>(
  catalog: Catalog,
  gate: Gate,
  index: IndexName,
  line: Line,
): Promise<Line | undefined> {
  const files = await catalog.read(async (reader) => {
    const record = await findIndex(reader, index)
    return record === undefined ? [] : await listFiles(reader, record, line.name)
  })
  if (files.length === 0) return line
  const seen = files.filter((file) => gate.hides(index, line.name, heldFile(file)) === undefined)
  const versions = new Set(seen.map((file) => file.version))
  if (line.version === undefined || versions.has(line.version)) return versions.size === 0 ? undefined : line
  const [newest] = [...versions].sort((a, b) => compareVersions(b, a))
  const { summary: _hidden, ...rest } = line
  return newest === undefined ? undefined : ({ ...rest, version: newest } as Line)
}
