/** The users of the server, with the indexes that the requester may read. */
import { listIndexes, listUsers, userAsWritten } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { IndexRecord, User } from '../model/records.ts'

export interface Account {
  readonly user: User
  readonly indexes: readonly IndexRecord[]
}

type IsReadable = (index: IndexRecord) => boolean

export async function listAccounts(catalog: Catalog, isReadable: IsReadable): Promise<readonly Account[]> {
  const { users, indexes } = await catalog.read(async (reader) => ({
    users: await listUsers(reader),
    indexes: await listIndexes(reader),
  }))
  const own = Map.groupBy(indexes.filter(isReadable), (index) => index.user)
  return users.map((user) => ({ user, indexes: own.get(user.name) ?? [] }))
}

/** `undefined` where there is no such user. */
export async function findAccount(
  catalog: Catalog,
  name: string,
  isReadable: IsReadable,
): Promise<Account | undefined> {
  return await catalog.read(async (reader) => {
    const user = await userAsWritten(reader, name)
    return user && { user, indexes: (await listIndexes(reader, user.name)).filter(isReadable) }
  })
}

/** The names of all indexes that may be read. */
export async function readableIndexes(catalog: Catalog, isReadable: IsReadable): Promise<ReadonlySet<string>> {
  const all = await catalog.read((reader) => listIndexes(reader))
  return new Set(all.filter(isReadable).map((index) => index.name))
}
