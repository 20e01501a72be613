import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { MemoryBlobs } from '../../test/world/memory-blobs.ts'
import { digestOf } from '../lib/digest.ts'
import { collect } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import { Download, type DownloadPlan } from './download.ts'

const BYTES = randomBytes(50_000)
const SHA256 = digestOf(BYTES)

/** An upstream that sends its pieces one by one, when it is told to. */
function given(
  changes: Partial<DownloadPlan> = {},
  bytes: Uint8Array = BYTES,
  announced: number | 'nothing' = bytes.length,
) {
  const blobs = new MemoryBlobs()
  const kept: string[] = []
  const pieces: (() => void)[] = []
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
  let opened = 0
  async function* body() {
    const step = Math.ceil(bytes.length / 5)
    for (const [place, gate] of gates.entries()) {
      await gate.promise
      const piece = bytes.subarray(place * step, (place + 1) * step)
      if (piece.length > 0) yield piece
    }
  }
  for (const gate of gates) pieces.push(gate.resolve)
  const download = new Download(blobs, {
    filename: 'acme-1.0-py3-none-any.whl',
    hashes: { sha256: SHA256 },
    sizeBytes: BYTES.length,
    limitBytes: 1e6,
    open: async () => {
      opened++
      return { bytes: body(), ...(announced !== 'nothing' && { sizeBytes: announced }) }
    },
    keep: async (blob) => {
      kept.push(blob.digest)
    },
    ...changes,
  })
  return {
    blobs,
    kept,
    download,
    opened: () => opened,
    /** Lets the next piece go. */
    next: () => pieces.shift()?.(),
    rest: () => {
      for (const let_ of pieces.splice(0)) let_()
    },
  }
}

const whole = (download: Download, start?: number, end?: number) => collect(download.read(start, end), 1e6)

test('Download gives everyone who joined the same bytes from one request', async () => {
  const ground = given()
  const readers = [whole(ground.download), whole(ground.download), whole(ground.download, 100, 30_000)]
  ground.next()
  ground.next()
  await ground.download.head
  readers.push(whole(ground.download), whole(ground.download, 49_000))
  ground.rest()
  const [one, two, part, joined, tail] = await Promise.all(readers)
  for (const each of [one, two, joined]) assert.ok(each!.equals(BYTES))
  assert.ok(part!.equals(BYTES.subarray(100, 30_000)))
  assert.ok(tail!.equals(BYTES.subarray(49_000)))
  assert.equal(ground.opened(), 1)
  assert.deepEqual(ground.kept, [SHA256])
  assert.equal((await ground.download.done).sizeBytes, BYTES.length)
  assert.equal(ground.blobs.drafts, 0)
})

test('Download serves who comes after the end, also after the draft is gone', async () => {
  const ground = given()
  ground.rest()
  await ground.download.done
  assert.ok((await whole(ground.download)).equals(BYTES))
  assert.ok((await whole(ground.download, 10, 20)).equals(BYTES.subarray(10, 20)))
  assert.equal((await whole(ground.download, BYTES.length)).length, 0)
  assert.equal(ground.blobs.drafts, 0)
})

test('Download tells the size as soon as the answer began', async () => {
  const ground = given()
  assert.deepEqual(await ground.download.head, { sizeBytes: BYTES.length })
  ground.rest()
  await ground.download.done
})

test('Download lets the last byte go only after all was found right', async () => {
  let isKept = false
  const held = Promise.withResolvers<void>()
  const ground = given({
    keep: async () => {
      await held.promise
      isKept = true
    },
  })
  ground.rest()
  let seen = 0
  const reading = (async () => {
    for await (const chunk of ground.download.read()) {
      seen += chunk.length
      if (seen >= BYTES.length) assert.equal(isKept, true)
    }
  })()
  while (seen < BYTES.length - 1) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(seen, BYTES.length - 1)
  held.resolve()
  await reading
  assert.equal(seen, BYTES.length)
})

