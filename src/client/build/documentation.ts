/** Documentation archives, which devpi keeps beside a release: `NAME-VERSION.doc.zip`. */
import { join } from 'node:path'
import { candidates } from '../../pep/filename.ts'
import type { Session } from '../session.ts'
import { pythonOf, runPython } from './program.ts'

export interface DocumentationName {
  readonly name: string
  /** Absent where the server is to take the latest version. */
  readonly version: string | undefined
  /** The name that the server is given. */
  readonly packedAs: string
  /** Whether it is packed in another way than as a zip. */
  readonly isForeign: boolean
}

/** A file's name as that of a documentation archive, in the forms that devpi's client knows; `undefined` for another name. */
export function documentationName(filename: string): DocumentationName | undefined {
  const [, stem, ending] = /^(.+)\.docs?\.(zip|tar\.gz|tgz)$/i.exec(filename) ?? []
  if (stem === undefined || ending === undefined) return undefined
  const [likeliest] = candidates(`${stem}.zip`)
  const name = likeliest?.project ?? stem
  const version = likeliest?.version
  const isForeign = ending.toLowerCase() !== 'zip'
  const canonical = version === undefined ? `${name}.doc.zip` : `${name}-${version}.doc.zip`
  return { name, version, packedAs: isForeign ? canonical : filename, isForeign }
}

/** Packs the folder `from` as the zip `archive`, its content at the top as devpi serves it. */
export async function packDocumentation(
  session: Session,
  python: string,
  from: string,
  archive: string,
): Promise<void> {
  const pack = "import shutil, sys; shutil.make_archive(sys.argv[2].removesuffix('.zip'), 'zip', sys.argv[1])"
  await runPython(session, python, pack, [from, archive])
}

/** Makes a zip of documentation that is packed in another way, in the folder `work`; gives its path. */
export async function repackDocumentation(
  session: Session,
  path: string,
  packedAs: string,
  work: string,
): Promise<string> {
  const folder = join(work, 'documentation')
  const python = pythonOf(session)
  const unpack = 'import shutil, sys; shutil.unpack_archive(sys.argv[1], sys.argv[2])'
  await runPython(session, python, unpack, [path, folder])
  const archive = join(work, packedAs)
  await packDocumentation(session, python, folder, archive)
  return archive
}
