/** A connection to an http.Server without a network: every piece that is sent arrives as a chunk of its own. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { duplexPair } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { cameAsPush } from '../../src/http/door/front-door.ts'

/** One request as the handler got it. */
export interface Heard {
  /** `PUSH` where the front door says so. */
  readonly said: string
  readonly method: string
  readonly url: string
  /** Bytes and hash of what came of the body. */
  body: string
  isComplete: boolean
}

export interface Exchange {
  readonly heard: readonly Heard[]
  /** All that was answered, as latin1. */
  readonly answered: string
}

/** Answers each request, when its body is there, with what was heard. */
export class Listener {
  readonly server: Server = createServer((request, response) => {
    const { method = '', url = '' } = request
    const heard: Heard = { said: cameAsPush(request) ? 'PUSH' : method, method, url, body: '', isComplete: false }
    this.#heard.push(heard)
    const hash = createHash('sha256')
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      hash.update(chunk)
    })
    request.on('error', () => {})
    request.on('close', () => {
      heard.isComplete = request.complete
      heard.body = `${bytes} ${hash.digest('hex')}`
    })
    request.on('end', () => {
      response.sendDate = false
      response.end(`${method} ${url} ${bytes}\n`)
    })
  })
  #heard: Heard[] = []

  /** Sends the pieces on one connection, waits until nothing is answered any more, and ends it. */
  async exchange(pieces: readonly Uint8Array[]): Promise<Exchange> {
    this.#heard = []
    const [ours, theirs] = duplexPair()
    const answered: Buffer[] = []
    let news = 0
    const closed = new Promise<void>((resolve) => ours.once('close', resolve))
    ours.on('data', (chunk: Buffer) => {
      news++
      answered.push(chunk)
    })
    ours.on('end', () => ours.destroy())
    ours.on('error', () => {})
    this.server.emit('connection', theirs)
    for (const piece of pieces) ours.write(piece)
    for (let known = -1; known !== news || this.#pending(ours.writableLength); ) {
      known = news
      for (let turns = 0; turns < 10; turns++) await turn()
      if (ours.destroyed) break
    }
    ours.end()
    await closed
    // An aborted request closes a turn later.
    await turn()
    return { heard: this.#heard, answered: Buffer.concat(answered).toString('latin1') }
  }

  #last = 0
  #pending(unsent: number): boolean {
    const isMoving = unsent !== this.#last
    this.#last = unsent
    return isMoving
  }
}

/** `bytes` in pieces that end at the given offsets. */
export function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...offsets, bytes.length]
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter((piece) => piece.length > 0)
}
