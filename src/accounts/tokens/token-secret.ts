/** The secret text of an API token: shown once, stored only as its hash. */
import { createHash, randomBytes } from 'node:crypto'

/** A prefix that people and secret scanners recognise. */
const PREFIX = 'airlock-'
/** 256 bits: nobody guesses one, so that a plain hash is enough to keep it by. */
const RANDOM_BYTES = 32
const SHAPE = /^airlock-[A-Za-z0-9_-]{43}$/

export interface TokenSecret {
  /** ASCII that no URL escapes. */
  readonly secret: string
  readonly hash: string
}

export function newSecret(): TokenSecret {
  const secret = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
  return { secret, hash: hashOfSecret(secret) }
}

/** Whether the text can be a token at all; passwords are not taken for one. */
export function isTokenShaped(text: string): boolean {
  return SHAPE.test(text)
}

/** sha256 in hex, which tokens are looked up by: how long that takes tells of the hash, and nothing of the secret. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
