/** Groups of users: what an access list names as `:group`. */
import type { UserName } from '../model/names.ts'
import type { Reader, Writer } from './catalog.ts'
import { statement } from './statement.ts'

const GROUPS_OF = statement<{ user: string }>()((db, { user }) =>
  db.selectFrom('group_members').select('group_name').where('user', '=', user).orderBy('group_name'),
)

/** By name, each with its members by name. */
export async function listGroups({ db }: Reader): Promise<ReadonlyMap<string, readonly UserName[]>> {
  const groups = await db.selectFrom('groups').select('name').orderBy('name').execute()
  const members = await db.selectFrom('group_members').selectAll().orderBy('user').execute()
  const own = Map.groupBy(members, (member) => member.group_name)
  return new Map(groups.map(({ name }) => [name, (own.get(name) ?? []).map((member) => member.user as UserName)]))
}

export async function groupsOf(reader: Reader, user: UserName): Promise<string[]> {
  return (await GROUPS_OF.all(reader, { user })).map((row) => row.group_name)
}

/** Creates the group where it is new, and gives it exactly these members, who must exist. */
export async function saveGroup(writer: Writer, group: string, members: readonly UserName[]): Promise<void> {
  const { db } = writer
  await db
    .insertInto('groups')
    .values({ name: group })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await db.deleteFrom('group_members').where('group_name', '=', group).execute()
  for (const user of new Set(members)) {
    await db.insertInto('group_members').values({ group_name: group, user }).execute()
  }
  writer.change({ what: 'group', how: 'modified', group })
}

export async function deleteGroup(writer: Writer, group: string): Promise<void> {
  await writer.db.deleteFrom('groups').where('name', '=', group).execute()
  writer.change({ what: 'group', how: 'deleted', group })
}
