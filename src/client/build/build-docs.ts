/** Builds a project's documentation with Sphinx, packed as devpi keeps it, for `devpi upload --with-docs`. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../session.ts'
import { packDocumentation } from './documentation.ts'
import { findProgram, runPython, runToSuccess } from './program.ts'
import { workFolder } from './work-folder.ts'

export interface DocsBuild {
  readonly python: string
  /** The project's folder, or the copy of it to build in. */
  readonly source: string
  /** Where the archive goes. */
  readonly dist: string
  /** Whether the backend that knows name and version runs in an environment of its own. */
  readonly isolation: boolean
}

/** Prints what the backend says of the project; `build` is what builds its archives, too. */
const IDENTITY = `
import sys, build.util
metadata = build.util.project_wheel_metadata('.', isolated=sys.argv[1] == 'isolated')
print('identity', metadata['name'], metadata['version'])
`

/** Where devpi looks for Sphinx's `conf.py`, in its order. */
const PLACES = ['doc', 'doc/source', 'docs', 'docs/source', 'source', 'source/source']

/** The path of the archive, `NAME-VERSION.doc.zip`. Ends the command when there is nothing to build, or Sphinx fails. */
export async function buildDocs(session: Session, { python, source, dist, isolation }: DocsBuild): Promise<string> {
  const { out, activeVenv } = session
  const said = await runPython(session, python, IDENTITY, [isolation ? 'isolated' : 'here'], source)
  const [, name, version] = /^identity (\S+) (\S+)$/m.exec(said) ?? []
  if (name === undefined)
    throw out.failure(`Cannot build documentation: the backend told no name and version:\n${said}`)
  const place = PLACES.map((folder) => join(source, folder)).find((folder) => existsSync(join(folder, 'conf.py')))
  if (place === undefined) {
    throw out.failure("Cannot build documentation: there is no conf.py in doc, docs or source; run 'sphinx-quickstart'")
  }
  const names = ['sphinx-build']
  const sphinx = (activeVenv && findProgram(session, names, activeVenv)) || findProgram(session, names)
  if (sphinx === undefined) throw out.failure('command not found: sphinx-build')
  await using work = await workFolder(session, 'devpi-docs-')
  await runToSuccess(session, sphinx, ['-E', place, join(work.path, 'html')], { cwd: source })
  await mkdir(dist, { recursive: true })
  const archive = join(dist, `${name}-${version}.doc.zip`)
  await packDocumentation(session, python, join(work.path, 'html'), archive)
  return archive
}
