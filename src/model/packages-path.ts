/** The public index's own place for a file, which other tools and lock files know: `packages/aa/bb/rest/filename`. */

/** Where the public index has its files since 2016: two, two and sixty digits of a hash of the content. */
const PLACE = /\/packages\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{60})\/[^/]+$/

/**
 * The `aa/bb/rest` of a file: what upstream's address has, so that it is the same on both sides; else made of the sha256.
 * `undefined` where neither is known. No two contents share one, as far as an upstream can be trusted with its own.
 */
export function packagesPath(file: { readonly origin?: string; readonly sha256?: string }): string | undefined {
  const { origin, sha256 } = file
  const place = origin === undefined ? null : PLACE.exec(origin.replace(/[?#].*$/s, ''))
  if (place !== null) return place.slice(1).join('/')
  return sha256 === undefined ? undefined : `${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4)}`
}
