/** Addresses that once named a file: asked for again they are "gone" (410), not "never heard of" (devpi's rule). */
import { sql } from 'kysely'
import { fileAddress } from '../model/file-address.ts'
import type { IndexName } from '../model/names.ts'
import type { IndexRecord } from '../model/records.ts'
import type { Reader, Writer } from './catalog.ts'

interface Addressed {
  readonly index: IndexName
  readonly addressHash: string
  readonly filename: string
}

/** Whether something was deleted from that address, whatever is there now. `address` is what `fileAddress` makes. */
export async function wasDeleted({ db }: Reader, address: string): Promise<boolean> {
  const found = await db
    .selectFrom('deleted_addresses')
    .select('address')
    .where('address', '=', address)
    .executeTakeFirst()
  return found !== undefined
}

export async function rememberDeleted({ db }: Writer, gone: readonly Addressed[]): Promise<void> {
  for (const { index, addressHash, filename } of gone) {
    await db
      .insertInto('deleted_addresses')
      .values({ address: fileAddress(index, addressHash, filename) })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

/** All files and attachments of a stage, before it goes. What a mirror held can be fetched again and is not gone. */
export async function rememberStageDeleted({ db }: Writer, index: IndexRecord): Promise<void> {
  if (index.options.type !== 'stage') return
  for (const table of ['files', 'attachments'] as const) {
    await sql`
      INSERT INTO deleted_addresses (address)
      SELECT ${index.name} || '/+f/' || substr(address_hash, 1, 3) || '/' || substr(address_hash, 4, 13) || '/' || filename
      FROM ${sql.table(table)} WHERE index_id = ${index.id}
      ON CONFLICT DO NOTHING`.execute(db)
  }
}
