/** A catalog and blobs in a temp folder, and short ways to put things in them, for tests below the HTTP floor. */
import { join } from 'node:path'
import { FilesystemBlobs } from '../../src/blob/files/filesystem.ts'
import { createIndex, findUser, indexAsWritten, saveUser } from '../../src/catalog/accounts.ts'
import { saveFile } from '../../src/catalog/files.ts'
import { saveRelease } from '../../src/catalog/projects.ts'
import { SqliteCatalog } from '../../src/catalog/sqlite/sqlite.ts'
import { createdOptions } from '../../src/model/index-options.ts'
import { LIMITS } from '../../src/model/limits.ts'
import { indexName, userName } from '../../src/model/names.ts'
import type { File, IndexRecord, MirrorRecord, StageRecord } from '../../src/model/records.ts'
import { candidates } from '../../src/pep/filename.ts'
import { projectName } from '../../src/pep/name.ts'
import type { BuiltFile } from '../builders/wheels.ts'
import { tempFolder } from './temp-folder.ts'

export interface TempStores extends AsyncDisposable {
  readonly folder: string
  readonly catalog: SqliteCatalog
  readonly blobs: FilesystemBlobs
  readonly clock: HeldClock
  /** `user/index`; the user is made where it is missing. */
  addStage(name: string, options?: Readonly<Record<string, unknown>>): Promise<StageRecord>
  addMirror(name: string, options?: Readonly<Record<string, unknown>>): Promise<MirrorRecord>
  /** The bytes and the row, as an upload leaves them, without the metadata inside. */
  addFile(index: IndexRecord, file: BuiltFile, more?: Partial<File>): Promise<void>
  /** A release without files. */
  addRelease(index: IndexRecord, project: string, version: string, metadata?: Record<string, string>): Promise<void>
}

/** Time that stands still until it is told to go on. */
export interface HeldClock {
  now(): Date
  /** ms since 1970. */
  ms: number
}

export async function openTempStores(): Promise<TempStores> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const clock: HeldClock = { ms: Date.UTC(2026, 0, 2, 3, 4, 5), now: () => new Date(clock.ms) }
  const path = join(folder.path, 'catalog.db')
  const catalog = stack.use(await SqliteCatalog.open({ path, readers: 3, now: () => clock.now() }))
  const blobs = await FilesystemBlobs.open({ root: folder.path, readChunkBytes: LIMITS.readChunkBytes, clear: true })

  async function add(name: string, sent: Readonly<Record<string, unknown>>): Promise<IndexRecord> {
    const [user = '', index = ''] = name.split('/')
    return await catalog.write(async (writer) => {
      const owner = userName(user)
      if ((await findUser(writer, owner)) === undefined) {
        await saveUser(writer, { name: owner, created: '2026-01-01T00:00:00Z' }, 'created')
      }
      await createIndex(writer, indexName(user, index), owner, createdOptions(owner, sent))
      return (await indexAsWritten(writer, name))!
    })
  }

  const opened = stack.move()
  return {
    folder: folder.path,
    catalog,
    blobs,
    clock,
    addStage: async (name, options = {}) => (await add(name, options)) as StageRecord,
    addMirror: async (name, options = {}) => (await add(name, { type: 'mirror', ...options })) as MirrorRecord,
    addFile: async (index, file, more = {}) => {
      // Until its row is written, and not longer as with `writeBlob`.
      await using draft = await blobs.draft({ limitBytes: LIMITS.uploadBytes })
      await draft.append(file.bytes)
      const { digest, sizeBytes } = await draft.commit()
      const [found] = candidates(file.filename)
      const row = {
        project: found!.project,
        version: found!.version,
        filename: file.filename,
        digest,
        sizeBytes,
        uploadTime: '2026-01-01T00:00:00.000Z',
        addressHash: digest,
        log: [],
        ...more,
      }
      await catalog.write(async (writer) => {
        await saveFile(writer, index, row, 'uploaded')
        await saveRelease(writer, index, { project: row.project, version: row.version, metadata: {} })
      })
    },
    addRelease: async (index, project, version, metadata = {}) => {
      await catalog.write((writer) => saveRelease(writer, index, { project: projectName(project), version, metadata }))
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
