/**
 * Fills an index of a server folder with made-up projects, past HTTP and straight into the catalog, to see how the server
 * bears with so many: `bin/with-node scripts/million.ts --serverdir DIR [--files N] [--index USER/NAME]`.
 *
 * The server must not run, and its folder must be initialised. All files are one wheel under many names; a later call adds more.
 */
import { parseArgs } from 'node:util'
import { writeBlob } from '../src/blob/blob-store.ts'
import { FilesystemBlobs } from '../src/blob/files/filesystem.ts'
import { createIndex, findUser, indexAsWritten, saveUser } from '../src/catalog/accounts.ts'
import type { Writer } from '../src/catalog/catalog.ts'
import { type NewFile, saveFile } from '../src/catalog/files.ts'
import { saveRelease } from '../src/catalog/projects.ts'
import { SqliteCatalog } from '../src/catalog/sqlite/sqlite.ts'
import { ServerFolder } from '../src/folder/server-folder.ts'
import { digestOf } from '../src/lib/digest.ts'
import { createdOptions } from '../src/model/index-options.ts'
import { LIMITS } from '../src/model/limits.ts'
import { indexName, userName } from '../src/model/names.ts'
import type { IndexRecord } from '../src/model/records.ts'
import { projectName } from '../src/pep/name.ts'
import { wheel } from '../test/builders/wheels.ts'

const TAGS = ['cp312-cp312-manylinux_2_28_x86_64', 'cp313-cp313-manylinux_2_28_x86_64', 'cp314-cp314-win_amd64']
const RELEASES_PER_PROJECT = 4
const FILES_PER_PROJECT = RELEASES_PER_PROJECT * TAGS.length
/** In one transaction. */
const PROJECTS_AT_ONCE = 500
const WORDS = ['array', 'binary', 'cache', 'date', 'event', 'format', 'graph', 'hash', 'image', 'json', 'kernel', 'log']

const { values } = parseArgs({
  options: {
    serverdir: { type: 'string' },
    files: { type: 'string', default: '1000000' },
    index: { type: 'string', default: 'bench/many' },
  },
})
if (values.serverdir === undefined) throw new Error('Cannot fill a catalog: say whose, with --serverdir')
await fill(values.serverdir, values.index, Number(values.files))

async function fill(serverDir: string, written: string, files: number): Promise<void> {
  const folder = new ServerFolder(serverDir)
  if ((await folder.identity()) === undefined)
    throw new Error(`Cannot fill "${serverDir}": it is no server folder; run "airlock init" first`)
  await using _lock = await folder.lock()
  const { readChunkBytes } = LIMITS
  const blobs = await FilesystemBlobs.open({ root: folder.root, readChunkBytes, clear: false })
  await using catalog = await SqliteCatalog.open({ path: folder.catalog, readers: 1, now: () => new Date() })
  const { bytes } = wheel({ name: 'many', version: '1.0' })
  const blob = await writeBlob(blobs, [bytes], { limitBytes: bytes.length })
  const index = await catalog.write((writer) => indexOf(writer, written))
  const projects = Math.ceil(files / FILES_PER_PROJECT)
  const started = performance.now()
  for (let from = 0; from < projects; from += PROJECTS_AT_ONCE) {
    const to = Math.min(projects, from + PROJECTS_AT_ONCE)
    await catalog.write(async (writer) => {
      for (let number = from; number < to; number++) {
        const most = Math.min(FILES_PER_PROJECT, files - number * FILES_PER_PROJECT)
        await addProject(writer, index, number, most, blob)
      }
    })
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    process.stderr.write(`${Math.min(files, to * FILES_PER_PROJECT)} files, ${seconds} s\n`)
  }
}

async function indexOf(writer: Writer, written: string): Promise<IndexRecord> {
  const [user = '', name = ''] = written.split('/')
  const owner = userName(user)
  if ((await findUser(writer, owner)) === undefined)
    await saveUser(writer, { name: owner, created: new Date().toISOString() }, 'created')
  if ((await indexAsWritten(writer, written)) === undefined)
    await createIndex(writer, indexName(user, name), owner, createdOptions(owner, { type: 'stage' }))
  return (await indexAsWritten(writer, written))!
}

async function addProject(
  writer: Writer,
  index: IndexRecord,
  number: number,
  files: number,
  { digest, sizeBytes }: Pick<NewFile, 'digest' | 'sizeBytes'>,
): Promise<void> {
  const word = (at: number) => WORDS[Math.floor(number / WORDS.length ** at) % WORDS.length]!
  const project = projectName(`${word(0)}-${word(1)}-${number}`)
  for (let at = 0; at < files; at++) {
    const version = `1.${Math.floor(at / TAGS.length)}`
    const filename = `${project.replaceAll('-', '_')}-${version}-${TAGS[at % TAGS.length]}.whl`
    const file: NewFile = {
      ...{ project, version, filename, digest, sizeBytes },
      uploadTime: new Date(Date.UTC(2026, 0, 1) + number * 1000 + at).toISOString(),
      addressHash: digestOf(filename),
      requiresPython: '>=3.9',
      log: [],
    }
    await saveFile(writer, index, file, 'uploaded')
    if (at % TAGS.length > 0) continue
    const summary = `A ${word(0)} for every ${word(1)}, number ${number}`
    await saveRelease(writer, index, { project, version, metadata: { name: project, version, summary } })
  }
}
