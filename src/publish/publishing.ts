/** The services that every change of a stage uses. */
import type { BlobStore } from '../blob/blob-store.ts'
import type { Provenances } from '../browse/provenance.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Clock } from '../lib/clock.ts'
import type { May } from '../model/access.ts'
import type { Limits } from '../model/limits.ts'

export interface Publishing {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly limits: Limits
  readonly clock: Clock
  readonly may: May
  readonly provenances: Pick<Provenances, 'read' | 'verify'>
}

export interface Published {
  /** What the sender is told beside "done"; empty when there is nothing to tell. */
  readonly note: string
}
