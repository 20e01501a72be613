/** How much is held, kept up to date by triggers: counting a million files takes most of a second. */
import type { Reader } from './catalog.ts'

/** The step of the catalog's migrations that begins it. Released: it stays as it is. */
export const FILE_TOTALS = `
  CREATE TABLE file_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO file_totals SELECT 1, count(*), coalesce(sum(size_bytes), 0) FROM files;
  CREATE TRIGGER files_are_totalled AFTER INSERT ON files BEGIN
    UPDATE file_totals SET files = files + 1, bytes = bytes + new.size_bytes;
  END;
  CREATE TRIGGER files_are_totalled_anew AFTER UPDATE OF size_bytes ON files BEGIN
    UPDATE file_totals SET bytes = bytes + new.size_bytes - old.size_bytes;
  END;
  CREATE TRIGGER files_are_totalled_out AFTER DELETE ON files BEGIN
    UPDATE file_totals SET files = files - 1, bytes = bytes - old.size_bytes;
  END;
  `

/** How many projects and files are held, for operators. */
export async function countHeld({ db }: Reader): Promise<{ projects: number; files: number; bytes: number }> {
  const projects = await db
    .selectFrom('projects')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  const files = await db.selectFrom('file_totals').select(['files', 'bytes']).executeTakeFirstOrThrow()
  return { projects: projects.count, ...files }
}
