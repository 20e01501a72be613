/** A program whose threads all write long lines to its stderr. */
import { Worker } from 'node:worker_threads'
import type { LineWork } from './line-writer.ts'

const shared = { fd: 2, lock: new SharedArrayBuffer(4), lines: 50, characters: 100_000 }
for (const letter of ['a', 'b', 'c']) {
  const workerData: LineWork = { ...shared, letter }
  new Worker(new URL('./line-writer.ts', import.meta.url), { workerData })
}
