/**
 * Mutated requests to one app, by way of the front door with its shelf and by way of node:http alone: whatever is sent, and in
 * whatever pieces, the answers are the same to the byte.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { startInProcess } from './in-process-server.ts'
import { Mutations } from './request-mutations.ts'

export interface FuzzFigures {
  readonly sequences: number
  /** Answers that the door gave from the shelf. */
  readonly ready: number
  /** Sequences that had to be asked twice, as the app had come less far when they broke off. */
  readonly doubtful: number
}

/** Connections at once; each exchange is two of them. */
const LANES = 8
/** Nothing more comes after so long without news; where the two ways differ, it is asked again and waited for this long. */
const QUIET_MS = 150
const SURELY_QUIET_MS = 3000
const SLOW_MS = [40, 200, 1000]
/** Until the server, in this process, has read what was written. */
const READ_MS = 2
const INDEX = 'root/fuzz'
const LARGE_BYTES = 40_000
/** Ends the connection where all before it was whole. */
const LAST = 'GET /+api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

/** Sends `count` requests both ways, a few on a connection. Throws at the first whose answers differ. */
export async function fuzzDoor(count: number, seed: number): Promise<FuzzFigures> {
  await using server = await startInProcess({ flags: { no_root_pypi: true } })
  const requests = await shelvedRequests(server.app)
  await using bare = await listening(server.app)
  const door = Number(new URL(server.url).port)
  const port = (bare.server.address() as AddressInfo).port
  // The first time each is answered by the app, and put on the shelf.
  for (const request of requests) for (let time = 0; time < 2; time++) await exchange(door, [request], QUIET_MS)
  const mutations = new Mutations(requests, seed)
  let left = count
  let sequences = 0
  const doubtful: (readonly Buffer[])[] = []
  const lane = async () => {
    while (left > 0) {
      const { requests, pieces, pauseMs } = mutations.next()
      left -= requests
      sequences++
      const all = [...pieces, Buffer.from(LAST)]
      const [wanted, got] = await Promise.all([
        exchange(port, all, QUIET_MS, pauseMs),
        exchange(door, all, QUIET_MS, pauseMs),
      ])
      // What is broken off by an error depends on how far the app had come: asked again when nothing else is.
      if (wanted !== got) doubtful.push(all)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  for (const all of doubtful) await sameWhenSlow(door, port, all)
  return { sequences, ready: await readyAnswers(server.app), doubtful: doubtful.length }
}

/** With more and more time between two pieces, as the machine may be busy. Throws when the answers differ even so. */
async function sameWhenSlow(door: number, port: number, pieces: readonly Buffer[]): Promise<void> {
  let [wanted, got] = ['', '']
  for (const pauseMs of SLOW_MS) {
    wanted = await exchange(port, pieces, SURELY_QUIET_MS, pauseMs)
    got = await exchange(door, pieces, SURELY_QUIET_MS, pauseMs)
    if (wanted === got) return
  }
  const sent = JSON.stringify(pieces.map((piece) => piece.toString('latin1')))
  assert.equal(got, wanted, `the answers differ for ${sent}`)
}

/** What came, with the dates left out. */
async function exchange(port: number, pieces: readonly Buffer[], quietMs: number, pauseMs = READ_MS): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const answered: Buffer[] = []
  let lastMs = performance.now()
  let isClosed = false
  socket.on('data', (chunk: Buffer) => {
    lastMs = performance.now()
    answered.push(chunk)
  })
  socket.once('close', () => {
    isClosed = true
  })
  // A server that hangs up in the middle of what it cannot read is one of the answers.
  socket.on('error', () => {})
  // What is written before the server has taken the connection would come in one piece.
  await once(socket, 'connect')
  await delay(pauseMs)
  for (const piece of pieces) {
    if (isClosed) break
    socket.write(piece)
    await delay(pauseMs)
  }
  lastMs = performance.now()
  while (!isClosed && performance.now() - lastMs < quietMs) await delay(2)
  socket.resetAndDestroy()
  return Buffer.concat(answered)
    .toString('latin1')
    .replaceAll(/^Date: .*$/gm, 'Date')
}

/** An index with a project, and requests for all of it that can stand ready, as clients send them. */
async function shelvedRequests(app: FastifyInstance): Promise<Buffer[]> {
  const login = await app.inject({ method: 'POST', url: '/+login', payload: { user: 'root', password: '' } })
  const { result } = login.json<{ result: { password: string } }>()
  const headers = { 'x-devpi-auth': Buffer.from(`root:${result.password}`).toString('base64') }
  await app.inject({ method: 'PUT', url: `/${INDEX}`, headers, payload: { bases: [] } })
  for (let at = 0; at < 12; at++) {
    // The first is so large that the system sends it from a file, where it can.
    const files = at === 0 ? { 'noise.bin': randomBytes(LARGE_BYTES) } : {}
    const { filename, bytes } = wheel({ name: 'fuzzed', version: `1.${at}`, files })
    const fields = fieldParts({ ':action': 'file_upload', name: 'fuzzed', version: `1.${at}` })
    const form = multipart([...fields, { name: 'content', filename, content: bytes }])
    const type = { 'content-type': form.contentType }
    const { statusCode } = await app.inject({
      ...{ method: 'POST', url: `/${INDEX}/`, headers: { ...headers, ...type }, payload: form.body },
    })
    assert.equal(statusCode, 200)
  }
  const page = `/${INDEX}/+simple/fuzzed/`
  const json = 'application/vnd.pypi.simple.v1+json'
  const listed = await app.inject({ url: page, headers: { accept: json } })
  const { files } = listed.json<{ files: { filename: string; url: string }[] }>()
  const addressOf = (version: string) => {
    const { url } = files.find(({ filename }) => filename.startsWith(`fuzzed-${version}-`))!
    return new URL(url, `http://x${page}`).pathname
  }
  const file = addressOf('1.1')
  const get = (path: string, fields: Readonly<Record<string, string>>, method = 'GET') => {
    const lines = Object.entries({ Host: 'x', 'User-Agent': 'pip/26.3', ...fields }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }
  return [
    get(page, { Accept: json }),
    get(page, { Accept: json, 'Accept-Encoding': 'gzip', Connection: 'keep-alive', 'Cache-Control': 'max-age=0' }),
    get(page, { Accept: 'text/html', 'Accept-Encoding': 'zstd, gzip' }),
    get(page, { Accept: json, 'If-None-Match': String(listed.headers.etag) }),
    get(page, { Accept: 'text/html' }, 'HEAD'),
    get(file, { Accept: '*/*' }),
    get(file, { Accept: '*/*' }, 'HEAD'),
    get(`${file}.metadata`, { Accept: '*/*' }),
    get(addressOf('1.0'), { Accept: '*/*' }),
  ]
}

async function listening(app: FastifyInstance): Promise<AsyncDisposable & { readonly server: Server }> {
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0, highWaterMark: 256 * 1024 }, app.routing)
  // node:http parses what it takes straight from the system between two steps of the app, and what comes as events in one
  // step: what a broken request still lets out of the answers before it depends on that. Events are what the door gives it.
  server.on('connection', (socket) => socket.on('data', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readyAnswers(app: FastifyInstance): Promise<number> {
  const { body } = await app.inject('/+metrics')
  return Number(/^airlock_ready_answers_total (\d+)$/m.exec(body)?.[1])
}
