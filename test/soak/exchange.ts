/** One request on a connection of its own, as clients send it that hang up, are cut off or go wrong. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { type Digest, digestOf } from '../../src/lib/digest.ts'

export interface Exchange {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Breaks the connection after so many bytes of the body were sent. */
  readonly sendOnlyBytes?: number
  /** Breaks the connection after so many bytes of the answer came. */
  readonly readOnlyBytes?: number
}

export interface Reply {
  /** 0: none. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly sha256: Digest
  /** The body ended as HTTP's framing promised. */
  readonly isComplete: boolean
  /** What the connection died of; empty where it did not. */
  readonly trouble: string
}

export const NO_REPLY: Reply = {
  status: 0,
  headers: {},
  bytes: Buffer.alloc(0),
  sha256: digestOf(''),
  isComplete: false,
  trouble: 'nobody was asked',
}

/** No answer may take longer; far more than any limit of the server, for the machine may be busy. */
const LONGEST_MS = 90_000

/** Never throws for what the server does. */
export function exchange(url: string, sent: Exchange = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, body, sendOnlyBytes, readOnlyBytes = Number.POSITIVE_INFINITY } = sent
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let status = 0
    let replied: IncomingHttpHeaders = {}
    let trouble = ''
    let received = 0
    const settle = (isComplete: boolean) => {
      clearTimeout(timer)
      const bytes = Buffer.concat(chunks)
      resolve({ status, headers: replied, bytes, sha256: digestOf(bytes), isComplete, trouble })
    }
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const asking = request(url, { method, agent: false, headers: { ...headers, ...length } }, (response) => {
      status = response.statusCode ?? 0
      replied = response.headers
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        received += chunk.length
        if (received >= readOnlyBytes) asking.destroy()
      })
      response.on('error', (error) => {
        trouble ||= error.message
      })
      response.on('close', () => settle(response.complete))
    })
    const timer = setTimeout(() => asking.destroy(new Error(`no answer in ${LONGEST_MS} ms`)), LONGEST_MS)
    asking.on('error', (error) => {
      trouble ||= error.message
      if (status === 0) settle(false)
    })
    if (sendOnlyBytes === undefined) asking.end(body)
    else asking.write(body!.subarray(0, sendOnlyBytes), () => setTimeout(() => asking.destroy(), 5))
  })
}
