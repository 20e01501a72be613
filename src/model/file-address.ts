/** devpi's address of a file with a hash. */
import type { IndexName } from './names.ts'

/** `user/index/+f/` with the first 3 and the next 13 hex digits of the hash the file was announced with; not percent-encoded. */
export function fileAddress(index: IndexName, addressHash: string, filename: string): string {
  return `${index}/+f/${addressHash.slice(0, 3)}/${addressHash.slice(3, 16)}/${filename}`
}
