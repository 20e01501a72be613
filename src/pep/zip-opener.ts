/** Opens a zip over ranged reads, so that no more of it is read than its end, its directory and the members asked for. */
import { Readable } from 'node:stream'
import yauzl from 'yauzl'
import { ArchiveError, type WatchedSource } from './archive-source.ts'

/** The directory is read entry by entry; blocks of this size, the last few kept, make that few reads of the source. */
const BLOCK_BYTES = 64 * 1024
const BLOCKS_KEPT = 4

/** Throws `ArchiveError` for what does not begin and end as a zip with members does. The caller closes it. */
export async function openZip(
  source: WatchedSource,
  options: { readonly decodeStrings: boolean; readonly strictFileNames: boolean },
): Promise<yauzl.ZipFile> {
  const first = Buffer.concat(await Array.fromAsync(source.read(0, Math.min(4, source.size))))
  if (first.toString('latin1') !== 'PK\x03\x04')
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

  constructor(source: WatchedSource) {
    super()
    this.source = source
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
    for (let done = 0; done < length; ) {
      const number = Math.floor((position + done) / BLOCK_BYTES)
      const block = await this.block(number)
      const from = position + done - number * BLOCK_BYTES
      const copied = block.copy(buffer, offset + done, from, from + length - done)
      if (copied === 0) throw new ArchiveError('damaged', 'it ends too early')
      done += copied
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
