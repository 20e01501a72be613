/**
 * The process that makes the load: connections that are kept open, each with one request under way at a time, its bytes made
 * in advance. It is told what to send by its parent, once, and answers with what it counted.
 */
import { connect, type Socket } from 'node:net'
import { AnswerCounter } from './answer-counter.ts'
import type { Counted, Load } from './load.ts'

/** A read of this size takes a page of 2,000 files in a few turns, and a large file in as many as the kernel likes. */
const READ_BYTES = 256 * 1024
/** Times kept; later ones take the place of earlier ones. */
const TIMES_KEPT = 1 << 18
/** After its end a run waits so long for the last answers. */
const GRACE_MS = 60_000

process.once('message', (load: Load) => {
  run(load).then(
    (counted) => process.send?.(counted, () => process.exit(0)),
    (error: unknown) => process.send?.({ failed: String(error) }, () => process.exit(1)),
  )
})

async function run(load: Load): Promise<Counted> {
  const times = new Float64Array(TIMES_KEPT)
  const counted = { answers: 0, bytes: 0, refused: 0, reconnected: 0 }
  const cpuBefore = process.cpuUsage()
  const started = performance.now()
  const until = load.seconds === undefined ? Number.POSITIVE_INFINITY : started + load.seconds * 1000
  let sent = 0
  const total = load.seconds === undefined ? load.requests.length : Number.POSITIVE_INFINITY
  const next = () =>
    sent >= total || performance.now() >= until ? undefined : load.requests[sent++ % load.requests.length]!
  const late = setTimeout(
    () => process.send?.({ failed: 'the server does not answer' }, () => process.exit(1)),
    (load.seconds ?? load.mostSeconds) * 1000 + GRACE_MS,
  )
  await Promise.all(Array.from({ length: load.connections }, () => connection(load, next, times, counted)))
  clearTimeout(late)
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(cpuBefore)
  const sorted = times.subarray(0, Math.min(counted.answers, TIMES_KEPT)).sort()
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { ...counted, ms, cpuMs: (user + system) / 1000, p50Ms: at(0.5), p99Ms: at(0.99) }
}

interface Counting {
  answers: number
  bytes: number
  refused: number
  reconnected: number
}

/** Until there is nothing more to send. A connection that the server ends is made again. */
function connection(load: Load, next: () => Buffer | undefined, times: Float64Array, counted: Counting): Promise<void> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    let socket: Socket
    let counter = new AnswerCounter()
    let request = next()
    let sentMs = 0
    const ended = (closes: boolean, status: number, bytes: number) => {
      times[counted.answers++ % TIMES_KEPT] = performance.now() - sentMs
      counted.bytes += bytes
      if (status !== load.status) counted.refused++
      request = next()
      if (request === undefined) {
        socket.destroy()
        resolve()
      } else if (closes) socket.destroy()
      else send()
    }
    const send = () => {
      sentMs = performance.now()
      socket.write(request!)
    }
    const open = () => {
      counter = new AnswerCounter()
      socket = connect({
        host: '127.0.0.1',
        port: load.port,
        noDelay: true,
        onread: {
          buffer,
          callback: (length) => {
            try {
              const end = counter.take(buffer.subarray(0, length))
              if (end !== undefined) ended(end.closes, end.status, end.bodyBytes)
            } catch (error) {
              reject(error)
            }
            return true
          },
        },
      })
      socket.once('connect', send)
      socket.once('error', (error: NodeJS.ErrnoException) => {
        // A server may end a kept connection at any time; what cannot be reached at all is a failure.
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
      })
      socket.once('close', () => {
        const end = counter.closed()
        if (end !== undefined) ended(true, end.status, end.bodyBytes)
        if (request === undefined) return
        counted.reconnected++
        open()
      })
    }
    if (request === undefined) resolve()
    else open()
  })
}
