/** The metadata of wheels that are not here themselves (PEP 658): fetched once however many ask, checked, and kept. */
import { type BlobInfo, BlobMissing, writeBlob } from '../blob/blob-store.ts'
import { findMetadata, saveMetadata } from '../catalog/mirror-uses.ts'
import { type Digest, digestOf } from '../lib/digest.ts'
import { collect, TooLong } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import type { MirrorFilesOptions } from './mirror-files.ts'

export class MirrorMetadata {
  readonly #options: Omit<MirrorFilesOptions, 'uses' | 'room'>
  readonly #flights = new Map<Digest, Promise<Buffer>>()

  constructor(options: Omit<MirrorFilesOptions, 'uses' | 'room'>) {
    this.#options = options
  }

  /** What has the digest that upstream's page announces. Throws `upstream-failed` when upstream sends something else. */
  async read(wheel: { readonly filename: string; readonly url: string }, announced: Digest): Promise<Buffer> {
    return (await this.#kept(announced)) ?? (await this.#flight(wheel, announced))
  }

  async #kept(digest: Digest): Promise<Buffer | undefined> {
    const { catalog, record, blobs, limits } = this.#options
    if ((await catalog.read((reader) => findMetadata(reader, record, digest))) === undefined) return undefined
    try {
      return await collect(await blobs.open(digest), limits.metadataBytes)
    } catch (error) {
      // Let go since, to make room, or left out of a backup.
      if (error instanceof BlobMissing) return undefined
      throw error
    }
  }

  #flight(wheel: { readonly filename: string; readonly url: string }, announced: Digest): Promise<Buffer> {
    const running = this.#flights.get(announced)
    if (running !== undefined) return running
    const flight = this.#fetch(wheel, announced).finally(() => this.#flights.delete(announced))
    this.#flights.set(announced, flight)
    return flight
  }

  async #fetch(wheel: { readonly filename: string; readonly url: string }, announced: Digest): Promise<Buffer> {
    const { upstream, limits, blobs, catalog, record, clock } = this.#options
    const body = await upstream.file(`${wheel.url}.metadata`)
    const bytes = await this.#whole(wheel.filename, body.bytes)
    if (digestOf(bytes) !== announced) {
      throw new Problem(
        'upstream-failed',
        `Cannot deliver "${wheel.filename}.metadata": upstream sent other content than its page announces`,
      )
    }
    const blob: BlobInfo = await writeBlob(blobs, [bytes], { limitBytes: limits.metadataBytes })
    await catalog.write((writer) => saveMetadata(writer, record, { ...blob, usedMs: clock.now().getTime() }))
    return bytes
  }

  /** The body to its end, as long and as large as a page may be: somebody is resolving, and waits. */
  async #whole(filename: string, bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const { limits } = this.#options
    const end = performance.now() + limits.upstreamPageMs
    const wrong = (what: string) => new Problem('upstream-failed', `Cannot deliver "${filename}.metadata": ${what}`)
    async function* inTime(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        if (performance.now() > end) throw wrong(`upstream sent no end of it in ${limits.upstreamPageMs} ms`)
        yield chunk
      }
    }
    try {
      return await collect(inTime(), limits.metadataBytes)
    } catch (error) {
      if (error instanceof TooLong) throw wrong(`upstream sends more than ${limits.metadataBytes} bytes`)
      throw error
    }
  }
}
