import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { FuzzFigures } from '../trouble/door-fuzz.ts'

/** Each is its own server and waits for answers most of the time. */
const THREADS = 4
const EACH = 250_000

test('a million mutated requests are answered through the front door as without it', async (t) => {
  const figures = await Promise.all(
    Array.from({ length: THREADS }, (_, at) => fuzzed(EACH, 1_128_2026 + at, (line) => t.diagnostic(line))),
  )
  for (const { sequences, ready } of figures) {
    assert.ok(ready > sequences / 4, `only ${ready} of them met answers that stood ready`)
  }
})

async function fuzzed(count: number, seed: number, say: (line: string) => void): Promise<FuzzFigures> {
  const worker = new Worker(new URL('./front-door-fuzz.ts', import.meta.url), { workerData: { count, seed } })
  return await new Promise((resolve, reject) => {
    worker.on('message', (figures: FuzzFigures) => {
      const { sequences, ready, doubtful } = figures
      say(`seed ${seed}: ${count} requests in ${sequences} sequences, ${ready} ready answers, ${doubtful} asked twice`)
      resolve(figures)
    })
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the thread with seed ${seed} ended with code ${code}`)))
  })
}
