/** The files of a release, fetched and unpacked for `devpi test`. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pythonOf, runPython } from '../build/program.ts'
import { withoutSecret } from '../client-url.ts'
import { withLogin } from '../installers/installer-env.ts'
import type { ReleaseLink } from '../release-links.ts'
import type { Session } from '../session.ts'

/** Python is there anyway, and its `data` filter keeps every member below the folder. */
const UNPACK = `
import sys, tarfile, zipfile
archive, folder = sys.argv[1:]
if archive.endswith('.zip'):
    zipfile.ZipFile(archive).extractall(folder)
else:
    with tarfile.open(archive) as members:
        members.extractall(folder, **({'filter': 'data'} if hasattr(tarfile, 'data_filter') else {}))
`

/** Fetches a file into `folder` and gives its path. Ends the command when it is not to be had, or not what the server said. */
export async function fetchFile(session: Session, link: ReleaseLink, folder: string): Promise<string> {
  const { out } = session
  const url = new URL(link.href)
  url.hash = ''
  const shown = withoutSecret(withLogin(session, url))
  const path = join(folder, safeName(link.basename))
  const hash = createHash('sha256')
  const save = (body: AsyncIterable<Uint8Array>) =>
    pipeline(
      body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(path),
    )
  const reply = await session.download({ method: 'GET', url }, save)
  if (reply.status !== 200) throw out.failure(`could not receive ${shown}: ${reply.status} ${reply.reason}`)
  const sha256 = hash.digest('hex')
  if (link.sha256 !== undefined && link.sha256 !== sha256) {
    throw out.failure(`Cannot use ${shown}: its sha256 is ${sha256}, and the server says ${link.sha256}`)
  }
  out.info(`received ${shown}`)
  return path
}

/** Unpacks an sdist and gives its one folder. Ends the command when it has none, or several. */
export async function unpackSdist(session: Session, archive: string, folder: string): Promise<string> {
  const { out } = session
  out.info(`unpacking ${archive} to ${folder}`)
  await mkdir(folder)
  await runPython(session, pythonOf(session), UNPACK, [archive, folder])
  const entries = await readdir(folder, { withFileTypes: true })
  const [only, ...others] = entries.filter((entry) => entry.isDirectory())
  if (only === undefined || others.length > 0) throw out.failure(`Couldn't find unpacked package in ${folder}`)
  return join(folder, only.name)
}

/** The name comes from the server and becomes a path here. */
function safeName(basename: string): string {
  return basename.replaceAll(/[/\\\0]/g, '_').replace(/^\.+/, '_')
}
