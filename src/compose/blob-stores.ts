/** The table of blob stores, from the scheme of a URL to the function that opens the store. */
import { fileURLToPath } from 'node:url'
import type { BlobStore } from '../blob/blob-store.ts'
import { FilesystemBlobs } from '../blob/files/filesystem.ts'
import type { SharedHolds } from '../blob/shared-holds.ts'
import { Problem } from '../model/errors.ts'

export interface BlobsOptions {
  /** Largest piece read at once. */
  readonly readChunkBytes: number
  /** Clears away what a crash left unfinished; only the sole writer may. */
  readonly clear: boolean
  /** Where other workers of this server publish and discard blobs too. */
  readonly holds?: SharedHolds
}

type OpenBlobs = (url: URL, options: BlobsOptions) => Promise<BlobStore>

const STORES: Readonly<Record<string, OpenBlobs>> = {
  'file:': (url, options) => FilesystemBlobs.open({ root: fileURLToPath(url), ...options }),
}

/** Opens the store that the URL names. Throws `setting-invalid` for a scheme that is not in the table. */
export async function openBlobs(url: URL, options: BlobsOptions): Promise<BlobStore> {
  const open = Object.hasOwn(STORES, url.protocol) ? STORES[url.protocol] : undefined
  if (open !== undefined) return await open(url, options)
  throw new Problem('setting-invalid', `Cannot keep blobs at "${url.protocol}": there is no such store`, {
    hint: `the stores are ${Object.keys(STORES).join(', ')}`,
  })
}
