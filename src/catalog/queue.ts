/** The job table. A job is claimed by moving its due time: if its worker dies, it is due again. */
import type { Job } from '../model/records.ts'
import type { Reader, Writer } from './catalog.ts'

export interface ClaimedJob {
  readonly id: number
  readonly job: Job
  /** This attempt included. */
  readonly attempts: number
}

export async function enqueue({ db }: Reader, job: Job, dueMs: number): Promise<void> {
  await db
    .insertInto('jobs')
    .values({ kind: job.kind, key: `${job.kind}:${job.key}`, payload: JSON.stringify(job), due_ms: dueMs, attempts: 0 })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ payload: JSON.stringify(job), due_ms: dueMs, attempts: 0 }),
    )
    .execute()
}

/** The job that is due longest, due again at `leaseUntilMs` unless it is settled before. */
export async function claim({ db }: Writer, nowMs: number, leaseUntilMs: number): Promise<ClaimedJob | undefined> {
  const found = await db
    .selectFrom('jobs')
    .selectAll()
    .where('due_ms', '<=', nowMs)
    .orderBy('due_ms')
    .limit(1)
    .executeTakeFirst()
  if (found === undefined) return undefined
  const attempts = found.attempts + 1
  await db.updateTable('jobs').set({ due_ms: leaseUntilMs, attempts }).where('id', '=', found.id).execute()
  return { id: found.id, job: JSON.parse(found.payload) as Job, attempts }
}

/** Done. */
export async function settle({ db }: Writer, id: number): Promise<void> {
  await db.deleteFrom('jobs').where('id', '=', id).execute()
}

/** Not done: again at `dueMs`; the reason stays readable. */
export async function postpone({ db }: Writer, id: number, dueMs: number, failure: string): Promise<void> {
  await db.updateTable('jobs').set({ due_ms: dueMs, failure }).where('id', '=', id).execute()
}

/** When the next job is due, in ms since 1970. */
export async function nextDueMs({ db }: Reader): Promise<number | undefined> {
  const found = await db.selectFrom('jobs').select('due_ms').orderBy('due_ms').limit(1).executeTakeFirst()
  return found?.due_ms
}

export async function countJobs({ db }: Reader): Promise<number> {
  const found = await db
    .selectFrom('jobs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return found.count
}
