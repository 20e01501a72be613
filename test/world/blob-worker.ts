/** A thread that writes and deletes one and the same blob again and again, beside others that do the same. */
import { parentPort, workerData } from 'node:worker_threads'
import { FilesystemBlobs } from '../../src/blob/files/filesystem.ts'
import { SharedHolds } from '../../src/blob/shared-holds.ts'

export interface BlobWork {
  readonly root: string
  readonly holds: SharedArrayBuffer
  readonly worker: number
  /** How many rows name the blob, as the catalog would say. */
  readonly named: SharedArrayBuffer
  readonly rounds: number
}

/** Rounds in which a blob that a row named was not there, and how often this thread deleted it. */
export interface BlobWorkDone {
  readonly lost: number
  readonly discarded: number
}

const { root, holds, worker, named, rounds } = workerData as BlobWork
const rows = new Int32Array(named)
const done = { lost: 0, discarded: 0 }
const blobs = await FilesystemBlobs.open({
  root,
  readChunkBytes: 4096,
  clear: false,
  holds: new SharedHolds(holds, worker),
})
for (let round = 0; round < rounds; round++) {
  const draft = await blobs.draft({ limitBytes: 100 })
  await draft.append(Buffer.from('the same bytes'))
  const { digest } = await draft.commit()
  Atomics.add(rows, 0, 1)
  await draft[Symbol.asyncDispose]()
  if ((await blobs.stat(digest)) === undefined) done.lost++
  Atomics.sub(rows, 0, 1)
  const isNamed = async () => Atomics.load(rows, 0) > 0
  if (await blobs.discard(digest, isNamed)) done.discarded++
}
parentPort?.postMessage(done satisfies BlobWorkDone)
