/** The addresses of a host, as the system resolves its name for a connection. */
import dns, { type LookupAddress } from 'node:dns'

/** In the system's order; a host that is an address is that. Rejects as the system does. */
export function resolved(
  hostname: string,
  options: { readonly family?: number | string | undefined } = {},
): Promise<LookupAddress[]> {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return new Promise((resolve, reject) => {
    dns.lookup(bare, { ...options, all: true } as dns.LookupAllOptions, (error, addresses) =>
      error === null ? resolve(addresses) : reject(error),
    )
  })
}
