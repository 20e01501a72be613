/** The upload form (`multipart/form-data`, RFC 7578) as bytes of known length, the file streamed and never held. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { RequestBody } from '../connection.ts'
import type { FileToSend, SentFields } from './upload-files.ts'

/** `onProgress` is told how many bytes of the file have been handed on. */
export function uploadForm(
  file: FileToSend,
  fields: SentFields,
  onProgress?: (sentBytes: number) => void,
): RequestBody {
  const boundary = randomBytes(16).toString('hex')
  const head = Buffer.from(
    [
      ...fields.map(
        ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${safe(name)}"\r\n\r\n${value}\r\n`,
      ),
      `--${boundary}\r\nContent-Disposition: form-data; name="content"; filename="${safe(file.filename)}"\r\n`,
      'Content-Type: application/octet-stream\r\n\r\n',
    ].join(''),
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    sizeBytes: head.length + file.sizeBytes + tail.length,
    async *open() {
      yield head
      let sent = 0
      for await (const chunk of createReadStream(file.path)) {
        yield chunk
        sent += chunk.length
        onProgress?.(sent)
      }
      yield tail
    },
  }
}

/** The sha256 of the file in hex, for the form: the server can then tell a broken transfer. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** Quotes and line breaks in a name as browsers send them (HTML, "multipart/form-data encoding algorithm"). */
function safe(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
