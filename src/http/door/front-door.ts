/**
 * The front door, a response cache in front of node:http. It answers a request from the cache (the shelf), and passes
 * every other request to node:http unchanged. The server itself listens, so addresses, time-outs and closing are those of
 * node:http.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from '../../lib/node-http.ts'
import type { Limits } from '../../model/limits.ts'
import { type Door, Passage } from './passage.ts'
import type { ReadyAnswer } from './ready-answer.ts'
import type { ReadyFiles } from './ready-files.ts'
import type { Shelf } from './shelf.ts'

/** What stands behind the door besides node:http. */
export interface Ready {
  readonly shelf: Pick<Shelf, 'find' | 'bytes' | 'edition' | 'nowMs'>
  /** Where large ones are sent from, where the system can. */
  readonly files?: ReadyFiles
  /** What answers depend on of who connects. */
  readonly peerOf: (socket: Duplex) => string
  /** An answer was sent from the shelf. */
  readonly onAnswered: (answer: ReadyAnswer, head: string, socket: Duplex) => void
}

/** What one read from a socket gives at most; one buffer serves all connections of a door. */
const READ_BYTES = 64 * 1024
/** How long an idle connection is kept, as answers tell it. */
export const KEEP_ALIVE_SECONDS = 65
/** Between two looks for connections that say nothing. */
const SWEEP_MS_MOST = 5000
/** node:http's answer to a client that sends no request. */
const TOO_LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

/** A server that does not listen yet, with the door in front. */
export function createListener(routing: RequestListener, limits: Limits, ready: Ready): Server {
  const options = {
    headersTimeout: limits.requestHeadMs,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000,
    connectionsCheckingInterval: SWEEP_MS_MOST,
    highWaterMark: 256 * 1024,
  }
  return keepFrontDoor(createServer(options, routing), ready)
}

/**
 * Puts the door in front of `server`, which gets its connections by listening or by `emit('connection')`. To be called
 * once, before the first of them. Without `ready` all goes to node:http.
 */
export function keepFrontDoor(server: Server, ready?: Ready): Server {
  const door = new FrontDoor(server, ready)
  server.removeAllListeners('connection')
  server.on('connection', (socket: Duplex) => door.welcome(socket))
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
    passages.get(request.socket)?.arrived(request, response),
  )
  const { closeIdleConnections, closeAllConnections } = server
  server.closeIdleConnections = () => {
    door.closeIdle()
    closeIdleConnections.call(server)
  }
  server.closeAllConnections = () => {
    door.closeAll()
    closeAllConnections.call(server)
  }
  server.once('close', () => door.close())
  return server
}

/** Whether the sender of what now is a POST said PUSH. Nothing that a sender writes makes this true but the verb. */
export function cameAsPush(request: IncomingMessage): boolean {
  return pushed.has(request)
}

const passages = new WeakMap<Duplex, Passage>()
const pushed = new WeakSet<IncomingMessage>()

class FrontDoor implements Door {
  readonly #server: Server
  readonly #serveConnection: (socket: Duplex) => void
  readonly #ready: Ready | undefined
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  /** Connections that node:http does not know yet. */
  readonly #here = new Set<Passage>()
  #sweep: NodeJS.Timeout | undefined

  constructor(server: Server, ready: Ready | undefined) {
    this.#server = server
    this.#serveConnection = server.listeners('connection')[0] as (socket: Duplex) => void
    this.#ready = ready
  }

  get nowMs(): number {
    return this.#ready!.shelf.nowMs
  }

  welcome(accepted: Duplex): void {
    let passage: Passage | undefined
    const socket = this.#reading(accepted, (length) => passage!.read(this.#buffer, length))
    passage = new Passage(socket, this, pushed, Date.now())
    passages.set(socket, passage)
    if (this.#ready === undefined) {
      passage.passOn()
      return
    }
    this.#here.add(passage)
    socket.on('error', hungUp)
    socket.once('end', endToo)
    socket.once('close', () => this.#here.delete(passage))
    socket.resume()
    const everyMs = Math.min(SWEEP_MS_MOST, Math.max(50, this.#server.headersTimeout / 4))
    this.#sweep ??= setInterval(() => this.#closeSilent(), everyMs).unref()
  }

  find(head: string, socket: Duplex): ReadyAnswer | undefined {
    const ready = this.#ready
    return ready?.shelf.find(head, ready.peerOf(socket))
  }

  send(answer: ReadyAnswer, socket: Duplex, head: string): void {
    const { shelf, files, onAnswered } = this.#ready!
    const bytes = shelf.bytes(answer)
    const sent = files?.send(answer, bytes, shelf.edition, socket) ?? 0
    if (sent < bytes.length) {
      socket.write(sent === 0 ? bytes : bytes.subarray(sent))
      if (socket.writableLength > 0) answer.lend()
    }
    onAnswered(answer, head, socket)
  }

  handOver(passage: Passage): void {
    const { socket } = passage
    this.#here.delete(passage)
    socket.removeListener('error', hungUp)
    socket.removeListener('end', endToo)
    this.#serveConnection.call(this.#server, socket)
    // node:http takes the bytes straight from the system until somebody else wants to see them.
    socket.on('data', nothing)
  }

  /** Hangs up on who waits here for nothing; who is being answered gets the answer. */
  closeIdle(): void {
    for (const { socket } of this.#here) {
      if (socket.writableLength > 0) socket.end()
      else socket.destroy()
    }
  }

  closeAll(): void {
    for (const { socket } of this.#here) socket.destroy()
  }

  close(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  /** As node:http does: who says nothing is told, who says nothing more is not. */
  #closeSilent(): void {
    const { headersTimeout, keepAliveTimeout, keepAliveTimeoutBuffer = 1000 } = this.#server
    const nowMs = Date.now()
    for (const passage of this.#here) {
      const { socket, answered, lastMs } = passage
      if (socket.writableEnded) socket.destroy()
      else if (socket.writableLength > 0) passage.lastMs = nowMs
      else if (answered > 0) {
        if (nowMs - lastMs > keepAliveTimeout + keepAliveTimeoutBuffer) socket.destroy()
      } else if (headersTimeout > 0 && nowMs - lastMs > headersTimeout) {
        socket.end(TOO_LATE, () => socket.destroy())
      }
    }
  }

  /**
   * The connection with its bytes read into one buffer for all, in place of 64 KiB that are made for each read. Only the
   * constructor of a socket takes such a buffer, so the system's handle moves into another one. What has no handle (a pair
   * of streams in a test) stays as it is.
   */
  #reading(accepted: Duplex, callback: (length: number) => boolean): Duplex {
    const { _handle: handle, _server: server } = accepted as Accepted
    if (this.#ready === undefined || handle === undefined) return accepted
    const options = { handle, allowHalfOpen: true, onread: { buffer: this.#buffer, callback }, ...MARKS }
    const socket = new Socket(options as object) as Socket & Accepted
    // The server counts its connections by this.
    if (server !== undefined) socket._server = server
    return socket
  }
}

/** What node:net keeps of an accepted connection. */
interface Accepted {
  _handle?: object
  _server?: object
}

/** As node:http wants its sockets. */
const MARKS = { readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024 }

function hungUp(): void {
  // The connection is closed by itself: there is nobody to tell.
}

function endToo(this: Duplex): void {
  this.end()
}

function nothing(): void {}
