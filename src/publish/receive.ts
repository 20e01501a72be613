/** The upload form as a stream: text fields with limits, the file straight into a draft. Field order does not matter. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { type BlobStore, BlobTooLarge, type Draft } from '../blob/blob-store.ts'
import { blake2b256 } from '../lib/blake2b.ts'
import { isDiskFull, Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import { type FormPart, readSmallForm, smallBoundary, wholeBody } from './small-form.ts'

type ReceiveLimits = Pick<Limits, 'uploadBytes' | 'formFieldBytes' | 'formFields' | 'smallForms'>

/** Small forms that are held whole at this moment, in this thread. */
let held = 0

export interface UploadForm {
  /** Every text field with all its values, in the order sent. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** The file part called `content`. The caller disposes the draft. */
  readonly content?: {
    readonly filename: string
    readonly draft: Draft
    /** In hex, of what was asked for by a field before the file: so it is not read again for them. */
    readonly hashes: { readonly md5?: string; readonly blake2?: string }
  }
}

/**
 * Reads a multipart form to its end. Throws `bad-request` for what is no such form, `too-large` past a limit,
 * `upload-incomplete` when the sender stops early, `disk-full`; nothing is left behind then.
 */
export async function receive(
  headers: IncomingHttpHeaders,
  body: Readable,
  blobs: BlobStore,
  limits: ReceiveLimits,
): Promise<UploadForm> {
  const boundary = held < limits.smallForms ? smallBoundary(headers) : undefined
  if (boundary === undefined) return await receiveStream(headers, body, blobs, limits)
  held++
  try {
    return await receiveWhole(headers, body, { blobs, limits, boundary })
  } finally {
    held--
  }
}

async function receiveWhole(
  headers: IncomingHttpHeaders,
  body: Readable,
  { blobs, limits, boundary }: { readonly blobs: BlobStore; readonly limits: ReceiveLimits; readonly boundary: string },
): Promise<UploadForm> {
  const bytes = await wholeBody(body).catch((error: unknown) => {
    throw explained(error)
  })
  const parts = readSmallForm(bytes, boundary, limits)
  // More than one file called content is refused there, too.
  const isOne = parts !== undefined && parts.filter(isContent).length <= 1
  return isOne
    ? await fromParts(parts, blobs, limits)
    : await receiveStream(headers, Readable.from([bytes]), blobs, limits)
}

function isContent({ name, filename }: FormPart): boolean {
  return filename !== undefined && name === 'content'
}

async function fromParts(
  parts: readonly FormPart[],
  blobs: BlobStore,
  { uploadBytes }: Pick<Limits, 'uploadBytes'>,
): Promise<UploadForm> {
  const fields = new Map<string, string[]>()
  for (const { name, filename, content } of parts)
    if (filename === undefined) add(fields, name, content.toString('utf8'))
  const file = parts.find(isContent)
  if (file === undefined) return { fields }
  let draft: Draft | undefined
  try {
    draft = await blobs.draft({ limitBytes: uploadBytes })
    await draft.append(file.content)
  } catch (error) {
    await draft?.[Symbol.asyncDispose]()
    throw explained(error)
  }
  // The other hashes are made of the draft, which is in memory.
  return { fields, content: { filename: file.filename!, draft, hashes: {} } }
}