test('Download holds back the last byte of a part as well', async () => {
  const wrong = Buffer.from(BYTES)
  wrong[49_999] = wrong[49_999]! ^ 1
  const ground = given({}, wrong)
  let seen = 0
  const reading = (async () => {
    for await (const chunk of ground.download.read(0, 100)) seen += chunk.length
  })()
  ground.rest()
  await assert.rejects(reading, /upstream sent other content/)
  assert.equal(seen, 99)
})

const md5 = createHash('md5').update(BYTES).digest('hex')
for (const [what, plan, bytes, announced, sentence] of [
  [
    'another sha256',
    { hashes: { sha256: 'a'.repeat(64) } },
    BYTES,
    BYTES.length,
    /its sha256 is [0-9a-f]{64}, its page says a{64}/,
  ],
  ['another md5', { hashes: { md5: 'a'.repeat(32) } }, BYTES, BYTES.length, new RegExp(`its md5 is ${md5}`)],
  [
    'one wrong hash of two',
    { hashes: { sha256: SHA256, sha512: 'b'.repeat(128) } },
    BYTES,
    BYTES.length,
    /its sha512 is/,
  ],
  [
    'fewer bytes than its page says',
    {},
    BYTES.subarray(0, 40_000),
    'nothing',
    /it has 40000 bytes, its page says 50000/,
  ],
  ['an announced length that its page denies', {}, BYTES, 50_001, /it has 50001 bytes, its page says 50000/],
  ['more bytes than its page says', {}, Buffer.concat([BYTES, BYTES]), 'nothing', /more than the 50000 bytes/],
] as const) {
  test(`Download of ${what} throws in every reader and keeps nothing`, async () => {
    const ground = given(plan as Partial<DownloadPlan>, bytes, announced)
    const readers = [whole(ground.download), whole(ground.download, 5), whole(ground.download, 0, 10)]
    const results = Promise.allSettled(readers)
    ground.rest()
    for (const result of await results) {
      assert.equal(result.status, 'rejected')
      assert.ok(result.reason instanceof Problem)
      assert.equal(result.reason.code, 'upstream-failed')
      assert.match(result.reason.message, sentence)
    }
    await assert.rejects(ground.download.done)
    await assert.rejects(whole(ground.download), sentence)
    assert.deepEqual(ground.kept, [])
    assert.equal(ground.blobs.drafts, 0)
    assert.deepEqual(await Array.fromAsync(ground.blobs.list()), [])
  })
}

test('Download of an endless body ends at the limit, and keeps nothing', async () => {
  const blobs = new MemoryBlobs()
  async function* endless() {
    while (true) yield Buffer.alloc(300)
  }
  const download = new Download(blobs, {
    filename: 'f.whl',
    hashes: {},
    limitBytes: 1000,
    open: async () => ({ bytes: endless() }),
    keep: async () => assert.fail('kept'),
  })
  await assert.rejects(whole(download), (error: Problem) => error.code === 'upstream-failed')
  assert.equal(blobs.drafts, 0)
})

test('Download that cannot begin rejects its head and every reader', async () => {
  const ground = given({ open: async () => Promise.reject(new Problem('upstream-failed', 'refused')) })
  await assert.rejects(ground.download.head, /refused/)
  await assert.rejects(whole(ground.download), /refused/)
  await assert.rejects(ground.download.done, /refused/)
})

test('Download that breaks off in the middle throws in every reader', async () => {
  async function* cut() {
    yield BYTES.subarray(0, 1000)
    throw new Error('connection lost')
  }
  const ground = given({ open: async () => ({ bytes: cut(), sizeBytes: BYTES.length }) })
  const results = await Promise.allSettled([whole(ground.download), whole(ground.download, 10)])
  for (const result of results) assert.match(String((result as PromiseRejectedResult).reason), /connection lost/)
  assert.equal(ground.blobs.drafts, 0)
})

test('Download whose row cannot be written is no success for anybody', async () => {
  const ground = given({ keep: async () => Promise.reject(new Error('disk full')) })
  const reading = whole(ground.download)
  ground.rest()
  await assert.rejects(reading, /disk full/)
})

