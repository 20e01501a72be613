/**
 * One connection's way through the front door. What it says in one piece and an answer stands ready for is answered here; with
 * the first that is anything else the connection is handed to node:http, which gets every byte from then on, but for further
 * such requests that come while it has nothing to do. `PUSH`, the verb of devpi's client that node:http refuses, becomes
 * `POST`, which devpi's server takes for the same thing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ReadyAnswer } from './ready-answer.ts'
import { RequestFraming } from './request-framing.ts'

/** The connection's side of the front door. */
export interface Door {
  /** The answer that stands ready for `head`, all that came, as latin1 text. */
  find(head: string, socket: Duplex): ReadyAnswer | undefined
  /** Sends it, once. */
  send(answer: ReadyAnswer, socket: Duplex, head: string): void
  /** node:http takes over. */
  handOver(passage: Passage): void
  /** When the request that `find` was last asked about came, ms since 1970. */
  readonly nowMs: number
}

const PUSH = Buffer.from('PUSH ')
const NOTHING = Buffer.alloc(0)
/** Heads of requests that could stand ready are no longer; the rest need not be made text for it. */
const HEAD_MOST = 8192
const G = 'G'.charCodeAt(0)
const H = 'H'.charCodeAt(0)

export class Passage {
  readonly socket: Duplex
  /** Requests that were answered at the door, and when the last came, ms since 1970; before the first, the connection. */
  answered = 0
  lastMs: number
  readonly #door: Door
  readonly #push: Duplex['push']
  readonly #pushed: WeakSet<IncomingMessage>
  readonly #framing = new RequestFraming()
  #isHandedOver = false
  /** Bytes that may become `PUSH ` with the next ones. */
  #held: Buffer = NOTHING
  /** Requests whose first byte went through, those that node:http has announced, and those whose answer is sent. */
  #begun = 0
  #announced = 0
  #finished = 0
  /** Which of the requests not yet announced are pushes, counted as `#begun` does. */
  readonly #pushes: number[] = []

  /** `pushed` gets the requests that came as PUSH. */
  constructor(socket: Duplex, door: Door, pushed: WeakSet<IncomingMessage>, nowMs: number) {
    this.socket = socket
    this.lastMs = nowMs
    this.#door = door
    this.#pushed = pushed
    this.#push = socket.push
    socket.push = (chunk: Buffer | null) => this.#receive(chunk)
  }

  /** What came stands in the first `length` bytes of `buffer`, which is somebody else's. Whether more may come. */
  read(buffer: Buffer, length: number): boolean {
    if (this.#isQuiet && this.#isAnswered(buffer, length)) return true
    // The bytes stay here: the buffer is filled anew as soon as this returns.
    return this.#forward(Buffer.from(buffer.subarray(0, length)))
  }

  /** Nothing is answered here before node:http has it. */
  passOn(): void {
    this.#isHandedOver = true
    this.#door.handOver(this)
  }

  /** The next request's head was read whole. */
  arrived(request: IncomingMessage, response: ServerResponse): void {
    this.#announced++
    response.once('close', () => this.#finished++)
    if (this.#pushes[0] !== this.#announced) return
    this.#pushes.shift()
    this.#pushed.add(request)
  }

  #receive(chunk: Buffer | null): boolean {
    if (chunk !== null) {
      if (this.#isQuiet && this.#isAnswered(chunk, chunk.length)) return true
      return this.#forward(chunk)
    }
    if (!this.#isHandedOver) return this.#push.call(this.socket, null)
    const held = this.#held
    this.#held = NOTHING
    if (held.length > 0) this.#pass(held)
    return this.#pass(null)
  }

  /** Nothing is under way: the next byte is the first of a request, and every answer before it has been sent. */
  get #isQuiet(): boolean {
    if (this.socket.writableLength > 0 || this.socket.writableEnded) return false
    if (!this.#isHandedOver) return true
    return this.#finished === this.#begun && this.#framing.isAtStart && this.#held.length === 0
  }

  #isAnswered(bytes: Buffer, length: number): boolean {
    const first = bytes[0]
    if ((first !== G && first !== H) || length > HEAD_MOST) return false
    const head = bytes.toString('latin1', 0, length)
    const answer = this.#door.find(head, this.socket)
    if (answer === undefined) return false
    this.answered++
    this.lastMs = this.#door.nowMs
    this.#door.send(answer, this.socket, head)
    return true
  }

  #forward(chunk: Buffer): boolean {
    if (!this.#isHandedOver) this.passOn()
    if (this.#framing.isLost) return this.#push.call(this.socket, chunk)
    const held = this.#held
    this.#held = NOTHING
    return this.#pass(this.#translated(held.length === 0 ? chunk : Buffer.concat([held, chunk])))
  }

  /** An empty chunk counts as well: the socket is asked for more when it has been passed on. */
  #pass(chunk: Buffer | null): boolean {
    return this.#push.call(this.socket, chunk)
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
