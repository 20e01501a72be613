/** The smallest index: what it was given, in memory. It counts what it is asked, and can be told to fail. */
import { isListedAt } from '../../src/indexes/asked-address.ts'
import type { IndexFile, IndexPage, Layer } from '../../src/indexes/package-index.ts'
import { fileAddress } from '../../src/model/file-address.ts'
import type { IndexName } from '../../src/model/names.ts'
import { packagesPath } from '../../src/model/packages-path.ts'
import { candidates } from '../../src/pep/filename.ts'
import { type ProjectName, projectName } from '../../src/pep/name.ts'
import type { BuiltFile } from '../builders/wheels.ts'

export interface FixedIndex<Kind extends Layer['kind'] = Layer['kind']> extends Layer {
  readonly kind: Kind
  /** Names of the projects asked for, in order. */
  readonly asked: readonly ProjectName[]
  /** From now on, every question is answered with this error; without one, well again. */
  fail(error?: Error): void
}

/** `projects` by name; one without files is a project that was only registered. */
export function fixedIndex<const Kind extends Layer['kind']>(
  kind: Kind,
  name: string,
  projects: Readonly<Record<string, readonly BuiltFile[]>>,
  more: Partial<IndexPage> = {},
): FixedIndex<Kind> {
  const held = new Map(Object.entries(projects).map(([project, files]) => [projectName(project), files]))
  const asked: ProjectName[] = []
  let failure: Error | undefined
  const answer = () => {
    if (failure !== undefined) throw failure
  }

  function page(project: ProjectName): IndexPage | undefined {
    const files = held.get(project)?.map((file) => listed(name as IndexName, file))
    if (files === undefined) return undefined
    const versions = [...new Set(files.map((file) => file.version))]
    return { index: name as IndexName, name: project, files, versions, ...more }
  }

  return {
    kind,
    name: name as IndexName,
    asked,
    fail: (error) => {
      failure = error
    },
    async *listed() {
      answer()
      const names = [...held.keys()].sort()
      if (names.length > 0) yield names.map((each) => ({ name: each, own: 1 }))
    },
    stamp: async (project) => (held.has(project) ? 1 : undefined),
    project: async (project) => {
      asked.push(project)
      answer()
      return page(project)
    },
    at: async (address, filename, { mayAnswer, admit } = {}) => {
      answer()
      for (const [project, files] of held) {
        const built = files.find((each) => each.filename === filename)
        if (built === undefined || (address.kind === 'listed' && address.project !== project)) continue
        const file = listed(name as IndexName, built)
        if (!isListedAt(file, address) || (await mayAnswer?.(project)) === false) continue
        await admit?.({ project, file })
        return { project, file, source: { from: 'memory', bytes: built.bytes, digest: built.sha256 } }
      }
      return undefined
    },
  }
}

function listed(index: IndexName, { filename, sha256, bytes }: BuiltFile): IndexFile {
  return {
    filename,
    url: fileAddress(index, sha256, filename),
    hashes: { sha256 },
    size: bytes.length,
    index,
    version: candidates(filename)[0]!.version,
    held: true,
    packagesPath: packagesPath({ sha256 })!,
  }
}
