import { fileAddress, upstreamFolder } from '../model/file-address.ts'
import type { IndexName } from '../model/names.ts'
import type { DistributionFile } from '../pep/simple.ts'

/** Strongest first; devpi takes sha256, else the first it is given. */
const HASHES = ['sha256', 'sha512', 'sha384', 'sha224', 'sha1', 'md5']

/** devpi's address has 3 digits of the hash in one part and up to 13 in the next, which may not be empty. */
const FEWEST_DIGITS = 4

/** The hash a mirror's file is addressed by: absent where upstream gives none. One that is cut short fits no content, yet is an address. */
export function addressHash(file: DistributionFile): string | undefined {
  const name = HASHES.find((each) => (file.hashes[each]?.length ?? 0) >= FEWEST_DIGITS)
  return name && file.hashes[name]!.toLowerCase()
}

/**
 * Where a mirror's file is found here, below the server's root. devpi's two forms: `+f/` with the hash, and `+e/` with
 * the folder it lies in upstream, odd characters as `_`, where upstream gives no hash.
 */
export function mirrorAddress(index: IndexName, file: DistributionFile): string {
  const hash = addressHash(file)
  if (hash !== undefined) return fileAddress(index, hash, file.filename)
  return `${index}/+e/${upstreamFolder(file.url)}/${file.filename}`
}

/** The address as others may see it. */
export function withoutCredentials(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}
