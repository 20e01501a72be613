/**
 * The front door: what stands between the sockets and node:http. devpi's client pushes with a verb of its own, `PUSH`,
 * which node:http refuses; here it becomes `POST`, which devpi's server takes for the same thing. All else passes as
 * it came. The server listens itself, so that addresses, time-outs and closing are node:http's own.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Limits } from '../model/limits.ts'
import { RequestFraming } from './request-framing.ts'

/** A server that does not listen yet, with the door in front. */
export function createListener(routing: RequestListener, limits: Limits): Server {
  const options = {
    headersTimeout: limits.requestHeadMs,
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    highWaterMark: 256 * 1024,
  }
  return keepFrontDoor(createServer(options, routing))
}

/**
 * Puts the door in front of `server`, which gets its connections by listening or by `emit('connection')`. To be called
 * once, before the first of them.
 */
export function keepFrontDoor(server: Server): Server {
  const [serveConnection] = server.listeners('connection') as ((socket: Duplex) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Duplex) => {
    const passage = new Passage(socket)
    passages.set(socket, passage)
    serveConnection!.call(server, socket)
    // node:http takes the bytes straight from the system until somebody else wants to see them.
    socket.on('data', () => {})
  })
  server.prependListener('request', (request: IncomingMessage) => passages.get(request.socket)?.arrived(request))
  return server
}

/** Whether the sender of what now is a POST said PUSH. Nothing that a sender writes makes this true but the verb. */
export function cameAsPush(request: IncomingMessage): boolean {
  return pushed.has(request)
}

const passages = new WeakMap<Duplex, Passage>()
const pushed = new WeakSet<IncomingMessage>()

const PUSH = Buffer.from('PUSH ')
const NOTHING = Buffer.alloc(0)

/** One connection's way through the door. */
class Passage {
  readonly #socket: Duplex
  readonly #push: Duplex['push']
  readonly #framing = new RequestFraming()
  /** Bytes that may become `PUSH ` with the next ones. */
  #held: Buffer = NOTHING
  /** Requests whose first byte went through, and those that node:http has announced. */
  #begun = 0
  #announced = 0
  /** Which of the requests not yet announced are pushes, counted as `#begun` does. */
  readonly #pushes: number[] = []

  constructor(socket: Duplex) {
    this.#socket = socket
    this.#push = socket.push
    socket.push = (chunk: Buffer | null) => this.#receive(chunk)
  }

  /** The next request's head was read whole. */
  arrived(request: IncomingMessage): void {
    this.#announced++
    if (this.#pushes[0] !== this.#announced) return
    this.#pushes.shift()
    pushed.add(request)
  }

  #receive(chunk: Buffer | null): boolean {
    const held = this.#held
    this.#held = NOTHING
    if (chunk === null) {
      if (held.length > 0) this.#pass(held)
      return this.#pass(null)
    }
    return this.#pass(this.#translated(held.length === 0 ? chunk : Buffer.concat([held, chunk])))
  }

  /** An empty chunk counts as well: the socket is asked for more when it has been passed on. */
  #pass(chunk: Buffer | null): boolean {
    if (this.#framing.isLost) this.#socket.push = this.#push
    return this.#push.call(this.#socket, chunk)
  }

  #translated(received: Buffer): Buffer {
    const framing = this.#framing
    let bytes = received
    for (let at = 0; at < bytes.length && !framing.isLost; at = framing.read(bytes, at)) {
      if (!framing.isAtStart) continue
      if (bytes[at] === PUSH[0]) {
        const length = Math.min(PUSH.length, bytes.length - at)
        if (bytes.compare(PUSH, 0, length, at, at + length) === 0) {
          if (length < PUSH.length) {
            this.#held = bytes.subarray(at)
            return bytes.subarray(0, at)
          }
          // The bytes may be somebody else's as well.
          if (bytes === received) bytes = Buffer.from(received)
          bytes.write('POST', at, 'latin1')
          this.#pushes.push(this.#begun + 1)
        }
      }
      this.#begun++
    }
    return bytes
  }
}
