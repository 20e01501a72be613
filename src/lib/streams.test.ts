import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, limit, TooLong } from './streams.ts'

async function* source(sizes: readonly number[], onEnd: () => void = () => {}): AsyncGenerator<Uint8Array> {
  try {
    for (const [place, size] of sizes.entries()) yield Buffer.alloc(size, place + 1)
  } finally {
    onEnd()
  }
}

test('limit() passes everything on up to the last allowed byte', async () => {
  for (const sizes of [[], [0], [10], [3, 3, 4], [10, 0]]) {
    const chunks = await Array.fromAsync(limit(source(sizes), 10))
    assert.deepEqual(
      chunks.map((chunk) => chunk.length),
      sizes,
    )
  }
})

test('limit() throws at the first byte past it, passes none of that chunk on, and ends its source', async () => {
  let isEnded = false
  const seen: number[] = []
  const reading = (async () => {
    for await (const chunk of limit(
      source([6, 5, 6], () => {
        isEnded = true
      }),
      10,
    ))
      seen.push(chunk.length)
  })()
  await assert.rejects(reading, (error: TooLong) => error instanceof TooLong && error.limitBytes === 10)
  assert.deepEqual(seen, [6])
  assert.equal(isEnded, true)
})

test('limit() ends its source when its reader leaves', async () => {
  let isEnded = false
  for await (const _ of limit(
    source([1, 1, 1], () => {
      isEnded = true
    }),
    10,
  ))
    break
  assert.equal(isEnded, true)
})

test('collect() gives the whole, or throws past its limit', async () => {
  assert.deepEqual(await collect(source([2, 1]), 3), Buffer.from([1, 1, 2]))
  assert.equal((await collect(source([]), 0)).length, 0)
  await assert.rejects(collect(source([2, 2]), 3), /more than 3 bytes were sent/)
})

test('collect() passes on what its source throws', async () => {
  async function* broken() {
    yield Buffer.alloc(1)
    throw new Error('cut')
  }
  await assert.rejects(collect(broken(), 10), /cut/)
})