test('Download goes on when a reader leaves', async () => {
  const ground = given()
  const leaver = ground.download.read()
  ground.next()
  await leaver.next()
  await leaver.return(undefined)
  ground.rest()
  await ground.download.done
  assert.deepEqual(ground.kept, [SHA256])
  assert.equal(ground.blobs.drafts, 0)
})

test('Download of an empty file ends', async () => {
  const ground = given({ hashes: {}, sizeBytes: 0 }, Buffer.alloc(0))
  ground.rest()
  assert.equal((await whole(ground.download)).length, 0)
})

for (const [what, here, isGivenUp] of [
  ['less than half', 1, true],
  ['more than half', 3, false],
] as const) {
  test(`Download that its readers left ${isGivenUp ? 'is given up' : 'goes to its end'} with ${what} of it here`, async () => {
    const ground = given({ unreadMs: 20 })
    const leaver = ground.download.read()
    for (let piece = 0; piece < here; piece++) ground.next()
    await leaver.next()
    while (ground.download.receivedBytes < here * 10_000) await new Promise((resolve) => setImmediate(resolve))
    await leaver.return(undefined)
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.equal(ground.download.isGivenUp, isGivenUp)
    ground.rest()
    if (isGivenUp) await assert.rejects(ground.download.done, /nobody reads it/)
    else await ground.download.done
    assert.deepEqual(ground.kept, isGivenUp ? [] : [SHA256])
    assert.equal(ground.blobs.drafts, 0)
  })
}

test('Download that its readers left goes on for who comes back in time, and for who wants it whole', async () => {
  for (const comesBack of ['reads', 'wants it'] as const) {
    const ground = given({ unreadMs: 40 })
    const leaver = ground.download.read()
    ground.next()
    await leaver.next()
    await leaver.return(undefined)
    const back = comesBack === 'reads' ? whole(ground.download) : ground.download.complete()
    await new Promise((resolve) => setTimeout(resolve, 80))
    ground.rest()
    await back
    assert.deepEqual(ground.kept, [SHA256])
  }
})

test('Download that breaks off goes on from there, and every reader gets each byte once', async () => {
  const asked: unknown[] = []
  async function* from(start: number, end: number) {
    yield BYTES.subarray(start, end)
    if (end < BYTES.length) throw new Error('connection lost')
  }
  const ground = given({
    resume: { resumes: 3, resumesInAll: 9, resumeProgressBytes: 1, resumePauseMs: 1 },
    open: async (point) => {
      asked.push(point)
      const start = point?.start ?? 0
      const end = Math.min(BYTES.length, start + 30_000)
      return { bytes: from(start, end), sizeBytes: BYTES.length, validator: '"a"', ...(start > 0 && { start }) }
    },
  })
  const [one, part] = await Promise.all([whole(ground.download), whole(ground.download, 29_000, 31_000)])
  assert.ok(one.equals(BYTES))
  assert.ok(part.equals(BYTES.subarray(29_000, 31_000)))
  assert.deepEqual(asked, [undefined, { start: 30_000, validator: '"a"' }])
})

test('Download of what upstream replaced while it broke off throws in every reader and keeps nothing', async () => {
  const other = randomBytes(BYTES.length)
  async function* only(bytes: Uint8Array) {
    yield bytes
  }
  async function* cut() {
    yield BYTES.subarray(0, 30_000)
    throw new Error('connection lost')
  }
  const bodies = [cut(), only(other)]
  const ground = given({
    resume: { resumes: 3, resumesInAll: 9, resumeProgressBytes: 1, resumePauseMs: 1 },
    hashes: {},
    open: async () => ({ bytes: bodies.shift()!, sizeBytes: BYTES.length }),
  })
  const results = await Promise.allSettled([whole(ground.download), whole(ground.download, 10)])
  for (const result of results) {
    assert.match(String((result as PromiseRejectedResult).reason), /upstream sent other content: it begins with other/)
  }
  assert.deepEqual(ground.kept, [])
  assert.equal(ground.blobs.drafts, 0)
})
