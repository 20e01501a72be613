/** Options and report of an export to devpi's format. */
import type { BlobStore } from '../../blob/blob-store.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Digest } from '../../lib/digest.ts'

export interface DevpiExport {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  /** Gives a blob a second name; `false` where the file system cannot. Blobs are copied unless it is given. */
  readonly link?: (digest: Digest, path: string) => Promise<boolean>
  /** Where the dump goes: new or empty. */
  readonly folder: string
  readonly includeMirroredFiles: boolean
  /** Told of the bytes that have been written so far. */
  readonly onBytes?: (bytes: number) => void
  /** Told at once of what the dump cannot carry to a devpi-server. */
  readonly tell: (sentence: string) => void
  /** Aborted when the export should stop. */
  readonly stop?: AbortSignal
}

export interface ExportCounts {
  users: number
  indexes: number
  files: number
  bytes: number
}
