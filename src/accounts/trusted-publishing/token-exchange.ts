/** Trusted Publishing: an OIDC token of a publisher for a short-lived upload token (PyPI's protocol, PEP 807). */
import type { Catalog } from '../../catalog/catalog.ts'
import { addMintedToken, countUsed, forgetEnded, rememberUsed } from '../../catalog/minted-tokens.ts'
import { publishersOf } from '../../catalog/publishers.ts'
import type { Clock } from '../../lib/clock.ts'
import type { PublisherIdentity } from '../../model/access.ts'
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import { type UserName, userOf } from '../../model/names.ts'
import type { TrustedPublisher } from '../../model/tokens.ts'
import { newSecret } from '../tokens/token-secret.ts'
import type { OidcIssuers } from './oidc-issuers.ts'
import type { VerifiedToken } from './oidc-token.ts'
import { isMatching, textClaims, toldClaims } from './publisher-claims.ts'

export interface TokenExchangeOptions {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly limits: Limits
  readonly issuers: OidcIssuers
  /** Whether the operator named the user: issuers that the user's indexes trust may be on this machine and in private networks. */
  readonly isNamed: (user: UserName) => boolean
  /** Whom OIDC tokens for this server are meant for. */
  readonly audience: string
}

export interface Exchanged {
  readonly secret: string
  readonly expiresMs: number
  readonly identity: PublisherIdentity
  /** Whose tokens these are, by index. */
  readonly publishers: readonly TrustedPublisher[]
}

export class TokenExchange {
  readonly #options: TokenExchangeOptions

  constructor(options: TokenExchangeOptions) {
    this.#options = options
  }

  get audience(): string {
    return this.#options.audience
  }

  /**
   * Throws `bad-request`, `oidc-token-invalid`, `oidc-token-used`, `publisher-unknown`; `upstream-failed` where the issuer
   * cannot be asked for its keys, `busy`.
   */
  async exchange(oidcToken: unknown): Promise<Exchanged> {
    const { catalog, limits, isNamed } = this.#options
    if (typeof oidcToken !== 'string' || oidcToken === '') {
      throw new Problem('bad-request', 'Cannot mint a token: the request has no OIDC token under "token"')
    }
    if (oidcToken.length > limits.oidcTokenCharacters) {
      throw new Problem('oidc-token-invalid', 'Cannot accept the OIDC token: it is too long')
    }
    const { claimedIssuer } = await checks()
    const issuer = claimedIssuer(oidcToken)
    const trusted = await catalog.read((reader) => publishersOf(reader, issuer))
    if (trusted.length === 0) {
      throw new Problem('publisher-unknown', `No index trusts publishers of the issuer "${issuer.slice(0, 200)}"`, {
        hint: 'add one with: airlock publisher add',
      })
    }
    const mayBeNear = trusted.some(({ index }) => isNamed(userOf(index)))
    const verified = await this.#verified(oidcToken, issuer, mayBeNear)
    const claims = textClaims(verified.claims)
    return await this.#mint(verified, issuer, claims)
  }

  async #verified(oidcToken: string, issuer: string, mayBeNear: boolean): Promise<VerifiedToken> {
    const { issuers, clock, limits, audience } = this.#options
    const expected = { issuer, audience, clock, leewaySeconds: limits.oidcLeewaySeconds }
    const { verifyToken } = await checks()
    const verified = await verifyToken(oidcToken, await issuers.keys(issuer, mayBeNear), expected)
    if (verified !== 'unknown-key') return verified
    // Issuers change keys from time to time.
    const newer = await issuers.keysAnew(issuer, mayBeNear)
    const again = newer === undefined ? verified : await verifyToken(oidcToken, newer, expected)
    if (again !== 'unknown-key') return again
    throw new Problem('oidc-token-invalid', 'Cannot accept the OIDC token: its issuer has no such key')
  }

  async #mint(token: VerifiedToken, issuer: string, claims: PublisherIdentity['claims']): Promise<Exchanged> {
    const { catalog, clock, limits } = this.#options
    return await catalog.write(async (writer) => {
      const nowMs = clock.now().getTime()
      const publishers = (await publishersOf(writer, issuer)).filter((each) => isMatching(each, claims))
      const [first] = publishers
      if (first === undefined) {
        throw new Problem('publisher-unknown', `No index trusts this publisher: ${toldClaims(claims)}`, {
          hint: 'compare this with: airlock publisher list',
        })
      }
      await forgetEnded(writer, nowMs)
      if ((await countUsed(writer)) >= limits.oidcTokensUsed) {
        throw new Problem('busy', 'Cannot mint a token now: too many OIDC tokens were shown lately', {
          retrySeconds: 60,
        })
      }
      if (!(await rememberUsed(writer, token.id, token.endMs))) {
        throw new Problem(
          'oidc-token-used',
          'Cannot accept the OIDC token: it was used before, and is good for one time',
        )
      }
      const expiresMs = (Math.floor(nowMs / 1000) + limits.mintedTokenSeconds) * 1000
      const { kind } = (publishers.find((each) => each.spec.kind !== 'oidc') ?? first).spec
      const identity: PublisherIdentity = { kind, issuer, claims }
      const { secret, hash } = newSecret()
      const ids = publishers.map((each) => each.id)
      await addMintedToken(writer, hash, { identity, expiresMs }, ids)
      return { secret, expiresMs, identity, publishers }
    })
  }
}

/** Loaded with the first token that is shown: the library behind it takes 9 MB. */
function checks(): Promise<typeof import('./oidc-token.ts')> {
  return import('./oidc-token.ts')
}
