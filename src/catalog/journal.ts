/** The ordered change log: one row per committed write that changed something. */
import type { Change, Serial } from '../model/records.ts'
import type { Reader } from './catalog.ts'
import { statement } from './statement.ts'

const LAST_SERIAL = statement<Record<string, never>>()((db) =>
  db.selectFrom('journal').select((eb) => eb.fn.max('serial').as('serial')),
)
const APPEND = statement<{ serial: number; at: string; changes: string }>()((db, { serial, at, changes }) =>
  db.insertInto('journal').values({ serial, at, changes }),
)

export async function lastSerial(reader: Reader): Promise<Serial> {
  return ((await LAST_SERIAL.first(reader, {}))?.serial ?? 0) as Serial
}

/** When the last change was committed, RFC 3339; absent before the first. */
export async function lastCommitTime({ db }: Reader): Promise<string | undefined> {
  const found = await db.selectFrom('journal').select('at').orderBy('serial', 'desc').limit(1).executeTakeFirst()
  return found?.at
}

/** One write, as the journal has it. */
export interface Commit {
  readonly serial: Serial
  readonly at: string
  readonly changes: readonly Change[]
}

/** Changes after `after`, oldest first, at most `most` rows. */
export async function changesSince({ db }: Reader, after: Serial, most: number): Promise<Commit[]> {
  const rows = await db
    .selectFrom('journal')
    .selectAll()
    .where('serial', '>', after)
    .orderBy('serial')
    .limit(most)
    .execute()
  return rows.map((row) => ({ serial: row.serial as Serial, at: row.at, changes: JSON.parse(row.changes) as Change[] }))
}

/** For the catalog itself, inside its transaction. */
export async function append(reader: Reader, serial: Serial, at: Date, changes: readonly Change[]): Promise<void> {
  await APPEND.run(reader, { serial, at: at.toISOString(), changes: JSON.stringify(changes) })
}
