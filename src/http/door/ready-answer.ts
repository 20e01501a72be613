/** One cached response as bytes: head and body in one buffer, with date and serial kept current. */
import type { Serial } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { labelsOf } from '../request-counts.ts'

/** The dependencies of a cached response, which decide when it is no longer valid. */
export interface Basis {
  /** What is stored of other projects does not matter. Absent: each of them does. */
  readonly project?: ProjectName
  /** After this it may be another, ms since 1970: answers that an upstream has a part in. Absent: not by time. */
  readonly untilMs?: number
  /** What is counted. */
  readonly group: 'simple' | 'files'
}

export interface AnswerParts {
  readonly status: 200 | 304
  /** In the order in which they are sent, `x-devpi-serial` among them; without those that node:http adds. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
  /** Said after `Keep-Alive: timeout=`. */
  readonly keepAliveSeconds: number
}

const SERIAL = 'x-devpi-serial'
const REASON = { 200: 'OK', 304: 'Not Modified' } as const
/** `Sat, 28 Nov 2026 05:00:00 GMT` (RFC 9110 §5.6.7) has always so many characters. */
const DATE_LENGTH = 29

export class ReadyAnswer {
  readonly status: 200 | 304
  readonly basis: Basis
  /** As they were given. */
  readonly headers: AnswerParts['headers']
  /** What it is counted as. */
  readonly labels: string
  readonly untilMs: number
  /** What it takes in memory. */
  readonly sizeBytes: number
  #isGone = false
  /** It was asked for since somebody last looked. */
  wasUsed = false
  /** Which date and serial are in the bytes, as the shelf counts them. */
  #edition = -1
  #bytes: Buffer
  readonly #beforeSerial: string
  readonly #afterSerial: string
  /** The kernel may not have taken all of `#bytes` yet: they must stay as they are. */
  #isLent = false
  readonly #bodyBytes: number
  #dateAt = 0
  #serialAt = 0
  #serial = ''

  constructor(parts: AnswerParts, basis: Basis) {
    this.status = parts.status
    this.basis = basis
    this.headers = parts.headers
    this.#bodyBytes = parts.body.length
    this.labels = labelsOf(basis.group, parts.status)
    this.untilMs = basis.untilMs ?? Number.POSITIVE_INFINITY
    const lines = parts.headers.map(([name, value]) => `${name}: ${value}\r\n`)
    const place = parts.headers.findIndex(([name]) => name === SERIAL)
    if (place < 0) throw new TypeError(`Cannot keep an answer without ${SERIAL}`)
    this.#beforeSerial = `HTTP/1.1 ${parts.status} ${REASON[parts.status]}\r\n${lines.slice(0, place).join('')}${SERIAL}: `
    this.#afterSerial = `\r\n${lines.slice(place + 1).join('')}Date: `
    const end = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${parts.keepAliveSeconds}\r\n\r\n`
    this.#bytes = Buffer.concat([Buffer.from(end, 'latin1'), parts.body])
    this.#dateAt = -DATE_LENGTH
    this.sizeBytes = this.#bytes.length + 2 * (this.#beforeSerial.length + this.#afterSerial.length)
  }

  /** It is not on the shelf any more. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Whoever still holds it holds no bytes. */
  retire(): void {
    this.#isGone = true
    this.#bytes = Buffer.alloc(0)
  }

  get body(): Buffer {
    return this.#bytes.subarray(this.#bytes.length - this.#bodyBytes)
  }

  /** The bytes to send, with this date and serial in them; `edition` tells one pair of these from another. */
  bytes(edition: number, date: string, serial: Serial): Buffer {
    if (this.#edition !== edition) {
      this.#renew(date, String(serial))
      this.#edition = edition
    }
    return this.#bytes
  }

  /** What `bytes` gave is still on its way. */
  lend(): void {
    this.#isLent = true
  }

  #renew(date: string, serial: string): void {
    if (serial.length === this.#serial.length && !this.#isLent) {
      this.#bytes.write(date, this.#dateAt, 'latin1')
      if (serial !== this.#serial) this.#bytes.write(serial, this.#serialAt, 'latin1')
    } else {
      const rest = this.#bytes.subarray(this.#dateAt + DATE_LENGTH)
      const head = `${this.#beforeSerial}${serial}${this.#afterSerial}${date}`
      // Memory of its own: a slice of a pool would keep others' alive.
      const bytes = Buffer.allocUnsafeSlow(head.length + rest.length)
      bytes.write(head, 0, 'latin1')
      rest.copy(bytes, head.length)
      this.#bytes = bytes
      this.#isLent = false
      this.#serialAt = this.#beforeSerial.length
      this.#dateAt = head.length - DATE_LENGTH
    }
    this.#serial = serial
  }
}
