import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, get as request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import { MemoryBlobs } from '../../test/memory-blobs.ts'
import { type BlobReader, type BlobStore, writeBlob } from '../blob/blob-store.ts'
import { collect } from '../lib/streams.ts'
import { LIMITS, withLimits } from '../model/limits.ts'
import { FileBodies } from './file-body.ts'

const SMALL = withLimits({ sentPieceBytes: 1000, sentPieces: 2, smallPieceBytes: 100 })
const MIB = 1024 * 1024

/** Readers that are open, and what every read goes through. */
interface Watched {
  open: number
  read?: (reader: BlobReader, into: Uint8Array, position: number) => Promise<number>
}

/** A server that sends `bytes` from `start` to `end` as the address says, `/START-END`. */
async function serving(bytes: Buffer, limits = SMALL) {
  const blobs = new MemoryBlobs()
  const { digest } = await writeBlob(blobs, [bytes], { limitBytes: bytes.length })
  const watched: Watched = { open: 0 }
  const reader: BlobStore['reader'] = async (asked) => {
    const inner = await blobs.reader(asked)
    watched.open++
    return {
      read: (into, position) => watched.read?.(inner, into, position) ?? inner.read(into, position),
      [Symbol.asyncDispose]: async () => void watched.open--,
    }
  }
  const troubles: string[] = []
  const store: BlobStore = Object.assign(Object.create(blobs), { reader })
  const bodies = new FileBodies(store, limits, (error) => troubles.push(error.message))
  const app = Fastify()
  app.get<{ Params: { range: string } }>('/:range', async (asked, reply) => {
    const [start, end] = asked.params.range.split('-').map(Number) as [number, number]
    return reply.header('content-length', end - start).send(await bodies.open(digest, { start, end }))
  })
  await app.ready()
  const server: Server = createServer(app.routing)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...{ watched, troubles },
    get: (start: number, end: number) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        request({ host: '127.0.0.1', port, path: `/${start}-${end}`, agent: false }, resolve).once('error', reject)
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await app.close()
    },
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries === 500) assert.fail(`Not within 5 seconds: ${isTrue}`)
    await delay(10)
  }
}

function patterned(sizeBytes: number): Buffer {
  return Buffer.from(Uint32Array.from({ length: Math.ceil(sizeBytes / 4) }, (_, at) => at).buffer).subarray(
    0,
    sizeBytes,
  )
}

test('FileBodies sends a blob and any range of it byte for byte, in one piece or in many', async () => {
  const bytes = patterned(10_500)
  await using served = await serving(bytes)
  for (const [start, end] of [
    [0, 10_500],
    [0, 1],
    [0, 100],
    [0, 101],
    [999, 2000],
    [1000, 2000],
    [10_000, 10_500],
  ] as const) {
    const answer = await served.get(start, end)
    assert.equal(answer.headers['content-length'], String(end - start))
    assert.equal(answer.headers['transfer-encoding'], undefined)
    assert.ok((await collect(answer, bytes.length)).equals(bytes.subarray(start, end)), `${start} to ${end}`)
  }
  await until(() => served.watched.open === 0)
  assert.deepEqual(served.troubles, [])
})

test('FileBodies sends many files at once that wait for their readers, mixing none up', async () => {
  const bytes = patterned(8 * MIB)
  await using served = await serving(bytes, withLimits({ sentPieceBytes: 256 * 1024, sentPieces: 2 }))
  const starts = Array.from({ length: 12 }, (_, at) => at * 1000)
  const answers = await Promise.all(starts.map((start) => served.get(start, bytes.length)))
  // All stand still now, with all that the sockets take sent.
  await delay(700)
  const read = await Promise.all(answers.map((answer) => collect(answer, bytes.length)))
  for (const [at, start] of starts.entries()) assert.ok(read[at]!.equals(bytes.subarray(start)), `from ${start}`)
  await until(() => served.watched.open === 0)
})

test('FileBodies breaks the connection when a read fails or the blob ends early, and tells of it', async () => {
  const bytes = patterned(10_000)
  for (const [title, read] of [
    ['fails', () => Promise.reject(new Error('Input/output error'))],
    ['ended at byte', async () => 0],
  ] as const) {
    await using served = await serving(bytes)
    served.watched.read = (reader, into, position) => (position < 5000 ? reader.read(into, position) : read())
    const answer = await served.get(0, 10_000)
    assert.equal(answer.statusCode, 200)
    await assert.rejects(collect(answer, 10_000), { code: 'ECONNRESET' }, title)
    await until(() => served.watched.open === 0)
    assert.equal(served.troubles.length, 1, title)
  }
})

test('FileBodies leaves it to the server to answer what fails before a byte was sent', async () => {
  await using served = await serving(patterned(10_000))
  served.watched.read = () => Promise.reject(new Error('Input/output error'))
  for (const end of [50, 10_000]) {
    const answer = await served.get(0, end)
    assert.equal(answer.statusCode, 500)
    answer.resume()
  }
  await until(() => served.watched.open === 0)
  assert.deepEqual(served.troubles, [])
})

test('FileBodies closes its reader when the client hangs up, while it writes and while it reads', async () => {
  const bytes = patterned(32 * MIB)
  await using served = await serving(bytes, LIMITS)
  for (let each = 0; each < LIMITS.sentPieces + 2; each++) {
    const answer = await served.get(0, bytes.length)
    assert.equal(served.watched.open, 1)
    answer.destroy()
    await until(() => served.watched.open === 0)
  }
  let goOn: () => void = () => {}
  served.watched.read = async (reader, into, position) => {
    if (position > 0) await new Promise<void>((resolve) => (goOn = resolve))
    return await reader.read(into, position)
  }
  const answer = await served.get(0, bytes.length)
  answer.destroy()
  await until(() => served.watched.open === 0)
  goOn()
  const sizes: number[] = []
  served.watched.read = (reader, into, position) => {
    sizes.push(into.length)
    return reader.read(into, position)
  }
  assert.ok((await collect(await served.get(0, bytes.length), bytes.length)).equals(bytes))
  // What those held is lent again.
  assert.equal(sizes[0], LIMITS.sentPieceBytes)
  assert.deepEqual(served.troubles, [])
})
