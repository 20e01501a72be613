/** API tokens of users, by the sha256 of their secret. */
import type { IndexName, UserName } from '../model/names.ts'
import type { TokenAction } from '../model/scope.ts'
import type { ApiToken } from '../model/tokens.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'
import type { Schema } from './schema.ts'

/** The user must exist. */
export async function addToken(
  writer: Writer,
  hash: string,
  token: Omit<ApiToken, 'id' | 'usedMs'>,
): Promise<ApiToken> {
  const { user, note, actions, indexes, projects, createdMs, expiresMs } = token
  const { id } = await writer.db
    .insertInto('tokens')
    .values({
      hash,
      user,
      note,
      actions: JSON.stringify(actions),
      indexes: indexes === undefined ? null : JSON.stringify(indexes),
      projects: projects === undefined ? null : JSON.stringify(projects),
      created_ms: createdMs,
      expires_ms: expiresMs ?? null,
      used_ms: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  writer.change({ what: 'token', how: 'created', user, id })
  return { ...token, id }
}

/** Expired ones too. */
export async function findToken({ db }: Reader, hash: string): Promise<ApiToken | undefined> {
  const row = await db.selectFrom('tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
  return row && asToken(row)
}

/** Oldest first, expired ones too. */
export async function listTokens({ db }: Reader, user: UserName): Promise<ApiToken[]> {
  const rows = await db.selectFrom('tokens').selectAll().where('user', '=', user).orderBy('id').execute()
  return rows.map(asToken)
}

/** `false`: the user has no such token. */
export async function deleteToken(writer: Writer, user: UserName, id: number): Promise<boolean> {
  const { numDeletedRows } = await writer.db
    .deleteFrom('tokens')
    .where('user', '=', user)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) return false
  writer.change({ what: 'token', how: 'revoked', user, id })
  return true
}

/** No line in the journal: it changes nothing that anybody may do. */
export async function noteTokenUse({ db }: Writer, id: number, usedMs: number): Promise<void> {
  await db.updateTable('tokens').set({ used_ms: usedMs }).where('id', '=', id).execute()
}

function asToken(row: Omit<Schema['tokens'], 'id'> & { id: number }): ApiToken {
  return {
    id: row.id,
    user: row.user as UserName,
    note: row.note,
    actions: JSON.parse(row.actions) as TokenAction[],
    ...(row.indexes !== null && { indexes: JSON.parse(row.indexes) as IndexName[] }),
    ...(row.projects !== null && { projects: JSON.parse(row.projects) as ProjectName[] }),
    createdMs: row.created_ms,
    ...(row.expires_ms !== null && { expiresMs: row.expires_ms }),
    ...(row.used_ms !== null && { usedMs: row.used_ms }),
  }
}
