/**
 * Garbage collection in a running server: deletes blobs that lost their last row. It reads the list in the catalog, and
 * does not walk all blobs.
 */
import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type DroppedBlob, forgetDropped, listDropped } from '../catalog/dropped-blobs.ts'
import { isBlobNamed } from '../catalog/named-blobs.ts'
import type { Clock } from '../lib/clock.ts'

export interface DroppedOptions {
  /** What was dropped less long ago stays: a backup under way may have copied the row already, and not yet the blob. */
  readonly graceMs: number
  readonly clock: Clock
  readonly isStopping?: () => boolean
}

/** Blobs in one step. */
const BATCH = 200

/**
 * Deletes what nobody names or holds; what is held is looked at again next time. It must be the process that publishes
 * blobs: only that one knows what is held.
 */
export async function collectDropped(
  catalog: Catalog,
  blobs: BlobStore,
  options: DroppedOptions,
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const untilMs = options.clock.now().getTime() - options.graceMs
  const found = { blobs: 0, bytes: 0 }
  for (let after = ''; options.isStopping?.() !== true; ) {
    const from = after
    const dropped = await catalog.read((reader) => listDropped(reader, untilMs, from, BATCH))
    if (dropped.length === 0) break
    const done: DroppedBlob[] = []
    for (const each of dropped) {
      const { digest } = each
      const isNamed = () => catalog.read((reader) => isBlobNamed(reader, digest))
      const sizeBytes = (await blobs.stat(digest))?.sizeBytes
      if (await blobs.discard(digest, isNamed)) {
        done.push(each)
        if (sizeBytes === undefined) continue
        found.blobs++
        found.bytes += sizeBytes
      } else if (await isNamed()) done.push(each)
    }
    await catalog.write((writer) => forgetDropped(writer, done))
    after = dropped.at(-1)!.digest
  }
  return found
}
