/** Checks that an issuer's address is secure enough to trust its answers. */

/**
 * Whether nobody on the way can answer in its place: https, or a way that does not leave this machine ("potentially
 * trustworthy", as PEP 807 asks for).
 */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
  return protocol === 'http:' && isLoopback
}

/** An issuer as it names itself in `iss`; `undefined` for what cannot be one (OpenID Connect Discovery 1.0 §3: no query, no fragment). */
export function issuerAddress(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || !isTrustworthy(url) || text.length > ISSUER_CHARACTERS_MAX) return undefined
  const isPlain = url.username === '' && url.password === '' && !/[?#\s]/.test(text)
  return isPlain ? text : undefined
}

/** Theirs have some forty. */
const ISSUER_CHARACTERS_MAX = 500
