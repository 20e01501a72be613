/** Upload forms sent to an index elsewhere: streamed, with their length told first, and never waited for without end. */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { BlobStore } from '../../blob/blob-store.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Limits } from '../../model/limits.ts'
import { judgedConnect } from '../../upstream/judged-connect.ts'
import type { OutgoingPolicy, Reach } from '../../upstream/outgoing-policy.ts'
import { believeSystem } from '../../upstream/tls.ts'
import type { Elsewhere } from './push-order.ts'

/** A list is a field that is sent several times; what is empty is not sent. */
export type OutwardFields = Readonly<Record<string, string | readonly string[]>>

export interface FormFile {
  readonly filename: string
  readonly digest: Digest
  readonly sizeBytes: number
}

/** The connections to one index, for one push. */
export class OutwardForms implements AsyncDisposable {
  readonly #to: Elsewhere
  readonly #blobs: BlobStore
  readonly #limits: Limits
  readonly #userAgent: string
  readonly #policy: OutgoingPolicy
  readonly #reach: Reach
  #agent: Promise<EnvHttpProxyAgent> | undefined

  constructor(
    to: Elsewhere,
    options: {
      readonly blobs: BlobStore
      readonly limits: Limits
      readonly userAgent: string
      readonly policy: OutgoingPolicy
      readonly reach: Reach
    },
  ) {
    const { blobs, limits, userAgent, policy, reach } = options
    this.#policy = policy
    this.#reach = reach
    this.#to = to
    this.#blobs = blobs
    this.#limits = limits
    this.#userAgent = userAgent
  }

  /** Sends one form, with the file as its `content`. Gives the status and the beginning of the answer. Throws without one. */
  async send(fields: OutwardFields, file?: FormFile): Promise<{ readonly status: number; readonly text: string }> {
    const { url, username, password } = this.#to
    const { hostname, port, protocol } = url
    // Also where a proxy makes the connection.
    this.#policy.checkName({ hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) }, this.#reach)
    const boundary = `airlock-${randomUUID()}`
    const head = Buffer.from(textParts(fields, boundary) + (file === undefined ? '' : fileHead(file, boundary)))
    const tail = Buffer.from(`${file === undefined ? '' : '\r\n'}--${boundary}--\r\n`)
    this.#agent ??= this.#connected()
    const answer = await (await this.#agent).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': String(head.length + (file?.sizeBytes ?? 0) + tail.length),
        'user-agent': this.#userAgent,
        accept: '*/*',
      },
      body: Readable.from(this.#body(head, file, tail), { objectMode: false }),
    })
    return { status: answer.statusCode, text: await this.#beginning(answer.body) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#agent)?.destroy()
  }

  async #connected(): Promise<EnvHttpProxyAgent> {
    const { EnvHttpProxyAgent } = await import('undici')
    believeSystem()
    return new EnvHttpProxyAgent({
      connections: 1,
      connect: await judgedConnect(this.#policy, this.#reach, { timeout: this.#limits.connectMs }),
      // Begins anew with each piece that the other side takes.
      headersTimeout: this.#limits.outwardAnswerMs,
      bodyTimeout: this.#limits.upstreamSilenceMs,
    })
  }

  /** Throws when the other side takes it slower than a trickle: it would hold the push for days. */
  async *#body(head: Buffer, file: FormFile | undefined, tail: Buffer): AsyncGenerator<Uint8Array> {
    const { trickleWindowMs, trickleBytesPerSecond } = this.#limits
    const least = (trickleBytesPerSecond * trickleWindowMs) / 1000
    let windowStart = performance.now()
    let inWindow = 0
    yield head
    for await (const chunk of file === undefined ? [] : await this.#blobs.open(file.digest)) {
      yield chunk
      inWindow += chunk.length
      const elapsedMs = performance.now() - windowStart
      if (elapsedMs < trickleWindowMs) continue
      if (inWindow < least) throw new Error(`it took ${inWindow} bytes in ${Math.round(elapsedMs / 1000)} s`)
      windowStart = performance.now()
      inWindow = 0
    }
    yield tail
  }

  async #beginning(body: Dispatcher.ResponseData['body']): Promise<string> {
    const { outwardAnswerBytes, outwardAnswerMs } = this.#limits
    const late = setTimeout(() => body.destroy(new Error('it did not come to the end of its answer')), outwardAnswerMs)
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        chunks.push(chunk)
        size += chunk.length
        if (size >= outwardAnswerBytes) break
      }
    } finally {
      clearTimeout(late)
    }
    return Buffer.concat(chunks).subarray(0, outwardAnswerBytes).toString('utf8')
  }
}

function textParts(fields: OutwardFields, boundary: string): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => [value].flat().map((each) => [name, each] as const))
    .filter(([, value]) => value !== '')
    .map(
      ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
    )
    .join('')
}

function fileHead({ filename }: FormFile, boundary: string): string {
  return (
    `--${boundary}\r\nContent-Disposition: form-data; name="content"; filename="${quoted(filename)}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n'
  )
}

/** As browsers write what would end the name. */
function quoted(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
