import { createHash } from 'node:crypto'
import type { Brand } from './brand.ts'

/** A sha256 in 64 lower-case hex digits: the name of a blob. */
export type Digest = Brand<string, 'Digest'>

/** Throws `SyntaxError` unless `text` is 64 hex digits; upper case is folded. */
export function parseDigest(text: string): Digest {
  const folded = text.toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(folded)) {
    throw new SyntaxError(`Cannot read sha256 digest: expected 64 hex digits, got ${text.length} characters`)
  }
  return folded as Digest
}

/** `parseDigest` for text that may be anything: `undefined` where it is no digest. */
export function asDigest(text: string | undefined): Digest | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/i.test(text) ? parseDigest(text) : undefined
}

/** The sha256 of bytes that are in memory already. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest
}
