import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { fieldParts, multipart } from '../../test/builders/multipart.ts'
import { wheel } from '../../test/builders/wheels.ts'
import { MemoryBlobs } from '../../test/world/memory-blobs.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { unattested } from '../../test/world/unattested.ts'
import type { BlobInfo, Draft } from '../blob/blob-store.ts'
import { listFiles } from '../catalog/files.ts'
import { listReleases } from '../catalog/projects.ts'
import type { Digest } from '../lib/digest.ts'
import { may } from '../model/access.ts'
import type { Problem } from '../model/errors.ts'
import { LIMITS } from '../model/limits.ts'
import { userName } from '../model/names.ts'
import { projectName } from '../pep/name.ts'
import { publish } from './publish.ts'

/** Has room for so many calls that write, and then for none. */
class FullBlobs extends MemoryBlobs {
  #room: number

  constructor(room: number) {
    super()
    this.#room = room
  }

  override async draft(options: { readonly limitBytes: number }): Promise<Draft> {
    this.#take()
    const draft = await super.draft(options)
    const append = draft.append.bind(draft)
    const commit = draft.commit.bind(draft)
    return Object.assign(draft, {
      append: async (chunk: Uint8Array): Promise<void> => {
        this.#take()
        await append(chunk)
      },
      commit: async (expect?: Digest): Promise<BlobInfo> => {
        this.#take()
        return await commit(expect)
      },
    })
  }

  #take(): void {
    if (this.#room-- <= 0) throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' })
  }
}

test('publish() on a disk that fills at any step is refused as disk-full, and records nothing', async () => {
  const file = wheel({ name: 'acme', version: '1.0' })
  const acme = projectName('acme')
  let refused = 0
  for (let room = 0; ; room++) {
    await using stores = await openTempStores()
    const index = await stores.addStage('alice/dev')
    const blobs = new FullBlobs(room)
    const serial = stores.catalog.serial
    const { contentType, body } = multipart([
      ...fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' }),
      { name: 'content', filename: file.filename, content: file.bytes },
    ])
    const publisher = {
      catalog: stores.catalog,
      blobs,
      limits: LIMITS,
      clock: stores.clock,
      may,
      provenances: unattested,
    }
    const who = { name: userName('alice'), groups: [] }
    const outcome = await publish(publisher, who, index, { 'content-type': contentType }, Readable.from([body])).catch(
      (error: Problem) => error,
    )
    assert.equal(blobs.drafts, 0, `with room for ${room}`)
    if ('note' in outcome) break
    refused++
    assert.equal(outcome.code, 'disk-full', `with room for ${room}: ${outcome.message}`)
    assert.match(outcome.message, /the disk of the server folder is full/)
    assert.equal(stores.catalog.serial, serial)
    assert.deepEqual(await stores.catalog.read((reader) => listFiles(reader, index, acme)), [])
    assert.deepEqual(await stores.catalog.read((reader) => listReleases(reader, index, acme)), [])
    assert.ok(room < 100, 'the upload never fits')
  }
  // At least: the draft, its content, the metadata's draft, content and commit, and the file's commit.
  assert.ok(refused >= 6, `only ${refused} steps write`)
})
