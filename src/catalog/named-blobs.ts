/**
 * Which columns name blobs: the one list by which `airlock check` looks for blobs, and the collection of garbage keeps them.
 * Triggers write down what a row of theirs gave up (`dropped-blobs.ts`); a test holds list, tables and triggers against each other.
 */
import type { Digest } from '../lib/digest.ts'
import type { Reader } from './catalog.ts'
import { type Statement, statement } from './statement.ts'

export interface BlobColumn {
  readonly table: 'files' | 'attachments' | 'staged_files' | 'mirror_metadata'
  readonly column: 'digest' | 'metadata_digest'
  /** The column that has the blob's size. */
  readonly bytes: 'size_bytes' | 'metadata_bytes'
  /** What a message calls the blob where its row has no filename. */
  readonly nameless?: string
}

export const BLOB_COLUMNS: readonly BlobColumn[] = [
  { table: 'files', column: 'digest', bytes: 'size_bytes' },
  { table: 'files', column: 'metadata_digest', bytes: 'metadata_bytes' },
  { table: 'attachments', column: 'digest', bytes: 'size_bytes' },
  { table: 'staged_files', column: 'digest', bytes: 'size_bytes' },
  { table: 'staged_files', column: 'metadata_digest', bytes: 'metadata_bytes' },
  { table: 'mirror_metadata', column: 'digest', bytes: 'size_bytes', nameless: 'metadata of a mirror' },
]

/** A blob, as the rows of one table name it. */
export interface NamedBlob {
  readonly digest: Digest
  readonly rows: number
  /** The file's name in one of the rows. */
  readonly name: string
  /** The sizes that rows record, smallest and greatest: the same where all is well. */
  readonly leastBytes: number
  readonly mostBytes: number
}

const IS_NAMED: readonly Statement<{ digest: string }, { digest: string }>[] = BLOB_COLUMNS.map((each) => {
  const { table, column } = asOfFiles(each)
  return statement<{ digest: string }>()((db, { digest }) =>
    db
      .selectFrom(table)
      .select(`${column} as digest`)
      .where(column, '=', digest)
      .limit(1)
      .$castTo<{ digest: string }>(),
  )
})

export async function isBlobNamed(reader: Reader, digest: Digest): Promise<boolean> {
  for (const isNamed of IS_NAMED) if ((await isNamed.first(reader, { digest })) !== undefined) return true
  return false
}

/** The blobs that the column names, in order of digest; those after `after`, at most `most`. */
export async function listNamedBlobs(
  { db }: Reader,
  asked: BlobColumn,
  after: string,
  most: number,
): Promise<NamedBlob[]> {
  const { table, column, bytes } = asOfFiles(asked)
  const { nameless } = asked
  const rows = await db
    .selectFrom(table)
    .select((eb) => [
      `${column} as digest`,
      eb.fn.countAll<number>().as('rows'),
      (nameless === undefined ? eb.fn.min('filename') : eb.val(nameless)).as('name'),
      eb.fn.min(bytes).as('least'),
      eb.fn.max(bytes).as('most'),
    ])
    .where(column, '>', after)
    .groupBy(column)
    .orderBy(column)
    .limit(most)
    .execute()
  return rows.map((row) => ({
    digest: row.digest as Digest,
    rows: row.rows,
    name: String(row.name),
    leastBytes: row.least ?? 0,
    mostBytes: row.most ?? 0,
  }))
}

/** The four tables have these columns in common, as far as each has them; the types of one stand for all. */
function asOfFiles(each: BlobColumn) {
  return { ...each, table: each.table as 'files' }
}
