import { createBLAKE2b } from 'hash-wasm'

/** A BLAKE2b-256 while bytes come: some 64 KiB of memory of its own, and 500 MB a second or more. */
export interface Blake2b256 {
  update(bytes: Uint8Array): void
  /** 64 lower-case hex digits; ends it. */
  digest(): string
}

/** The public index's `blake2b_256`. (Node's own is 512 bits long, which is another hash and no shorter form of it.) */
export async function blake2b256(): Promise<Blake2b256> {
  const hasher = (await createBLAKE2b(256)).init()
  return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest('hex') }
}
