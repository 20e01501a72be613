import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { BlobWork, BlobWorkDone } from '../../test/world/blob-worker.ts'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { digestOf } from '../lib/digest.ts'
import { blobStoreContract } from './blob-store.contract.ts'
import { FilesystemBlobs } from './files/filesystem.ts'
import { SharedHolds } from './shared-holds.ts'

blobStoreContract({
  name: 'FilesystemBlobs of one of several workers',
  lacks: [],
  open: async () => {
    const folder = await tempFolder()
    const holds = new SharedHolds(SharedHolds.memory(2), 1)
    const open = (clear: boolean) =>
      FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, draftKeptBytes: 0, clear, holds })
    return {
      store: await open(true),
      drafts: async () => (await readdir(join(folder.path, 'drafts'))).length,
      reopen: open,
      [Symbol.asyncDispose]: () => folder.remove(),
    }
  },
})

async function openTwo(root: string) {
  const memory = SharedHolds.memory(2)
  const open = (worker: number) =>
    FilesystemBlobs.open({ root, readChunkBytes: 4096, clear: false, holds: new SharedHolds(memory, worker) })
  return { memory, one: await open(0), two: await open(1) }
}

test('discard() in one worker leaves what another has committed and not named yet, until that worker is gone', async () => {
  await using folder = await tempFolder()
  const { memory, one, two } = await openTwo(folder.path)
  await using draft = await two.draft({ limitBytes: 10 })
  await draft.append(Buffer.from('x'))
  await draft.commit()
  assert.equal(await one.discard(digestOf('x'), async () => false), false)
  assert.ok(await one.stat(digestOf('x')))
  new SharedHolds(memory, 0).forget(1)
  assert.equal(await one.discard(digestOf('x'), async () => false), true)
})

test('what one worker commits while discard() decides in another is there afterwards', async () => {
  await using folder = await tempFolder()
  const { one, two } = await openTwo(folder.path)
  const digest = digestOf('x')
  const written = await one.draft({ limitBytes: 10 })
  await written.append(Buffer.from('x'))
  await written.commit()
  await written[Symbol.asyncDispose]()
  await using draft = await two.draft({ limitBytes: 10 })
  await draft.append(Buffer.from('x'))
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<boolean>()
  const discarding = one.discard(digest, () => {
    asked.resolve()
    return answer.promise
  })
  await asked.promise
  const committing = draft.commit()
  answer.resolve(false)
  assert.equal(await discarding, true)
  await committing
  assert.ok(await one.stat(digest))
})

test('a lock that a worker died with is free when that is told', async () => {
  const memory = SharedHolds.memory(2)
  const [one, two] = [new SharedHolds(memory, 0), new SharedHolds(memory, 1)]
  void two.exclusively('x', () => new Promise(() => {}))
  const mine = one.exclusively('x', async () => 'mine')
  one.forget(1)
  assert.equal(await mine, 'mine')
})

test('threads that write and delete the same blob as fast as they can never lose it while a row names it', async () => {
  await using folder = await tempFolder()
  const shared = { root: folder.path, holds: SharedHolds.memory(3), named: new SharedArrayBuffer(4), rounds: 300 }
  await FilesystemBlobs.open({ root: folder.path, readChunkBytes: 4096, clear: true })
  const done = await Promise.all(
    [0, 1, 2].map(async (worker) => {
      const workerData: BlobWork = { ...shared, worker }
      const thread = new Worker(new URL('../../test/world/blob-worker.ts', import.meta.url), { workerData })
      const [said] = (await once(thread, 'message')) as [BlobWorkDone]
      return said
    }),
  )
  assert.deepEqual(
    done.map(({ lost }) => lost),
    [0, 0, 0],
  )
  assert.ok(done.some(({ discarded }) => discarded > 0))
})
