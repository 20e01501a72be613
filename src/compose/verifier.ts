import { readFile } from 'node:fs/promises'
import type { Config } from '../config/load.ts'
import { PUBLISH_PREDICATE } from '../config/settings.ts'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'
import type { AttestationVerifier } from '../pep/attestation-verifier.ts'

/** What PEP 740 takes. */
const PREDICATE_TYPES = [PUBLISH_PREDICATE, 'https://slsa.dev/provenance/v1']

/** Loads what verifies attestations when the first is seen: it takes 20 MiB. A root of one's own is looked at here and now. */
export async function attestationVerifier({
  sigstoreTrustedRoot,
}: Config): Promise<() => Promise<AttestationVerifier>> {
  let loading: Promise<AttestationVerifier> | undefined
  const load = async () => {
    const { AttestationVerifier } = await import('../pep/attestation-verifier.ts')
    const path = sigstoreTrustedRoot ?? new URL('../pep/sigstore-trusted-root.json', import.meta.url)
    return new AttestationVerifier(await readFile(path, 'utf8'), PREDICATE_TYPES)
  }
  const verifier = () => (loading ??= load())
  try {
    if (sigstoreTrustedRoot !== undefined) await verifier()
  } catch (error) {
    throw new Problem('setting-invalid', `Cannot use sigstore_trusted_root: ${reasonOf(error)}`, {
      hint: 'it names a file in the form of trusted_root.json; leave it out to use the public root that comes along',
      cause: error,
    })
  }
  return verifier
}
