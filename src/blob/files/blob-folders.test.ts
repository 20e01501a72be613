import assert from 'node:assert/strict'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { digestOf } from '../../lib/digest.ts'
import { BlobMissing, writeBlob } from '../blob-store.ts'
import { BlobFolders } from './blob-folders.ts'
import { FilesystemBlobs } from './filesystem.ts'

test('BlobFolders makes a folder that is missing, once for all who ask at the same time', async () => {
  await using folder = await tempFolder()
  const folders = new BlobFolders(folder.path)
  const paths = await Promise.all(Array.from({ length: 5 }, () => folders.ready('ab')))
  assert.deepEqual([...new Set(paths)], [join(folder.path, 'ab')])
  assert.ok((await stat(paths[0]!)).isDirectory())
})

test('BlobFolders.sync() is done for each who asks, also while another sync runs, and tells each of its failure', async () => {
  await using folder = await tempFolder()
  const folders = new BlobFolders(folder.path)
  const path = await folders.ready('ab')
  await Promise.all(Array.from({ length: 20 }, () => folders.sync(path)))
  await rm(path, { recursive: true })
  const failed = await Promise.allSettled([folders.sync(path), folders.sync(path)])
  assert.deepEqual(
    failed.map((each) => each.status === 'rejected' && (each.reason as NodeJS.ErrnoException).code),
    ['ENOENT', 'ENOENT'],
  )
  folders.forget('ab')
  await folders.ready('ab')
  await folders.sync(path)
})

test('FilesystemBlobs makes a folder anew that somebody took away', async () => {
  await using folder = await tempFolder()
  const store = await FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, clear: true })
  const write = () => writeBlob(store, [Buffer.from('x')], { limitBytes: 10 })
  const digest = digestOf('x')
  await write()
  await rm(join(folder.path, 'blobs', 'sha256', digest.slice(0, 2)), { recursive: true })
  await assert.rejects(store.open(digest), BlobMissing)
  await write()
  assert.deepEqual(await readdir(join(folder.path, 'drafts')), [])
  assert.equal((await store.stat(digest))?.sizeBytes, 1)
})

test('FilesystemBlobs keeps a draft in memory while it is small, and gives the same bytes before and after it outgrows that', async () => {
  await using folder = await tempFolder()
  const store = await FilesystemBlobs.open({ root: folder.path, readChunkBytes: 3, draftKeptBytes: 8, clear: true })
  const read = async () => Buffer.concat(await Array.fromAsync(draft.read({ start: 1, end: 100 }))).toString()
  await using draft = await store.draft({ limitBytes: 100 })
  const chunk = Buffer.from('01234')
  await draft.append(chunk)
  chunk.fill('x')
  assert.deepEqual([await read(), await readdir(join(folder.path, 'drafts'))], ['1234', []])
  await draft.append(Buffer.from('567'))
  assert.equal(await read(), '1234567')
  await draft.append(Buffer.from('89'))
  assert.equal(await read(), '123456789')
  assert.equal((await readdir(join(folder.path, 'drafts'))).length, 1)
  assert.equal((await draft.commit()).digest, digestOf('0123456789'))
})
