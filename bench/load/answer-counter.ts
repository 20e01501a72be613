/** Tells where one HTTP/1.1 answer ends and what its status is, holding nothing of its body. */

/** What an answer that has ended was. */
export interface Ended {
  readonly status: number
  /** Of its body as it came over the wire, the frames of chunks included. */
  readonly bodyBytes: number
  /** The server closes the connection after it. */
  readonly closes: boolean
}

const HEAD_END = Buffer.from('\r\n\r\n')
const HEAD_BYTES_MOST = 64 * 1024

/** For one connection, on which one request at a time is under way. */
export class AnswerCounter {
  /** What came of a head, or of the line before a chunk, and does not end yet. */
  #rest = Buffer.alloc(0)
  #state: 'head' | 'body' | 'until-close' | 'chunk-line' | 'chunk' | 'trailer' = 'head'
  #left = 0
  #status = 0
  #bodyBytes = 0
  #closes = false
  /** The last head, and the whole answer it began: a server that is asked for the same repeats it until its clock moves on. */
  #known: { readonly head: Buffer; readonly ended: Ended } | undefined

  /** Takes what came and tells of the answer that ends with it. Throws for what is not HTTP, or comes unasked. */
  take(data: Buffer): Ended | undefined {
    const known = this.#known
    if (known !== undefined && this.#state === 'head' && this.#rest.length === 0) {
      const { length } = known.head
      if (data.length === length + known.ended.bodyBytes && data.compare(known.head, 0, length, 0, length) === 0)
        return known.ended
    }
    return this.#read(data)
  }

  /** The connection has been closed by the server, which ends an answer of no told length. */
  closed(): Ended | undefined {
    return this.#state === 'until-close' ? this.#end() : undefined
  }

  #read(data: Buffer): Ended | undefined {
    let at = 0
    while (at < data.length) {
      if (this.#state === 'body' || this.#state === 'chunk') {
        const taken = Math.min(this.#left, data.length - at)
        at += taken
        this.#left -= taken
        this.#bodyBytes += taken
        if (this.#left > 0) return undefined
        if (this.#state === 'chunk') this.#state = 'chunk-line'
        else return this.#last(data, at)
        continue
      }
      if (this.#state === 'until-close') {
        this.#bodyBytes += data.length - at
        return undefined
      }
      const mark = this.#state === 'head' ? HEAD_END : HEAD_END.subarray(0, 2)
      const text = this.#rest.length === 0 ? data.subarray(at) : Buffer.concat([this.#rest, data.subarray(at)])
      const end = text.indexOf(mark)
      if (end < 0) {
        if (text.length > HEAD_BYTES_MOST) throw new Error('Cannot read an answer: its head does not end')
        this.#rest = Buffer.from(text)
        return undefined
      }
      at += end + mark.length - this.#rest.length
      this.#rest = Buffer.alloc(0)
      if (this.#readLine(text.subarray(0, end + mark.length))) return this.#last(data, at)
    }
    return undefined
  }

  /** Whether the answer ends with this head, or line. */
  #readLine(line: Buffer): boolean {
    if (this.#state === 'head') return this.#readHead(line)
    const text = line.toString('latin1').trim()
    this.#bodyBytes += line.length
    if (this.#state === 'trailer') return text === ''
    const size = Number.parseInt(text, 16)
    if (Number.isNaN(size)) throw new Error(`Cannot read an answer: "${text}" is not the size of a chunk`)
    this.#state = size === 0 ? 'trailer' : 'chunk'
    this.#left = size + 2
    return false
  }

  #readHead(head: Buffer): boolean {
    const text = head.toString('latin1')
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]
    if (status === undefined) throw new Error(`Cannot read an answer: it begins with "${text.slice(0, 40)}"`)
    this.#status = Number(status)
    this.#bodyBytes = 0
    this.#closes = /^connection: *close/im.test(text) || text.startsWith('HTTP/1.0')
    if (status.startsWith('1')) return false
    const length = /^content-length: *(\d+)/im.exec(text)?.[1]
    if (status === '304' || status === '204' || length === '0') {
      this.#remember(head, 0)
      return true
    }
    if (length !== undefined) {
      this.#left = Number(length)
      this.#remember(head, this.#left)
      this.#state = 'body'
    } else this.#state = /^transfer-encoding: *chunked/im.test(text) ? 'chunk-line' : 'until-close'
    return false
  }

  #remember(head: Buffer, bodyBytes: number): void {
    this.#known = { head: Buffer.from(head), ended: { status: this.#status, bodyBytes, closes: this.#closes } }
  }

  #last(data: Buffer, at: number): Ended {
    if (at < data.length) throw new Error(`Cannot count answers: ${data.length - at} bytes came that nobody asked for`)
    return this.#end()
  }

  #end(): Ended {
    this.#state = 'head'
    return { status: this.#status, bodyBytes: this.#bodyBytes, closes: this.#closes }
  }
}
