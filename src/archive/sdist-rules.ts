/** Rules for sdists, beyond being a sound archive (PEP 517, PEP 625, PEP 639, PEP 643). */

import { isStemOf } from '../pep/filename.ts'
import type { CoreMetadata } from '../pep/metadata.ts'
import type { ProjectName } from '../pep/name.ts'
import { quoted, type Rule } from './fault.ts'
import { licenceFiles } from './wheel-rules.ts'

export interface SeenSdist {
  /** As its filename says. */
  readonly project: ProjectName
  readonly version: string
  /** Of everything in it, folders included, without slashes at the end. */
  readonly paths: ReadonlySet<string>
  /** Where its PKG-INFO is: in the one folder, or without any. What is packed by hand may have none, and devpi takes it. */
  readonly infoPath: string
  readonly metadata?: CoreMetadata
}

const REBUILD = 'build it again: "python -m build --sdist" packs everything below one folder'

/** PKG-INFO itself is looked for where it is read. */
export const SDIST_RULES: readonly Rule<SeenSdist>[] = [
  {
    refuses: 'An sdist with more than one folder or file at its top',
    fix: REBUILD,
    isForm: true,
    fault: ({ paths, infoPath }) => {
      if (folderOf(infoPath) === '') return undefined
      const tops = [...new Set([...paths].map((path) => path.split('/')[0]!))]
      return tops.length > 1
        ? `it has more than one folder at its top: ${tops.slice(0, 3).map(quoted).join(', ')}`
        : undefined
    },
  },
  {
    refuses: 'An sdist whose folder is not called {name}-{version}, in any spelling',
    fix: REBUILD,
    isForm: true,
    fault: ({ infoPath, project, version }) => {
      const folder = folderOf(infoPath)
      if (folder === '' || isStemOf(folder, project, version)) return undefined
      return `its folder ${quoted(folder)} belongs to another release than its filename says`
    },
  },
  {
    refuses: 'A licence file that the metadata (2.4 and later) names and the sdist does not hold',
    fix: 'add the file, or take it out of "license-files"',
    isForm: true,
    fault: ({ paths, infoPath, metadata }) => {
      const top = infoPath.slice(0, -'PKG-INFO'.length)
      const missing = licenceFiles(metadata).find((path) => !paths.has(top + path))
      return missing && `it does not hold its licence file ${quoted(missing)}`
    },
  },
]

function folderOf(infoPath: string): string {
  return infoPath.split('/').slice(0, -1).join('/')
}
