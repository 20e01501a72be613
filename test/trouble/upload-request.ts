/** The upload form as twine sends it, over a plain connection: the file may be a stream of any size. */
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { pipeline } from 'node:stream/promises'

export interface UploadRequest {
  /** The index: `http://host:port/user/index/`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly name: string
  readonly version: string
  readonly filename: string
  readonly sha256?: string
  readonly sizeBytes: number
  readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** Gives the answer; throws when the connection breaks before all of it came. */
export async function sendUpload(upload: UploadRequest): Promise<{ readonly status: number; readonly text: string }> {
  const boundary = randomUUID()
  const fields = {
    ':action': 'file_upload',
    protocol_version: '1',
    metadata_version: '2.1',
    name: upload.name,
    version: upload.version,
    filetype: 'bdist_wheel',
    pyversion: 'py3',
    ...(upload.sha256 !== undefined && { sha256_digest: upload.sha256 }),
  }
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const type = 'Content-Type: application/octet-stream'
  parts.push(
    `--${boundary}\r\nContent-Disposition: form-data; name="content"; filename="${upload.filename}"\r\n${type}\r\n\r\n`,
  )
  const head = Buffer.from(parts.join(''))
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const sending = request(upload.url, {
    method: 'POST',
    agent: false,
    headers: {
      ...upload.headers,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + upload.sizeBytes + tail.length),
    },
  })
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    sending.on('error', reject)
    sending.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('error', reject)
      response.on('close', () => {
        if (response.complete) resolve({ status: response.statusCode ?? 0, text })
        else reject(new Error('Cannot read the answer: the connection broke'))
      })
    })
  })
  async function* body() {
    yield head
    yield* upload.content
    yield tail
  }
  const [answer] = await Promise.all([answered, pipeline(body(), sending)])
  return answer
}
