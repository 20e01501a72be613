import assert from 'node:assert/strict'
import { truncate } from 'node:fs/promises'
import { createServer, type IncomingMessage, get as request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { type BlobReader, type BlobStore, writeBlob } from '../../blob/blob-store.ts'
import { blobPlace, FilesystemBlobs } from '../../blob/files/filesystem.ts'
import { loadSendfile, type Sendfile } from '../../lib/sendfile.ts'
import { collect } from '../../lib/streams.ts'
import { LIMITS, withLimits } from '../../model/limits.ts'
import { FileBodies, type FileBodiesOptions } from './file-body.ts'

const SMALL = withLimits({ sentPieceBytes: 1000, sentPieces: 2, smallPieceBytes: 100 })
const MIB = 1024 * 1024

/** Readers that are open, and what every read goes through. */
interface Watched {
  open: number
  read?: (reader: BlobReader, into: Uint8Array, position: number) => Promise<number>
}

/** What sends the bytes: this process, the system, or one that is as difficult as the system may be. */
const WAYS: Readonly<Record<string, FileBodiesOptions['sendfile']>> = {
  'by itself': () => undefined,
  'by the system': loadSendfile,
  'by a system that takes little, or nothing': () => {
    const system = loadSendfile()
    if (system === undefined) return undefined
    let calls = 0
    return {
      isCached: (...range) => calls++ % 5 !== 0 && system.isCached(...range),
      send: (socket, file, position, most) =>
        calls++ % 3 === 0 ? undefined : system.send(socket, file, position, Math.min(most, 777)),
    }
  },
}
/** Why a test of the system's way stands aside. */
const skip = loadSendfile() === undefined ? 'this Node or this system has no sendfile' : false

/** A server that sends `bytes` from `start` to `end` as the address says, `/START-END`. */
async function serving(bytes: Buffer, { limits = SMALL, sendfile = WAYS['by itself']! } = {}) {
  const folder = await tempFolder()
  const blobs = await FilesystemBlobs.open({ root: folder.path, readChunkBytes: 1024, draftKeptBytes: 0, clear: true })
  const { digest } = await writeBlob(blobs, [bytes], { limitBytes: bytes.length })
  const watched: Watched = { open: 0 }
  const reader: BlobStore['reader'] = async (asked) => {
    const inner = await blobs.reader(asked)
    watched.open++
    return {
      read: (into, position) => watched.read?.(inner, into, position) ?? inner.read(into, position),
      descriptor: inner.descriptor!,
      [Symbol.asyncDispose]: async () => {
        await inner[Symbol.asyncDispose]()
        watched.open--
      },
    }
  }
  const troubles: string[] = []
  const store: BlobStore = Object.assign(Object.create(blobs), { reader })
  const onTrouble = (error: Error) => troubles.push(error.message)
  const bodies = new FileBodies({ blobs: store, limits, sendfile, onTrouble })
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
    ...{ watched, troubles, port },
    /** Cuts the blob's file, as a disk that is broken. */
    cut: (sizeBytes: number) => truncate(join(folder.path, 'blobs', 'sha256', blobPlace(digest)), sizeBytes),
    get: (start: number, end: number) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        request({ host: '127.0.0.1', port, path: `/${start}-${end}`, agent: false }, resolve).once('error', reject)
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await app.close()
      await folder.remove()
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

for (const [way, sendfile] of Object.entries(WAYS)) {
  test(`FileBodies sends a blob and any range of it byte for byte, in one piece or in many, ${way}`, async () => {
    const bytes = patterned(10_500)
    await using served = await serving(bytes, { sendfile })
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

  test(`FileBodies sends many files at once that wait for their readers, mixing none up, ${way}`, async () => {
    const bytes = patterned(8 * MIB)
    const limits = withLimits({ sentPieceBytes: 256 * 1024, sentPieces: 2 })
    await using served = await serving(bytes, { limits, sendfile })
    const starts = Array.from({ length: 12 }, (_, at) => at * 1000)
    const answers = await Promise.all(starts.map((start) => served.get(start, bytes.length)))
    // All stand still now, with all that the sockets take sent.
    await delay(700)
    const read = await Promise.all(answers.map((answer) => collect(answer, bytes.length)))
    for (const [at, start] of starts.entries()) assert.ok(read[at]!.equals(bytes.subarray(start)), `from ${start}`)
    await until(() => served.watched.open === 0)
  })

  test(`FileBodies sends what was asked for on one connection before the answers came in their order, ${way}`, async () => {
    const bytes = patterned(3 * MIB)
    await using served = await serving(bytes, { limits: LIMITS, sendfile })
    const socket = connect(served.port, '127.0.0.1')
    const ranges = [0, 1, 2].map((each) => [each * 7, bytes.length - each] as const)
    const requests = ranges.map(([start, end]) => `GET /${start}-${end} HTTP/1.1\r\nHost: x\r\n`)
    socket.write(`${requests.join('\r\n')}Connection: close\r\n\r\n`)
    let got = await collect(socket, 10 * MIB)
    for (const [start, end] of ranges) {
      const head = got.indexOf('\r\n\r\n') + 4
      assert.match(
        got.toString('latin1', 0, head),
        new RegExp(`^HTTP/1.1 200 OK\r\n(.+\r\n)*content-length: ${end - start}\r\n`),
      )
      assert.ok(got.subarray(head, head + end - start).equals(bytes.subarray(start, end)), `${start} to ${end}`)
      got = got.subarray(head + end - start)
    }
    assert.equal(got.length, 0)
  })

  test(`FileBodies breaks the connection when the blob's file ends early, and tells of it, ${way}`, async () => {
    for (const sizeBytes of [500, MIB]) {
      await using served = await serving(patterned(3 * MIB), { sendfile })
      await served.cut(sizeBytes)
      const answer = await served.get(0, 3 * MIB)
      await assert.rejects(collect(answer, 3 * MIB), { code: 'ECONNRESET' })
      await until(() => served.watched.open === 0)
      assert.equal(served.troubles.length, 1)
      assert.match(served.troubles[0]!, new RegExp(`^Cannot read blob [0-9a-f]+: it ended at byte ${sizeBytes};`))
    }
  })

  test(`FileBodies closes its reader when the client hangs up while bytes are on their way, ${way}`, async () => {
    const bytes = patterned(32 * MIB)
    await using served = await serving(bytes, { limits: LIMITS, sendfile })
    for (let each = 0; each < LIMITS.sentPieces + 2; each++) {
      const answer = await served.get(0, bytes.length)
      if (each % 2 === 1) await new Promise((resolve) => answer.once('data', resolve))
      answer.destroy()
      await until(() => served.watched.open === 0)
    }
    const again = await collect(await served.get(0, bytes.length), bytes.length)
    assert.ok(again.equals(bytes))
    assert.deepEqual(served.troubles, [])
  })
}

test('FileBodies has the system send what its socket takes, after a first small piece', { skip }, async () => {
  const bytes = patterned(MIB)
  let sent = 0
  const sendfile: FileBodiesOptions['sendfile'] = () => {
    const system = loadSendfile()!
    const send: Sendfile['send'] = (...call) => {
      const taken = system.send(...call)
      sent += taken ?? 0
      return taken
    }
    // Not every file system can say it.
    return { isCached: () => true, send }
  }
  await using served = await serving(bytes, { limits: LIMITS, sendfile })
  assert.ok((await collect(await served.get(0, MIB), MIB)).equals(bytes))
  assert.ok(sent > LIMITS.smallPieceBytes && sent <= MIB - LIMITS.smallPieceBytes, `${sent} bytes`)
})

test('FileBodies breaks the connection when a read fails, and tells of it', async () => {
  await using served = await serving(patterned(10_000))
  served.watched.read = (reader, into, position) =>
    position < 5000 ? reader.read(into, position) : Promise.reject(new Error('Input/output error'))
  const answer = await served.get(0, 10_000)
  assert.equal(answer.statusCode, 200)
  await assert.rejects(collect(answer, 10_000), { code: 'ECONNRESET' })
  await until(() => served.watched.open === 0)
  assert.deepEqual(served.troubles, ['Input/output error'])
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

test('FileBodies lends again what a client held that hung up while it was read into', async () => {
  const bytes = patterned(8 * MIB)
  await using served = await serving(bytes, { limits: LIMITS })
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
  assert.equal(sizes[0], LIMITS.sentPieceBytes)
  assert.deepEqual(served.troubles, [])
})
