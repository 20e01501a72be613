/** Sequences of requests with bytes put in, taken out and changed, cut into pieces. The same seed gives the same. */
import { cut } from '../world/paired-connection.ts'

export interface Mutated {
  /** How many it was made of. */
  readonly requests: number
  readonly pieces: readonly Buffer[]
  /** Between two pieces. */
  readonly pauseMs: number
}

/** What may stand beside the requests that stand ready. */
const OTHERS = [
  'GET /+api HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /+login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  'POST /root/fuzz/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n',
  'GET /root/fuzz/+simple/nothing/ HTTP/1.1\r\nHost: x\r\n\r\n',
]
/** What stands between the parts of a request, and what does not belong there. */
export const BYTES = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\xff',
  ':',
  ';',
  '"',
  '\\',
  '0',
  '1',
  'f',
  ',',
  '+',
  '-',
]
const NASTY = [
  ...BYTES,
  ...['/', '?', '%2b', '..', '#'],
  ...['HTTP/1.0', 'HTTP/1.1', 'Host: y\r\n', 'GET ', 'HEAD ', ' HTTP/1.1\r\n', 'http://x', '?format=', '?a=b'],
  ...['Content-Length: 0\r\n', 'Content-Length: 5\r\n', 'Content-Length: 5, 5\r\n', 'content-length : 3\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding:\tx\r\n'],
  ...['Connection: close\r\n', 'Connection: upgrade\r\nUpgrade: h2c\r\n', 'Expect: 100-continue\r\n', 'Expect: x\r\n'],
  ...['Authorization: Basic eDp5\r\n', 'X-Devpi-Auth: eDp5\r\n', 'Cookie: a=b\r\n', 'Range: bytes=0-3\r\n'],
  ...[
    'If-None-Match: *\r\n',
    'If-None-Match: "x"\r\n',
    'If-Modified-Since: Sat, 28 Nov 2099 05:00:00 GMT\r\n',
    'If-Match: "x"\r\n',
  ],
  ...['Accept: */*\r\n', 'Accept: text/html;q=0\r\n', 'Accept-Encoding: identity\r\n', 'Accept-Encoding: zstd\r\n'],
  ...[
    'X-Outside-Url: http://o/p\r\n',
    'X-Forwarded-Host: h\r\n',
    'Forwarded: host=h\r\n',
    'X-Forwarded-For: 1.2.3.4\r\n',
  ],
  ...[
    'X-Devpi-Absolute-Urls: 1\r\n',
    'Origin: http://x\r\n',
    'X-Unknown: 1\r\n',
    ' folded\r\n',
    'User-Agent: Mozilla/5.0\r\n',
  ],
  `X-Long: ${'x'.repeat(20_000)}\r\n`,
  'X-Many: y\r\n'.repeat(300),
]

export class Mutations {
  readonly #requests: readonly string[]
  #state: number

  constructor(requests: readonly Buffer[], seed: number) {
    this.#requests = requests.map((request) => request.toString('latin1'))
    this.#state = seed | 1
  }

  next(): Mutated {
    const parts = Array.from({ length: 1 + this.#below(4) }, () =>
      this.#of(this.#below(5) === 0 ? OTHERS : this.#requests),
    )
    for (let left = this.#of([0, 1, 1, 2, 3]); left > 0; left--) {
      const at = this.#below(parts.length)
      parts[at] = this.#changed(parts[at]!)
    }
    const bytes = Buffer.from(parts.join(''), 'latin1')
    const kind = this.#below(100)
    return {
      requests: parts.length,
      pieces: cut(bytes, this.#offsets(kind, parts, bytes.length)),
      pauseMs: kind === 99 ? 20 : 2,
    }
  }

  /** One request to a piece; all in one; cut anywhere; every byte by itself. */
  #offsets(kind: number, parts: readonly string[], length: number): number[] {
    if (kind < 50) return ends(parts).filter((at) => at > 0 && at < length)
    if (kind < 65) return []
    if (kind < 98) return Array.from({ length: 1 + this.#below(5) }, () => this.#below(length)).sort((a, b) => a - b)
    return Array.from({ length: Math.max(0, Math.min(400, length) - 1) }, (_, at) => at + 1)
  }

  #changed(text: string): string {
    // Where a line ends is where it matters most.
    const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index + 2)
    const at = this.#below(2) === 0 && ends.length > 0 ? this.#of(ends) : this.#below(text.length + 1)
    const taken = this.#of([0, 0, 0, 1, 1, 2, 4, 20])
    const put =
      this.#below(4) === 0 ? String.fromCharCode(this.#below(256)) : this.#below(8) === 0 ? '' : this.#of(NASTY)
    return text.slice(0, at) + put + text.slice(at + taken)
  }

  #of<T>(all: readonly T[]): T {
    return all[this.#below(all.length)]!
  }

  /** Marsaglia's xorshift32. */
  #below(bound: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % bound
  }
}

/** Where each part but the last ends. */
function ends(parts: readonly string[]): number[] {
  let at = 0
  return parts.slice(0, -1).map((part) => (at += part.length))
}
