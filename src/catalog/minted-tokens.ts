/** Tokens issued by Trusted Publishing, and the OIDC tokens exchanged for them: each OIDC token can be used once. */
import type { PublisherIdentity } from '../model/access.ts'
import type { IndexName } from '../model/names.ts'
import type { MintedToken } from '../model/tokens.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'

/** No line in the journal: nothing that is kept for good has changed. */
export async function addMintedToken(
  { db }: Writer,
  hash: string,
  { identity, expiresMs }: Omit<MintedToken, 'places'>,
  publisherIds: readonly number[],
): Promise<void> {
  const { kind, issuer, claims } = identity
  const row = { hash, kind, issuer, claims: JSON.stringify(claims), expires_ms: expiresMs }
  await db.insertInto('minted_tokens').values(row).execute()
  for (const publisher_id of publisherIds) {
    await db.insertInto('minted_by').values({ token_hash: hash, publisher_id }).execute()
  }
}

/** Expired ones too, as long as they are here. */
export async function findMintedToken({ db }: Reader, hash: string): Promise<MintedToken | undefined> {
  const row = await db.selectFrom('minted_tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
  if (row === undefined) return undefined
  const places = await db
    .selectFrom('minted_by')
    .innerJoin('publishers', 'publishers.id', 'minted_by.publisher_id')
    .innerJoin('indexes', 'indexes.id', 'publishers.index_id')
    .select(['indexes.name as index', 'publishers.projects'])
    .where('token_hash', '=', hash)
    .orderBy('publishers.id')
    .execute()
  const identity: PublisherIdentity = {
    kind: row.kind,
    issuer: row.issuer,
    claims: JSON.parse(row.claims) as Record<string, string>,
  }
  return {
    identity,
    expiresMs: row.expires_ms,
    places: places.map(({ index, projects }) => ({
      index: index as IndexName,
      ...(projects !== null && { projects: JSON.parse(projects) as ProjectName[] }),
    })),
  }
}

export async function deleteMintedToken({ db }: Writer, hash: string): Promise<void> {
  await db.deleteFrom('minted_tokens').where('hash', '=', hash).execute()
}

/** Whether the OIDC token of that id comes for the first time; it does not a second time. */
export async function rememberUsed({ db }: Writer, id: string, expiresMs: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('used_oidc_tokens')
    .values({ id, expires_ms: expiresMs })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

/** Of OIDC tokens that could be shown again. */
export async function countUsed({ db }: Reader): Promise<number> {
  const { count } = await db
    .selectFrom('used_oidc_tokens')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Drops what ended before `nowMs`. */
export async function forgetEnded({ db }: Writer, nowMs: number): Promise<void> {
  await db.deleteFrom('minted_tokens').where('expires_ms', '<', nowMs).execute()
  await db.deleteFrom('used_oidc_tokens').where('expires_ms', '<', nowMs).execute()
}
