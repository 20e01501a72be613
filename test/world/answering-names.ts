/** Names that the system's resolver does not know, and what it is to answer for them in this process: names of tests, and of attackers. */
import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

type Callback = (error: NodeJS.ErrnoException | null, address?: string | LookupAddress[], family?: number) => void

/** Addresses, in order. A name server may say other ones to who looks and to who connects a moment later. */
export type NamedAddresses =
  | readonly string[]
  | { readonly looked: readonly string[]; readonly connected: readonly string[] }

export interface AnsweringNames extends Disposable {
  /** Names for connections, oldest first. */
  readonly connected: readonly string[]
}

export function answerNames(answers: Readonly<Record<string, NamedAddresses>>): AnsweringNames {
  const { lookup } = dns
  const connected: string[] = []
  const answering = (name: string, options: LookupOptions, callback: Callback) => {
    const known = answers[name]
    if (known === undefined) return lookup(name, options, callback as never)
    // node:net says so much when it looks a name up to connect.
    const isConnecting = options.hints !== undefined
    if (isConnecting) connected.push(name)
    const chosen = 'looked' in known ? known[isConnecting ? 'connected' : 'looked'] : known
    const found = chosen.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() =>
      options.all === true ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family),
    )
  }
  dns.lookup = answering as never
  syncBuiltinESMExports()
  return {
    connected,
    [Symbol.dispose]: () => {
      dns.lookup = lookup
      syncBuiltinESMExports()
    },
  }
}
