/** How many projects and files are held. Triggers keep the totals current: counting a million files takes most of a second. */
import type { Reader } from './catalog.ts'

/** How many projects and files are held, for operators. */
export async function countHeld({ db }: Reader): Promise<{ projects: number; files: number; bytes: number }> {
  const projects = await db
    .selectFrom('projects')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  const files = await db.selectFrom('file_totals').select(['files', 'bytes']).executeTakeFirstOrThrow()
  return { projects: projects.count, ...files }
}
