/**
 * Known vulnerabilities (OSV). They are brought in from outside and are about no index, so that the journal does not tell
 * of them: a process beside the server may write them.
 */
import type { ProjectName } from '../pep/name.ts'
import type { Advisory, Affected } from '../pep/osv-record.ts'
import type { Reader, Writer } from './catalog.ts'

/** An advisory with the text that it came as. */
export interface StoredAdvisory extends Advisory {
  /** The whole record, JSON. */
  readonly record: string
}

/** What an advisory says of one project. */
export interface AdvisoryOfProject extends Pick<Advisory, 'id' | 'modified' | 'withdrawn'> {
  readonly affected: readonly Affected[]
}

/** When an import last came to its end, RFC 3339. Absent: nobody can tell what is vulnerable, whatever is here by now. */
export async function lastImport({ db }: Reader): Promise<string | undefined> {
  return (await db.selectFrom('advisory_imports').select('completed').executeTakeFirst())?.completed
}

export async function completeImport({ db }: Writer, completed: string): Promise<void> {
  await db.deleteFrom('advisory_imports').execute()
  await db.insertInto('advisory_imports').values({ completed }).execute()
}

/** `newest`: when any of them was changed last, RFC 3339. */
export async function countAdvisories({
  db,
}: Reader): Promise<{ advisories: number; projects: number; withdrawn: number; newest: string | undefined }> {
  const counted = await db
    .selectFrom('advisories')
    .select(({ fn }) => [
      fn.countAll<number>().as('advisories'),
      fn.count<number>('withdrawn').as('withdrawn'),
      fn.max('modified').as('newest'),
    ])
    .executeTakeFirstOrThrow()
  const { projects } = await db
    .selectFrom('advisory_packages')
    .select(({ fn }) => fn.count<number>('name').distinct().as('projects'))
    .executeTakeFirstOrThrow()
  const { advisories, withdrawn, newest } = counted
  return { advisories, projects, withdrawn, newest: newest ?? undefined }
}

/** The whole record as JSON. */
export async function findAdvisory({ db }: Reader, id: string): Promise<string | undefined> {
  return (await db.selectFrom('advisories').select('record').where('id', '=', id).executeTakeFirst())?.record
}

/** When those of them that are here were changed last, by id. */
export async function modifiedTimes({ db }: Reader, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('advisories').select(['id', 'modified']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, modified }) => [id, modified]))
}

/** Ordered by id, by code points. */
export async function advisoriesOf({ db }: Reader, project: ProjectName): Promise<AdvisoryOfProject[]> {
  const rows = await db
    .selectFrom('advisory_packages')
    .innerJoin('advisories', 'advisories.id', 'advisory_packages.id')
    .select(['advisories.id', 'modified', 'withdrawn', 'affected'])
    .where('name', '=', project)
    .orderBy('advisories.id')
    .execute()
  return rows.map(({ id, modified, withdrawn, affected }) => ({
    id,
    modified,
    ...(withdrawn !== null && { withdrawn }),
    affected: JSON.parse(affected) as Affected[],
  }))
}

/** Replaces those that are here already. */
export async function saveAdvisories(writer: Writer, advisories: readonly StoredAdvisory[]): Promise<void> {
  const { db } = writer
  await removeAdvisories(
    writer,
    advisories.map(({ id }) => id),
  )
  for (const { id, modified, withdrawn, record, packages } of advisories) {
    await db
      .insertInto('advisories')
      .values({ id, modified, withdrawn: withdrawn ?? null, record })
      .execute()
    for (const { name, affected } of packages) {
      await db
        .insertInto('advisory_packages')
        .values({ id, name, affected: JSON.stringify(affected) })
        .execute()
    }
  }
}

/** How many there were of them. */
export async function removeAdvisories({ db }: Writer, ids: readonly string[]): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('advisories').where('id', 'in', ids).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** As if there had never been an import. Gives how many there were. */
export async function removeAllAdvisories({ db }: Writer): Promise<number> {
  await db.deleteFrom('advisory_imports').execute()
  const { numDeletedRows } = await db.deleteFrom('advisories').executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
