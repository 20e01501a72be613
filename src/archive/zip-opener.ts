/** Opens a zip over ranged reads, so that no more of it is read than its end, its directory and the members asked for. */
import { Readable } from 'node:stream'
import yauzl from 'yauzl'
import { ArchiveError, type WatchedSource } from './source.ts'
import { ZIP64_LOCATOR_BYTES } from './zip-end.ts'

/** The directory is read entry by entry; blocks of this size, the last few kept, make that few reads of the source. */
const BLOCK_BYTES = 64 * 1024
const BLOCKS_KEPT = 4

/** Throws `ArchiveError` for what does not begin and end as a zip with members does. The caller closes it. */
export async function openZip(
  source: WatchedSource,
  options: { readonly decodeStrings: boolean; readonly strictFileNames: boolean },
): Promise<yauzl.ZipFile> {
  const isFar = source.endAt !== undefined
  const first = isFar ? undefined : Buffer.concat(await Array.fromAsync(source.read(0, Math.min(4, source.size))))
  if (first !== undefined && first.toString('latin1') !== 'PK\x03\x04')
    throw new ArchiveError('not-an-archive', 'it does not begin as a zip does')
  try {
    return await yauzl.fromRandomAccessReaderPromise(new BlockReader(source), source.size, {
      autoClose: false,
      validateEntrySizes: true,
      ...options,
    })
  } catch (error) {
    throw source.explain(error, 'it is no zip, or was cut short')
  }
}

/** Answers yauzl's many small reads from blocks of the source. */
class BlockReader extends yauzl.RandomAccessReader {
  private readonly source: WatchedSource
  private readonly blocks = new Map<number, Buffer>()
  /** What precedes it is of no interest to the first read, which looks for the end record. */
  private searchFrom: number

  constructor(source: WatchedSource) {
    super()
    this.source = source
    this.searchFrom = source.endAt === undefined ? 0 : Math.max(0, source.endAt - ZIP64_LOCATOR_BYTES)
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.source.read(start, end), { objectMode: false })
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.fill(buffer, offset, length, position).then(
      () => callback(null),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    )
  }

  private async fill(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    const skipped = Math.min(length, Math.max(0, this.searchFrom - position))
    this.searchFrom = 0
    buffer.fill(0, offset, offset + skipped)
    // A source far away keeps what it read itself, and no more than is needed is asked of it.
    if (this.source.endAt !== undefined) return await this.fillExactly(buffer, offset, length, position, skipped)
    for (let done = skipped; done < length; ) {
      const number = Math.floor((position + done) / BLOCK_BYTES)
      const block = await this.block(number)
      const from = position + done - number * BLOCK_BYTES
      const copied = block.copy(buffer, offset + done, from, from + length - done)
      if (copied === 0) throw new ArchiveError('damaged', 'it ends too early')
      done += copied
    }
  }

  private async fillExactly(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    skipped: number,
  ): Promise<void> {
    if (position + length > this.source.size) throw new ArchiveError('damaged', 'it ends too early')
    let at = offset + skipped
    for await (const chunk of this.source.read(position + skipped, position + length)) {
      buffer.set(chunk, at)
      at += chunk.length
    }
  }

  private async block(number: number): Promise<Buffer> {
    const kept = this.blocks.get(number)
    if (kept !== undefined) return kept
    const start = number * BLOCK_BYTES
    const end = Math.min(start + BLOCK_BYTES, this.source.size)
    if (start >= end) throw new ArchiveError('damaged', 'it ends too early')
    const block = Buffer.concat(await Array.fromAsync(this.source.read(start, end)))
    if (this.blocks.size >= BLOCKS_KEPT) this.blocks.delete(this.blocks.keys().next().value!)
    this.blocks.set(number, block)
    return block
  }
}
