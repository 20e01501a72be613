/**
 * A small form, read at once when all of it is here: uploaders send some ten fields and a file, and streams for each of them
 * cost several times as much as looking for the boundaries. Only what is as plain as the usual uploaders write it is read
 * here; of anything else, and all that is wrong, the bytes are left to the reader of streams.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Limits } from '../model/limits.ts'

/** A text field, or a file where it has a filename. */
export interface FormPart {
  readonly name: string
  readonly filename?: string
  readonly content: Buffer
}

/** Forms up to this are held whole: as much as a draft keeps in memory. */
const SMALL_BYTES = 128 * 1024
const TYPE = /^multipart\/form-data; ?boundary=(?:"([\w.'-]{1,70})"|([\w.'-]{1,70}))$/
/** Without parameters in other ways of writing, escapes or folders, of which each reader makes its own. */
const HEAD =
  /^content-disposition: form-data; name="([\w:.-]+)"(?:; filename="([\w.+!-]*\w)"(?:\r\ncontent-type: [\w.+-]+\/[\w.+-]+)?)?$/i
const HEAD_BYTES_MOST = 1024
const HEAD_END = '\r\n\r\n'
const LINE = '\r\n'
/** The reader of streams reads no more. */
const FILES_MOST = 10

/** The boundary of a form that may be read here; `undefined`: it is large, or of a length that is not told, or told in an unusual way. */
export function smallBoundary(headers: IncomingHttpHeaders): string | undefined {
  const length = headers['content-length']
  if (length === undefined || !(Number(length) <= SMALL_BYTES) || headers['transfer-encoding'] !== undefined)
    return undefined
  const found = TYPE.exec(headers['content-type'] ?? '')
  return found?.[1] ?? found?.[2]
}

/** All that comes: node:http lets no more through than the length that was told. Rejects with the failure of `body`, which is left as it is. */
export async function wholeBody(body: Readable): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const chunks: Buffer[] = []
  const take = (chunk: Buffer) => chunks.push(chunk)
  const close = () => {
    if (!body.readableEnded) reject(body.errored ?? new Error('Premature close'))
  }
  body.on('data', take).on('end', resolve).on('close', close).on('error', reject)
  try {
    if (body.destroyed) close()
    await promise
  } finally {
    body.off('data', take).off('end', resolve).off('close', close).off('error', reject)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** The parts in their order; `undefined` where the reader of streams has to look at it. */
export function readSmallForm(
  bytes: Buffer,
  boundary: string,
  limits: Pick<Limits, 'formFieldBytes' | 'formFields'>,
): readonly FormPart[] | undefined {
  const mark = `--${boundary}`
  if (bytes.toString('latin1', 0, mark.length) !== mark) return undefined
  const parts: FormPart[] = []
  const between = Buffer.from(`${LINE}${mark}`, 'latin1')
  let files = 0
  for (let at = mark.length; ; ) {
    const next = bytes.toString('latin1', at, at + 2)
    if (next === '--') return isEnd(bytes, at + 2) && parts.length > 0 ? parts : undefined
    if (next !== LINE) return undefined
    const headAt = at + 2
    const headEnd = bytes.indexOf(HEAD_END, headAt, 'latin1')
    if (headEnd < 0 || headEnd - headAt > HEAD_BYTES_MOST) return undefined
    const head = HEAD.exec(bytes.toString('latin1', headAt, headEnd))
    const start = headEnd + HEAD_END.length
    // The line's end before a boundary may be that of the head: whether such a part is one, others say.
    const end = bytes.indexOf(between, start - LINE.length)
    if (head === null || end < start) return undefined
    const [, name = '', filename] = head
    const content = bytes.subarray(start, end)
    if (filename === undefined ? content.length > limits.formFieldBytes : ++files > FILES_MOST) return undefined
    parts.push({ name, content, ...(filename !== undefined && { filename }) })
    if (parts.length - files > limits.formFields) return undefined
    at = end + between.length
  }
}

/** Nothing follows, or a line's end. */
function isEnd(bytes: Buffer, at: number): boolean {
  return at === bytes.length || (at + 2 === bytes.length && bytes.toString('latin1', at) === LINE)
}
