/** devpi's addresses of files: by their hash, and by their folder upstream where upstream gave no hash. */
import type { IndexName } from './names.ts'

/** `user/index/+f/` with the first 3 and the next 13 hex digits of the hash the file was announced with; not percent-encoded. */
export function fileAddress(index: IndexName, addressHash: string, filename: string): string {
  return `${index}/+f/${addressHash.slice(0, 3)}/${addressHash.slice(3, 16)}/${filename}`
}

/** `http://host:80/a/b/pkg.whl` → `http_host_80_a_b`; a password in the link is nobody else's business. */
export function upstreamFolder(url: string): string {
  const folder = url
    .replace(/^(https?:\/\/)[^/@]*@/i, '$1')
    .replace(/[?#].*$/s, '')
    .replace(/\/[^/]*$/, '')
  return folder.replace('://', '_').replace(/[^A-Za-z0-9.-]/g, '_')
}
