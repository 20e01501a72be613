/**
 * A strict parser of request heads: it accepts only heads that every HTTP/1.1 parser reads alike, and leaves the others
 * to node:http.
 */

/** The end of a request's body: after a number of bytes (0: no body), or after its last chunk. */
export type BodyFraming = number | 'chunked'

/** Request line and fields of RFC 9112 §3 and §5, without folded lines, bare line ends, or spaces where none belong. */
const PLAIN_HEAD = /^[A-Z-]+ [!-~\x80-\xff]+ HTTP\/1\.1(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*)*$/
const PLAIN_TRAILERS = /^(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*)*$/
/** A size of at most 48 bits and extensions (RFC 9112 §7.1) without quoted pairs. */
const PLAIN_CHUNK = /^([0-9A-Fa-f]{1,12})(?:;[\t -[\]-~]*)?$/
/** Fields on which it depends where a request ends, or whether another follows. */
const TELLING = /(content-length|transfer-encoding|connection|proxy-connection|upgrade|expect):[ \t]*([^\r]*)/iy
/** A quadrillion bytes: exact as a number. */
const PLAIN_LENGTH = /^[0-9]{1,15}$/

/**
 * The framing of the body after `head`, which is given as latin1 text without the empty line that ends it. `undefined`:
 * doubtful, or nothing follows this request on its connection.
 */
export function bodyFraming(head: string): BodyFraming | undefined {
  if (!PLAIN_HEAD.test(head) || head.startsWith('CONNECT ')) return undefined
  let body: BodyFraming | undefined
  for (const [name, value] of tellingFields(head)) {
    switch (name) {
      case 'content-length':
        if (body !== undefined || !PLAIN_LENGTH.test(value)) return undefined
        body = Number(value)
        break
      case 'transfer-encoding':
        if (body !== undefined || value.toLowerCase() !== 'chunked') return undefined
        body = 'chunked'
        break
      case 'expect':
        if (value.toLowerCase() !== '100-continue') return undefined
        break
      case 'upgrade':
        return undefined
      default:
        if (value.toLowerCase() !== 'keep-alive') return undefined
    }
  }
  return body ?? 0
}

/** The size that the line before a chunk gives (without its line end), in bytes. `undefined`: doubtful. */
export function chunkBytes(line: string): number | undefined {
  const size = PLAIN_CHUNK.exec(line)?.[1]
  return size === undefined ? undefined : Number.parseInt(size, 16)
}

/** Whether the fields after the last chunk, each with the line end before it, leave open where the request ends. */
export function areDoubtful(trailers: string): boolean {
  return !PLAIN_TRAILERS.test(trailers) || tellingFields(trailers).length > 0
}

/** Names in lower case, and values. Most fields are passed over by their first letter: this is asked of every request. */
function tellingFields(text: string): [name: string, value: string][] {
  const found: [string, string][] = []
  for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n', end + 2)) {
    if (!'ctpueCTPUE'.includes(text.charAt(end + 2))) continue
    TELLING.lastIndex = end + 2
    const field = TELLING.exec(text)
    if (field !== null) found.push([field[1]!.toLowerCase(), field[2]!])
  }
  return found
}
