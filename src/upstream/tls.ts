/** Certificates on the way to an upstream: who is believed, and what is shown. */
import { readFileSync } from 'node:fs'
import { getCACertificates } from 'node:tls'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  /** Believed besides the machine's own authorities. */
  readonly authorities?: readonly string[]
  /** Shown to upstream, with its key in the same file or in `key`. */
  readonly certificate?: string
  readonly key?: string
}

export interface TlsOptions {
  readonly ca?: string[]
  readonly cert?: string
  readonly key?: string
}

/** What Node's TLS takes. Throws `upstream-failed` for a file that cannot be read: unchecked, nothing is fetched. */
export function tlsOptions({ authorities = [], certificate, key }: TlsFiles): TlsOptions {
  const own = authorities.map(readPem)
  return {
    // Given any, Node forgets those it has itself.
    ...(own.length > 0 && { ca: [...getCACertificates('default'), ...own] }),
    ...(certificate !== undefined && { cert: readPem(certificate), key: readPem(key ?? certificate) }),
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Problem('upstream-failed', `Cannot read the certificates of the mirror: ${reasonOf(error)}`, {
      hint: 'whoever runs the server set the path in its environment',
      cause: error,
    })
  }
}
