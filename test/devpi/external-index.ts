/** An index elsewhere that releases are pushed to: takes every form, and remembers what was in it. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Busboy } from '@fastify/busboy'
import { type Listener, listen } from '../world/listener.ts'

/** One form that came in: its fields, the digest of its file, and the credentials as they were sent. */
export interface ReceivedForm {
  readonly path: string
  readonly authorization: string | undefined
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly file?: { readonly field: string; readonly filename: string; readonly sha256: string }
}

export interface ExternalIndex extends AsyncDisposable {
  readonly url: string
  /** What came in since the last call. */
  takeReceived(): ReceivedForm[]
}

/** Answers 200; below `/status/NNN/` with that status; 409 with a sentence below `/taken/`. */
export async function startExternalIndex(): Promise<ExternalIndex> {
  let received: ReceivedForm[] = []
  const listener: Listener = await listen(async (request, response) => {
    const path = request.url ?? '/'
    received.push(await readForm(request, path))
    const status = Number(/^\/status\/(\d{3})\//.exec(path)?.[1] ?? 200)
    response.writeHead(status, { 'content-type': 'text/plain' })
    response.end(status === 200 ? '' : `Said ${status}\n`)
  })
  return {
    url: listener.url,
    takeReceived() {
      const taken = received
      received = []
      return taken
    },
    [Symbol.asyncDispose]: () => listener.close(),
  }
}

async function readForm(request: IncomingMessage, path: string): Promise<ReceivedForm> {
  const fields: Record<string, string[]> = {}
  let file: ReceivedForm['file']
  const { authorization, 'content-type': type } = request.headers
  if (/^(multipart\/form-data|application\/x-www-form-urlencoded)/.test(type ?? '')) {
    await new Promise<void>((resolve, reject) => {
      const parser = new Busboy({ headers: { ...request.headers, 'content-type': type! } })
      parser.on('field', (name, value) => {
        // An empty field says as much as none.
        if (value !== '') fields[name] = [...(fields[name] ?? []), value]
      })
      parser.on('file', (field, stream, filename) => {
        const hash = createHash('sha256')
        stream.on('data', (chunk: Buffer) => hash.update(chunk))
        stream.on('end', () => {
          file = { field, filename, sha256: hash.digest('hex') }
        })
      })
      parser.on('finish', resolve)
      parser.on('error', reject)
      request.pipe(parser)
    })
  } else request.resume()
  return { path, authorization, fields, ...(file !== undefined && { file }) }
}
