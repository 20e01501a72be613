/** API tokens: creates, lists and revokes them for their owner, and finds the principal of a token. */
import { findIndex, userAsWritten } from '../../catalog/accounts.ts'
import type { Catalog, Writer } from '../../catalog/catalog.ts'
import { groupsOf } from '../../catalog/groups.ts'
import { deleteMintedToken, findMintedToken } from '../../catalog/minted-tokens.ts'
import { addToken, deleteToken, findToken, listTokens, noteTokenUse } from '../../catalog/tokens.ts'
import type { Clock } from '../../lib/clock.ts'
import { Recent } from '../../lib/recent.ts'
import { ANONYMOUS, type May, type Principal } from '../../model/access.ts'
import { noSuchIndex, noSuchUser, Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import type { UserName } from '../../model/names.ts'
import type { Scope } from '../../model/scope.ts'
import type { ApiToken } from '../../model/tokens.ts'
import { type AskedToken, readAskedToken } from './asked-token.ts'
import { hashOfSecret, isTokenShaped, newSecret } from './token-secret.ts'

/** What uploaders send as user name with a token. */
const TOKEN_USER = '__token__'
/** Tokens whose last use is known to be written down. */
const USES_KEPT = 10_000

export interface ApiTokensOptions {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly may: May
  readonly limits: Limits
  /** A use could not be written down. */
  readonly onTrouble: (error: unknown) => void
}

export class ApiTokens implements AsyncDisposable {
  readonly #options: ApiTokensOptions
  readonly #noted = new Recent<number, number>(USES_KEPT)
  #lastNote: Promise<void> = Promise.resolve()

  constructor(options: ApiTokensOptions) {
    this.#options = options
  }

  /** Throws `no-such-user`, `not-allowed`. */
  async list(who: Principal, user: string): Promise<ApiToken[]> {
    return await this.#options.catalog.read(async (reader) => {
      const found = await userAsWritten(reader, user)
      if (found === undefined) throw noSuchUser(user)
      this.#check(who, found.name)
      return await listTokens(reader, found.name)
    })
  }

  /** The only time that the secret is told. Throws `no-such-user`, `not-allowed`, `bad-request`, `no-such-index`. */
  async create(
    who: Principal,
    user: string,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly token: ApiToken; readonly secret: string }> {
    const { catalog, clock, limits } = this.#options
    return await catalog.write(async (writer) => {
      const owner = await userAsWritten(writer, user)
      if (owner === undefined) throw noSuchUser(user)
      this.#check(who, owner.name)
      const asked = readAskedToken(fields, clock.now(), limits)
      await checkIndexes(writer, asked)
      if ((await listTokens(writer, owner.name)).length >= limits.tokensPerUser) {
        throw new Problem('bad-request', `Cannot create a token: user '${owner.name}' has ${limits.tokensPerUser}`, {
          hint: 'revoke some first',
        })
      }
      const { secret, hash } = newSecret()
      const token = await addToken(writer, hash, { ...asked, user: owner.name, createdMs: clock.now().getTime() })
      return { token, secret }
    })
  }

  /** It ends at once. Throws `no-such-user`, `not-allowed`, `no-such-token`. */
  async revoke(who: Principal, user: string, id: number): Promise<void> {
    await this.#options.catalog.write(async (writer) => {
      const owner = await userAsWritten(writer, user)
      if (owner === undefined) throw noSuchUser(user)
      this.#check(who, owner.name)
      if (await deleteToken(writer, owner.name, id)) return
      throw new Problem('no-such-token', `user '${owner.name}' has no token ${id}`)
    })
  }

  /** Ends a token that Trusted Publishing gave, for who holds it. Others, and what is no token, are left as they are. */
  async burn(secret: string): Promise<void> {
    if (!isTokenShaped(secret)) return
    await this.#options.catalog.write((writer) => deleteMintedToken(writer, hashOfSecret(secret)))
  }

  /**
   * Who sends this secret, with the scope that it has: its owner, or a trusted publisher. `as` is the user name that came
   * with it, where one did. Wrong, expired and revoked tokens are nobody, as wrong passwords are. `undefined`: the text is no token.
   */
  async principal(secret: string, as?: string): Promise<Principal | undefined> {
    if (!isTokenShaped(secret)) return undefined
    const hash = hashOfSecret(secret)
    const nowMs = this.#options.clock.now().getTime()
    const found = await this.#options.catalog.read(async (reader) => {
      const token = await findToken(reader, hash)
      if (token === undefined) return { minted: await findMintedToken(reader, hash) }
      return { token, groups: await groupsOf(reader, token.user) }
    })
    if (found.token !== undefined) {
      const { token, groups } = found
      const isOwner = as === undefined || as === TOKEN_USER || as === token.user
      if (!isOwner || hasEnded(token, nowMs)) return ANONYMOUS
      this.#noteUse(token, nowMs)
      return { name: token.user, groups, scope: scopeOf(token) }
    }
    const { minted } = found
    const isMinted = minted !== undefined && (as === undefined || as === TOKEN_USER)
    if (!isMinted || hasEnded(minted, nowMs) || minted.places.length === 0) return ANONYMOUS
    return { groups: [], scope: { actions: ['upload'], places: minted.places }, publisher: minted.identity }
  }

  /** Waits until the uses noted last are written down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lastNote
  }

  #check(who: Principal, user: UserName): void {
    if (this.#options.may(who, { do: 'manage-tokens', user })) return
    throw new Problem('not-allowed', `no permission to manage tokens of user ${user}`)
  }

  /** Not waited for: the request is not to stand behind another one's long write. */
  #noteUse(token: ApiToken, nowMs: number): void {
    const { catalog, limits, onTrouble } = this.#options
    const lastMs = this.#noted.get(token.id) ?? token.usedMs ?? 0
    if (nowMs - lastMs < limits.tokenUseMs) return
    this.#noted.set(token.id, nowMs, 1)
    this.#lastNote = catalog.write((writer) => noteTokenUse(writer, token.id, nowMs)).catch(onTrouble)
  }
}

function hasEnded({ expiresMs }: { readonly expiresMs?: number }, nowMs: number): boolean {
  return expiresMs !== undefined && expiresMs <= nowMs
}

function scopeOf({ actions, indexes, projects }: ApiToken): Scope {
  const everywhere = projects === undefined ? {} : { projects }
  return { actions, places: indexes?.map((index) => ({ index, ...everywhere })) ?? [everywhere] }
}

/** A name that nobody has is a slip of the pen. */
async function checkIndexes(writer: Writer, { indexes = [] }: AskedToken): Promise<void> {
  for (const index of indexes) {
    if ((await findIndex(writer, index)) === undefined) throw noSuchIndex(index)
  }
}