async function receiveStream(
  headers: IncomingHttpHeaders,
  body: Readable,
  blobs: BlobStore,
  limits: ReceiveLimits,
): Promise<UploadForm> {
  const fields = new Map<string, string[]>()
  let content: UploadForm['content']
  let writing: Promise<void> | undefined
  let refusal: Problem | undefined
  const parser = openParser(headers, limits)
  const refuse = (problem: Problem) => {
    refusal ??= problem
    parser.destroy(problem)
  }

  parser.on('field', (name, value, _nameCut, isCut) => {
    if (isCut)
      refuse(new Problem('too-large', `Cannot accept field "${name}": it has more than ${limits.formFieldBytes} bytes`))
    add(fields, name, value)
  })
  parser.on('fieldsLimit', () =>
    refuse(new Problem('too-large', `Cannot accept a form with more than ${limits.formFields} fields`)),
  )
  const open = new Set<Readable>()
  parser.on('file', (name, stream, filename) => {
    // Whoever reads it is told by the stream itself; without a listener an error would end the process.
    stream.on('error', () => {})
    open.add(stream)
    stream.on('close', () => open.delete(stream))
    if (refusal !== undefined || name !== 'content') {
      // Other parts (a gpg signature) are read past: nothing here uses them.
      stream.resume()
      return
    }
    if (writing !== undefined) {
      stream.resume()
      refuse(new Problem('bad-request', 'Cannot read upload form: it has more than one file called content'))
      return
    }
    writing = (async () => {
      const draft = await blobs.draft({ limitBytes: limits.uploadBytes })
      const named = { filename: filename ?? '', draft }
      content = { ...named, hashes: {} }
      const md5 = isSaid(fields, 'md5_digest') ? createHash('md5') : undefined
      const blake2 = isSaid(fields, 'blake2_256_digest') ? await blake2b256() : undefined
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        md5?.update(chunk)
        blake2?.update(chunk)
        await draft.append(chunk)
      }
      content = {
        ...named,
        hashes: { ...(md5 && { md5: md5.digest('hex') }), ...(blake2 && { blake2: blake2.digest() }) },
      }
    })()
    writing.catch((error: unknown) => refuse(explained(error)))
  })

  try {
    await feed(body, parser)
    await writing
  } catch (error) {
    // The parser leaves the file it was in the middle of open, and its reader would wait for ever.
    for (const stream of open) stream.destroy(error as Error)
    await writing?.catch(() => {})
    await content?.draft[Symbol.asyncDispose]()
    throw refusal ?? explained(error)
  }
  return { fields, ...(content !== undefined && { content }) }
}

/**
 * Gives the parser the whole body, no faster than it takes it. Rejects with what either of them fails with. A refusal ends
 * the parser, not the body, which is left where it is: an uploader that cannot go on sending never reads why. A pipeline would
 * cost an upload of a small file about as much as reading its form.
 */
async function feed(body: Readable, parser: InstanceType<typeof Busboy>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let isParsed = false
  const take = (chunk: Buffer) => {
    if (!parser.write(chunk)) body.pause()
  }
  const goOn = () => body.resume()
  const end = () => {
    parser.end()
    if (isParsed) resolve()
  }
  const close = () => {
    if (!body.readableEnded) reject(body.errored ?? new Error('Premature close'))
  }
  parser.on('drain', goOn)
  parser.on('finish', () => {
    isParsed = true
    if (body.readableEnded) resolve()
  })
  // Stays: what it says after it was refused is of no interest, and must not end the process.
  parser.on('error', reject)
  body.on('data', take).on('end', end).on('close', close).on('error', reject)
  try {
    if (body.destroyed) close()
    await promise
  } finally {
    parser.off('drain', goOn)
    body.off('data', take).off('end', end).off('close', close).off('error', reject)
    body.pause()
  }
}

function add(fields: Map<string, string[]>, name: string, value: string): void {
  const values = fields.get(name)
  if (values === undefined) fields.set(name, [value])
  else values.push(value)
}

function isSaid(fields: UploadForm['fields'], field: string): boolean {
  return (fields.get(field)?.[0] ?? '') !== ''
}

function openParser(
  headers: IncomingHttpHeaders,
  limits: Pick<Limits, 'formFieldBytes' | 'formFields'>,
): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { fieldSize: limits.formFieldBytes, fields: limits.formFields, files: 10 },
      highWaterMark: 256 * 1024,
      fileHwm: 256 * 1024,
    })
  } catch (error) {
    throw new Problem('bad-request', `Cannot read upload form: ${(error as Error).message}`, { cause: error })
  }
}

function explained(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof BlobTooLarge) {
    return new Problem('too-large', `Cannot accept the file: it has more than ${error.limitBytes} bytes`, {
      hint: 'the server setting max_request_body_size allows larger ones',
      cause: error,
    })
  }
  if (isDiskFull(error)) {
    return new Problem('disk-full', 'Cannot keep the file: the disk of the server folder is full', {
      hint: 'free some space and upload again; nothing was changed',
      cause: error,
    })
  }
  return new Problem('upload-incomplete', `Cannot read upload form: ${(error as Error).message}`, { cause: error })
}
