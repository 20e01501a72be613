/** Requests and answers as bytes: what no HTTP client would send can be sent, and the reason phrase can be read. */
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly reason: string
  /** Lower-case names; of several with one name, joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Without the framing of chunks. */
  readonly body: Buffer
}

const ANSWER_MS = 60_000
const ANSWER_BYTES = 16 * 1024 * 1024

/**
 * Sends `request` on a connection of its own and reads until the server closes it; the request must ask for that.
 * Gives `undefined` when the connection closes without an answer. Throws for an answer that is not HTTP, or takes a minute.
 */
export async function exchange(url: string, request: Buffer): Promise<RawAnswer | undefined> {
  const { hostname, port } = new URL(url)
  const received = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request))
    const chunks: Buffer[] = []
    let size = 0
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy(new Error(`Cannot read an answer to ${JSON.stringify(request.toString('latin1').slice(0, 100))}`))
    })
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > ANSWER_BYTES) socket.destroy(new Error('Cannot read an answer: it is too long'))
    })
    // A server that refuses while a body is still on its way may reset the connection after its answer.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(Buffer.concat(chunks))
      else reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(chunks)))
  })
  return received.length === 0 ? undefined : parseAnswer(received)
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = bytes
    .subarray(0, end === -1 ? bytes.length : end)
    .toString('latin1')
    .split('\r\n')
  const found = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine)
  if (found === null || end === -1)
    throw new Error(`Cannot read an answer: it begins with ${JSON.stringify(statusLine)}`)
  const status = Number(found[1])
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*?)\s*$/.exec(line) ?? []
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  if (status === 100) return parseAnswer(bytes.subarray(end + 4))
  const rest = bytes.subarray(end + 4)
  const body = /chunked/i.test(headers['transfer-encoding'] ?? '') ? unchunked(rest) : rest
  return { status, reason: found[2]!, headers, body }
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (lineEnd === -1 || Number.isNaN(size)) throw new Error('Cannot read an answer: a chunk has no size')
    if (size === 0) break
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return Buffer.concat(parts)
}
