/** Streams with bounds. Everything here takes and gives async iterables of bytes, so that no caller holds a file whole. */

/** What `limit` and `collect` throw when a source gives more than was allowed. */
export class TooLong extends Error {
  override readonly name = 'TooLong'
  readonly limitBytes: number
  constructor(limitBytes: number) {
    super(`Cannot read on: more than ${limitBytes} bytes were sent`)
    this.limitBytes = limitBytes
  }
}

/** Passes `source` on, and throws `TooLong` at the first byte past `limitBytes`. */
export async function* limit(source: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const chunk of source) {
    seen += chunk.length
    if (seen > limitBytes) throw new TooLong(limitBytes)
    yield chunk
  }
}

/** The whole of a source known to be small. Throws `TooLong` past `limitBytes`. */
export async function collect(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of limit(source, limitBytes)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
