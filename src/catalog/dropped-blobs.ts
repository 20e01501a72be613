/** Blobs that lost a name: triggers record each blob that a deleted or changed row named. Other rows may still name it. */
import type { Digest } from '../lib/digest.ts'
import type { Reader, Writer } from './catalog.ts'

export interface DroppedBlob {
  readonly digest: Digest
  /** The last time, in ms since 1970. */
  readonly droppedMs: number
}

/** Those that were dropped until `untilMs`, after `after` in order of digest. */
export async function listDropped(
  { db }: Reader,
  untilMs: number,
  after: string,
  most: number,
): Promise<DroppedBlob[]> {
  const rows = await db
    .selectFrom('dropped_blobs')
    .selectAll()
    .where('digest', '>', after)
    .where('dropped_ms', '<=', untilMs)
    .orderBy('digest')
    .limit(most)
    .execute()
  return rows.map((row) => ({ digest: row.digest as Digest, droppedMs: row.dropped_ms }))
}

/** They are dealt with. One that was dropped again meanwhile stays. */
export async function forgetDropped({ db }: Writer, blobs: readonly DroppedBlob[]): Promise<void> {
  for (const { digest, droppedMs } of blobs) {
    await db.deleteFrom('dropped_blobs').where('digest', '=', digest).where('dropped_ms', '<=', droppedMs).execute()
  }
}

/** For blobs that no row came to name after all: looked at as if one had given them up now. */
export async function noteDropped({ db }: Writer, digests: readonly Digest[], nowMs: number): Promise<void> {
  for (const digest of digests) {
    await db
      .insertInto('dropped_blobs')
      .values({ digest, dropped_ms: nowMs })
      .onConflict((conflict) => conflict.column('digest').doUpdateSet({ dropped_ms: nowMs }))
      .execute()
  }
}
