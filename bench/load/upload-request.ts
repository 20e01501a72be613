/** An upload as it goes over the wire, made whole in advance. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { digestOf } from '../../src/lib/digest.ts'
import { type FormPart, fieldParts, multipart } from '../../test/builders/multipart.ts'
import type { HugeFile } from '../content/content.ts'
import { build, described, HUGE, type WantedFile } from '../content/wanted-files.ts'
import type { UploadAddress } from '../peers/peer.ts'

/** The form that twine sends, with these headers. */
export function uploadRequest(port: number, path: string, headers: UploadAddress['headers'], file: WantedFile): Buffer {
  const { filename, bytes } = build(file)
  const content = { name: 'content', filename, content: bytes }
  const { contentType, body } = multipart([
    ...formOf(file.project, file.version, file.tag.split('-')[0]!),
    ...fieldParts({ ...described(file), requires_python: '>=3.9', sha256_digest: digestOf(bytes) }),
    content,
  ])
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    ...headers,
    'content-type': contentType,
    'content-length': String(body.length),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body])
}

/** Sends the huge file. Throws when it is refused. */
export async function uploadHuge(port: number, { path, headers }: UploadAddress, huge: HugeFile): Promise<void> {
  const mark = 'the content comes here'
  const { contentType, body } = multipart([
    ...formOf(HUGE, '1.0', 'py3'),
    { name: 'content', filename: huge.filename, content: mark },
  ])
  const at = body.indexOf(mark)
  const [before, after] = [body.subarray(0, at), body.subarray(at + mark.length)]
  const { size } = await stat(huge.path)
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': contentType,
      'content-length': String(before.length + size + after.length),
    },
    body: Readable.from(wrapped(before, createReadStream(huge.path), after)),
    headersTimeout: 0,
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200)
    throw new Error(`Cannot upload "${huge.filename}": ${answer.statusCode} ${text.slice(0, 500)}`)
}

function formOf(name: string, version: string, pyversion: string): FormPart[] {
  return fieldParts({
    ':action': 'file_upload',
    protocol_version: '1',
    metadata_version: '2.1',
    name,
    version,
    filetype: 'bdist_wheel',
    pyversion,
  })
}

async function* wrapped(before: Buffer, content: AsyncIterable<Buffer>, after: Buffer): AsyncGenerator<Buffer> {
  yield before
  yield* content
  yield after
}
