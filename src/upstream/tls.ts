/** TLS to an upstream: the trusted authorities, and the client certificate. */
import { readFileSync } from 'node:fs'
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

let believesSystem = false

/**
 * Has this thread believe the authorities of the machine besides Node's own: a company's is installed there. Takes 60 ms the first time,
 * so it is to be called before the first connection and not at the start, where `node --use-system-ca` does it.
 */
export function believeSystem(): void {
  if (believesSystem) return
  believesSystem = true
  const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule('node:tls')
  setDefaultCACertificates([...getCACertificates('default'), ...getCACertificates('system')])
}

/** What Node's TLS takes. Throws `upstream-failed` for a file that cannot be read: unchecked, nothing is fetched. */
export function tlsOptions({ authorities = [], certificate, key }: TlsFiles): TlsOptions {
  const own = authorities.map(readPem)
  return {
    ...(own.length > 0 && { ca: [...knownAuthorities(), ...own] }),
    ...(certificate !== undefined && { cert: readPem(certificate), key: readPem(key ?? certificate) }),
  }
}

/** Given any others, Node forgets these. */
function knownAuthorities(): string[] {
  believeSystem()
  return process.getBuiltinModule('node:tls').getCACertificates('default')
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Problem('upstream-failed', `Cannot read the certificates of the mirror: ${reasonOf(error)}`, {
      hint: "the path comes from the server's environment",
      cause: error,
    })
  }
}
