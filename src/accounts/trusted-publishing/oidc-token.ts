/** An OIDC token, checked: signature, issuer, audience, times (RFC 7519, OpenID Connect Core 1.0 §3.1.3.7). */
import { createHash } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { Problem } from '../../model/errors.ts'

export interface VerifiedToken {
  readonly claims: JWTPayload
  /** The same for the same token, however it was written. */
  readonly id: string
  /** When it can no longer be shown, the leeway included. */
  readonly endMs: number
}

/** Signatures with a private key alone: with `none` or a shared secret anybody could make a token. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** Who the token says has issued it: not checked yet. Throws `oidc-token-invalid`. */
export function claimedIssuer(token: string): string {
  try {
    const { iss } = decodeJwt(token)
    if (iss !== undefined) return iss
  } catch (error) {
    throw invalid('it is no JSON Web Token', error)
  }
  throw invalid('it names no issuer')
}

/** `unknown-key`: none of these keys has signed it; newer ones may have. Throws `oidc-token-invalid` for all else. */
export async function verifyToken(
  token: string,
  keys: JSONWebKeySet,
  expected: {
    readonly issuer: string
    readonly audience: string
    readonly clock: Clock
    readonly leewaySeconds: number
  },
): Promise<VerifiedToken | 'unknown-key'> {
  const { issuer, audience, clock, leewaySeconds } = expected
  const now = clock.now()
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: leewaySeconds,
      currentDate: now,
      requiredClaims: ['iss', 'aud', 'exp', 'iat'],
    })
    const { exp = 0, iat = 0 } = payload
    if (iat > now.getTime() / 1000 + leewaySeconds) throw invalid(`it was issued in the future, at ${timeOf(iat)}`)
    return { claims: payload, id: identityOf(token, issuer, payload), endMs: (exp + leewaySeconds) * 1000 }
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key'
    throw error instanceof Problem ? error : invalid(reasonOf(error, token, audience), error)
  }
}

function reasonOf(error: unknown, token: string, audience: string): string {
  if (error instanceof errors.JWTExpired) return `it expired at ${timeOf(error.payload.exp ?? 0)}`
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { aud, nbf } = decodeJwt(token)
    if (error.claim === 'aud') return `it is for audience ${shown(aud)}, and this server is "${audience}"`
    if (error.claim === 'nbf' && nbf !== undefined) return `it is not valid before ${timeOf(nbf)}`
    return `its claim "${error.claim}" is missing or wrong`
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is not that of its issuer'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it is signed in a way that is not accepted'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say which key of its issuer has signed it'
  if (error instanceof errors.JOSEError) return `it cannot be checked: ${error.message}`
  // What a key set with broken keys makes the platform say.
  if (error instanceof Error) return 'the key of its issuer cannot be used'
  throw error
}

/**
 * `jti` where there is one. Without it what was signed; not the signature, which whoever has a token could write in other
 * ways that are valid as well.
 */
function identityOf(token: string, issuer: string, { jti }: JWTPayload): string {
  const own =
    typeof jti === 'string' && jti !== '' ? `jti\0${jti}` : `signed\0${token.slice(0, token.lastIndexOf('.'))}`
  return createHash('sha256').update(`${issuer}\0${own}`).digest('hex')
}

function invalid(why: string, cause?: unknown): Problem {
  return new Problem('oidc-token-invalid', `Cannot accept the OIDC token: ${why}`, { cause })
}

function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 200)
}

/** Seconds since 1970, as people read them. */
function timeOf(seconds: number): string {
  const ms = seconds * 1000
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : `${seconds} s`
}
