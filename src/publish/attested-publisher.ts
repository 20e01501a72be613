/** Checks that the uploader (Trusted Publishing) and the signer are the same workflow, by the claims of the same issuer. */
import { withoutTrailing } from '../lib/trailing.ts'
import type { PublisherIdentity } from '../model/access.ts'
import { AttestationError } from '../pep/attestation.ts'
import { type AttestationPublisher, publisherText } from '../pep/attestation-publisher.ts'
import type { Signature } from '../pep/attestation-verifier.ts'

/**
 * Throws `AttestationError` where the two differ: another issuer, another repository, another workflow file, another account. A
 * certificate and a token of one workflow are asked for one by one, so nothing that changes from run to run is compared.
 */
export function agree(uploader: PublisherIdentity, { publisher, issuer, subject }: Signature): void {
  const differ = (what: string, signed: string | undefined, uploads: string | undefined) =>
    new AttestationError(
      `${publisherText(publisher)} signed it, and the uploader has another ${what} (${uploads ?? 'none'}, not ${signed ?? 'none'})`,
    )
  if (withoutSlash(issuer) !== withoutSlash(uploader.issuer)) throw differ('issuer', issuer, uploader.issuer)
  const { claims } = uploader
  const { repository } = publisher
  if (typeof repository === 'string') {
    const own = claims.repository ?? claims.project_path
    if (own?.toLowerCase() !== repository.toLowerCase()) throw differ('repository', repository, own)
    const workflow = publisher.workflow ?? publisher.workflow_filepath
    const file = workflowOf(claims)
    if (typeof workflow === 'string' && file !== workflow) throw differ('workflow', workflow, file)
    return
  }
  const own = claims.email ?? claims.sub
  const signed = publisher.email ?? publisher.identity ?? subject
  if (typeof signed === 'string' && own !== undefined && signed !== own) throw differ('identity', signed, own)
}

/** The environment stands in the uploader's token alone. */
export function withEnvironment(publisher: AttestationPublisher, { claims }: PublisherIdentity): AttestationPublisher {
  if (!('environment' in publisher) || claims.environment === undefined) return publisher
  return { ...publisher, environment: claims.environment }
}

/** `OWNER/REPO/.github/workflows/FILE@REF`, or `HOST/GROUP/PROJECT//PATH@REF`. */
function workflowOf(claims: PublisherIdentity['claims']): string | undefined {
  const github = /\/\.github\/workflows\/([^@]+)@/.exec(claims.workflow_ref ?? '')?.[1]
  return github ?? /\/\/([^@]+)@/.exec(claims.ci_config_ref_uri ?? '')?.[1]
}

function withoutSlash(issuer: string | undefined): string | undefined {
  return issuer === undefined ? undefined : withoutTrailing(issuer, '/')
}
