/** Users, and the indexes they own. */
import type { IndexOptions } from '../model/index-options.ts'
import { asIndexName, asUserName, type IndexName, type UserName } from '../model/names.ts'
import type { IndexRecord, User } from '../model/records.ts'
import type { Reader, Writer } from './catalog.ts'
import { rememberStageDeleted } from './deleted-addresses.ts'
import type { Schema } from './schema.ts'
import { statement } from './statement.ts'

const USER = statement<{ name: string }>()((db, { name }) =>
  db.selectFrom('users').selectAll().where('name', '=', name),
)
const INDEX = statement<{ name: string }>()((db, { name }) =>
  db.selectFrom('indexes').selectAll().where('name', '=', name),
)

export async function findUser(reader: Reader, name: UserName): Promise<User | undefined> {
  const row = await USER.first(reader, { name })
  return row && asUser(row)
}

/** The user of a name as somebody wrote it; nobody has a name that is none (`model/names.ts`). */
export async function userAsWritten(reader: Reader, text: string): Promise<User | undefined> {
  const name = asUserName(text)
  return name && (await findUser(reader, name))
}

/** By name. */
export async function listUsers({ db }: Reader): Promise<User[]> {
  return (await db.selectFrom('users').selectAll().orderBy('name').execute()).map(asUser)
}

/** Creates or replaces the whole record. */
export async function saveUser(writer: Writer, user: User, how: 'created' | 'modified'): Promise<void> {
  const { name, ...rest } = userRow(user)
  await writer.db
    .insertInto('users')
    .values({ name, ...rest })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(rest))
    .execute()
  writer.change({ what: 'user', how, user: user.name })
}

/** With everything the user owns. */
export async function deleteUser(writer: Writer, name: UserName): Promise<void> {
  for (const index of await listIndexes(writer, name)) await deleteIndex(writer, index)
  await writer.db.deleteFrom('users').where('name', '=', name).execute()
  writer.change({ what: 'user', how: 'deleted', user: name })
}

export async function findIndex(reader: Reader, name: IndexName): Promise<IndexRecord | undefined> {
  const row = await INDEX.first(reader, { name })
  return row && asIndex(row)
}

/** The index of a name as somebody wrote it, which must be `user/index` to the letter. */
export async function indexAsWritten(reader: Reader, text: string): Promise<IndexRecord | undefined> {
  const name = asIndexName(text)
  return name && (await findIndex(reader, name))
}

/** By name; of one user or of all. */
export async function listIndexes({ db }: Reader, user?: UserName): Promise<IndexRecord[]> {
  let query = db.selectFrom('indexes').selectAll().orderBy('name')
  if (user !== undefined) query = query.where('user', '=', user)
  return (await query.execute()).map(asIndex)
}

export async function createIndex(
  writer: Writer,
  name: IndexName,
  user: UserName,
  options: IndexOptions,
): Promise<void> {
  await writer.db
    .insertInto('indexes')
    .values({ name, user, type: options.type, options: JSON.stringify(options) })
    .execute()
  writer.change({ what: 'index', how: 'created', index: name })
}

export async function changeIndex(writer: Writer, index: IndexRecord, options: IndexOptions): Promise<void> {
  await writer.db
    .updateTable('indexes')
    .set({ options: JSON.stringify(options) })
    .where('id', '=', index.id)
    .execute()
  writer.change({ what: 'index', how: 'modified', index: index.name })
}

/** With its projects, releases and file rows. Their blobs stay until they are collected. */
export async function deleteIndex(writer: Writer, index: IndexRecord): Promise<void> {
  await rememberStageDeleted(writer, index)
  await writer.db.deleteFrom('indexes').where('id', '=', index.id).execute()
  writer.change({ what: 'index', how: 'deleted', index: index.name })
}

function asUser(row: Schema['users']): User {
  return {
    name: row.name as UserName,
    created: row.created,
    ...(row.password_hash !== null && { passwordHash: row.password_hash }),
    ...(row.email !== null && { email: row.email }),
    ...(row.title !== null && { title: row.title }),
    ...(row.description !== null && { description: row.description }),
    ...(row.custom_data !== null && { customData: JSON.parse(row.custom_data) as unknown }),
    ...(row.modified !== null && { modified: row.modified }),
  }
}

function userRow(user: User): Schema['users'] {
  return {
    name: user.name,
    password_hash: user.passwordHash ?? null,
    email: user.email ?? null,
    title: user.title ?? null,
    description: user.description ?? null,
    custom_data: user.customData === undefined ? null : JSON.stringify(user.customData),
    created: user.created,
    modified: user.modified ?? null,
  }
}

function asIndex(row: { id: number; name: string; user: string; options: string }): IndexRecord {
  return {
    id: row.id,
    name: row.name as IndexName,
    user: row.user as UserName,
    options: JSON.parse(row.options) as IndexOptions,
  }
}
