import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { digestOf } from '../../lib/digest.ts'
import { blobStoreContract } from '../blob-store.contract.ts'
import { type Draft, writeBlob } from '../blob-store.ts'
import { FilesystemBlobs } from './filesystem.ts'

const SMALL_IN_MEMORY = {
  what: 'drafts-taking-room',
  why: 'a small draft becomes a file when it is committed',
} as const
const contract = (name: string, draftKeptBytes: number, lacks: Parameters<typeof blobStoreContract>[0]['lacks']) => ({
  name,
  lacks,
  open: async () => {
    const folder = await tempFolder()
    // Pieces smaller than what is read, so that reading takes several.
    const open = (clear: boolean) =>
      FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, draftKeptBytes, clear })
    return {
      store: await open(true),
      drafts: async () => (await readdir(join(folder.path, 'drafts'))).length,
      reopen: open,
      [Symbol.asyncDispose]: () => folder.remove(),
    }
  },
})
blobStoreContract(contract('FilesystemBlobs', 0, []))
blobStoreContract(contract('FilesystemBlobs with drafts that outgrow memory', 150, [SMALL_IN_MEMORY]))
blobStoreContract(contract('FilesystemBlobs with drafts in memory', 100_000, [SMALL_IN_MEMORY]))

test('FilesystemBlobs keeps a blob as a read-only file named by its sha256, for sha256sum to check', async () => {
  await using folder = await tempFolder()
  const store = await FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, clear: true })
  await writeBlob(store, [Buffer.from('x')], { limitBytes: 10 })
  const digest = digestOf('x')
  const found = await stat(join(folder.path, 'blobs', 'sha256', digest.slice(0, 2), digest))
  assert.equal(found.size, 1)
  assert.equal(found.mode & 0o777, 0o444)
})

test('FilesystemBlobs gives the whole of a draft until it outgrows memory', async () => {
  await using folder = await tempFolder()
  const store = await FilesystemBlobs.open({
    root: folder.path,
    readChunkBytes: 4096,
    draftKeptBytes: 10,
    clear: true,
  })
  await using draft = await store.draft({ limitBytes: 100 })
  for (const text of ['small', 'small']) await draft.append(Buffer.from(text))
  assert.equal(String(draft.whole()), 'smallsmall')
  await draft.append(Buffer.from('x'))
  assert.equal(draft.whole(), undefined)
})

test('FilesystemBlobs keeps so many drafts in memory, and takes the place of one that is done with', async () => {
  await using folder = await tempFolder()
  const store = await FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, draftKeptBytes: 10, clear: true })
  await using drafts = new AsyncDisposableStack()
  const drawn = async (bytes: number) => {
    const draft = drafts.use(await store.draft({ limitBytes: 100 }))
    await draft.append(Buffer.alloc(bytes))
    return draft
  }
  const kept: Draft[] = []
  for (;;) {
    const draft = await drawn(5)
    if (draft.whole() === undefined) break
    kept.push(draft)
    assert.ok(kept.length < 1000, 'all are kept')
  }
  await kept[0]!.append(Buffer.alloc(6))
  assert.notEqual((await drawn(5)).whole(), undefined)
  assert.equal((await drawn(5)).whole(), undefined)
  await kept[1]![Symbol.asyncDispose]()
  await kept[1]![Symbol.asyncDispose]()
  assert.notEqual((await drawn(5)).whole(), undefined)
  assert.equal((await drawn(5)).whole(), undefined)
})

test('FilesystemBlobs keeps several stores over one folder apart from each other’s drafts', async () => {
  await using folder = await tempFolder()
  const open = () => FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, clear: false })
  const [one, two] = [await open(), await open()]
  await using a = await one.draft({ limitBytes: 10 })
  await using b = await two.draft({ limitBytes: 10 })
  await a.append(Buffer.from('a'))
  await b.append(Buffer.from('b'))
  await Promise.all([a.commit(digestOf('a')), b.commit(digestOf('b'))])
  assert.equal((await Array.fromAsync(one.list())).length, 2)
})
