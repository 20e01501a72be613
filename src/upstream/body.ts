/** Decodes response bodies of upstreams: any content encodings, any character set, and vague media types. */
import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib'

/** What `decoded` reads and costs upstream nothing to send; brotli is read where it comes unasked. */
export const ENCODINGS = 'gzip, deflate, zstd'

/** More layers than this are an attack, or a proxy that talks to itself. */
const LAYERS_MOST = 3

/**
 * The bytes without their `Content-Encoding`, a list in the order of its making. Throws `Error` for one that is not known,
 * and the stream for bytes that are not what the header says. Its reader bounds what comes out.
 */
export function decoded(body: AsyncIterable<Uint8Array>, encoding: string): AsyncIterable<Uint8Array> {
  const layers = encoding
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== '' && each !== 'identity')
  if (layers.length > LAYERS_MOST) throw new Error(`it used ${layers.length} encodings, one in another`)
  return layers.reverse().reduce(withoutLayer, body)
}

/** Text in the character set that the `Content-Type` names, else UTF-8; a byte order mark is no part of it. */
export function textOf(bytes: Uint8Array, contentType: string): string {
  const named = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1]
  try {
    return new TextDecoder(named).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}

/**
 * Whether a page is JSON or HTML: by what it begins with, as web servers that know no types send both as text or as mere
 * bytes. `undefined` for a type that is no page's, whatever it begins with.
 */
export function pageForm(contentType: string, start: string): 'json' | 'html' | undefined {
  const type = contentType.split(';')[0]!.trim().toLowerCase()
  if (!PAGE_TYPE.test(type)) return undefined
  const first = /^[\uFEFF\s]*(\S?)/.exec(start)![1]
  if (first === '{') return 'json'
  if (first === '<') return 'html'
  return type.endsWith('json') ? 'json' : 'html'
}

/** The first chunk with something in it, and the body with it; an empty start is an empty body. */
export async function begun(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly start: Buffer; readonly body: AsyncIterable<Uint8Array> }> {
  const source = body[Symbol.asyncIterator]()
  let first = await source.next()
  while (first.done !== true && first.value.length === 0) first = await source.next()
  if (first.done === true) return { start: Buffer.alloc(0), body: Readable.from([]) }
  const start = first.value
  async function* whole() {
    yield start
    yield* { [Symbol.asyncIterator]: () => source }
  }
  return { start: Buffer.from(start), body: whole() }
}

const PAGE_TYPE = /^$|[/+](json|html|xml)$|^text\/plain$|\/octet-stream$/

function withoutLayer(body: AsyncIterable<Uint8Array>, encoding: string): AsyncIterable<Uint8Array> {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return through(body, createGunzip())
    case 'zstd':
      return through(body, createZstdDecompress())
    case 'br':
      return through(body, createBrotliDecompress())
    case 'deflate':
      return inflated(body)
    default:
      throw new Error(`it used the encoding "${encoding}", which was not asked for`)
  }
}

/** `deflate` means zlib's form (RFC 9110 §8.4.1.2), and some servers send the bare one; the first byte tells. */
async function* inflated(encoded: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { start, body } = await begun(encoded)
  const isZlib = ((start[0] ?? 0) & 0x0f) === 8
  yield* through(body, isZlib ? createInflate() : createInflateRaw())
}

function through(body: AsyncIterable<Uint8Array>, decoder: Transform): AsyncIterable<Uint8Array> {
  // What goes wrong is thrown to whoever reads the decoder.
  return pipeline(Readable.from(body), decoder, () => {}) as AsyncIterable<Uint8Array>
}
