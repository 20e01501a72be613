/**
 * Verifies an attestation (PEP 740) by way of a Sigstore bundle, offline, against a given trusted root. Nothing is
 * fetched here or below.
 */
import { X509Certificate } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { type Signer, toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify'
import { type Attestation, AttestationError, isSameDistribution, readStatement } from './attestation.ts'
import { type AttestationPublisher, publisherOf } from './attestation-publisher.ts'

export interface AttestedFile {
  readonly filename: string
  /** In lower-case hex. */
  readonly sha256: string
}

/** Who signed an attestation, as its certificate says. */
export interface Signature {
  readonly publisher: AttestationPublisher
  /** Of the identity: an OIDC issuer's address. */
  readonly issuer: string | undefined
  /** The identity there: an address or an email. */
  readonly subject: string | undefined
}

export class AttestationVerifier {
  readonly #verifier: Verifier
  readonly #predicateTypes: readonly string[]

  /** `trustedRoot`: Sigstore's `trusted_root.json`. Throws `SyntaxError` where it is none. */
  constructor(trustedRoot: string, predicateTypes: readonly string[]) {
    this.#predicateTypes = predicateTypes
    try {
      const root = TrustedRoot.fromJSON(JSON.parse(trustedRoot))
      const material = toTrustMaterial(root)
      if (material.certificateAuthorities.length === 0 || material.tlogs.length === 0) {
        throw new SyntaxError('it names no certificate authority or no transparency log')
      }
      this.#verifier = new Verifier(material)
    } catch (error) {
      throw new SyntaxError(`Cannot read Sigstore's trusted root: ${(error as Error).message}`, { cause: error })
    }
  }

  /**
   * Verifies that the attestation is about this very file, and gives who signed it. Throws `AttestationError` that says
   * what does not hold.
   */
  verify(attestation: Attestation, file: AttestedFile): Signature {
    const signer = this.#signerOf(attestation)
    const statement = readStatement(attestation)
    if (!isSameDistribution(statement.filename, file.filename)) {
      throw new AttestationError(`it is about "${statement.filename.slice(0, 200)}", not about "${file.filename}"`)
    }
    if (statement.sha256 !== file.sha256) {
      throw new AttestationError(
        `it is about content with sha256 ${statement.sha256.slice(0, 64)}, the file has ${file.sha256}`,
      )
    }
    if (!this.#predicateTypes.includes(statement.predicateType)) {
      throw new AttestationError(`its predicate type "${statement.predicateType.slice(0, 200)}" is not taken`)
    }
    const { identity } = signer
    const subject = identity?.subjectAlternativeName
    const issuer = identity?.extensions?.issuer
    const extensions = new Map((identity?.oids ?? []).map(({ oid, value }) => [oid?.id.join('.') ?? '', value]))
    return { publisher: publisherOf({ subject, issuer, extensions }), issuer, subject }
  }

  #signerOf(attestation: Attestation): Signer {
    checkEntries(attestation)
    try {
      // Rekor's own clock is the only one: the certificate must have been valid when the log took the signature in.
      return this.#verifier.verify(toSignedEntity(bundleFromJSON(asBundle(attestation))))
    } catch (error) {
      throw new AttestationError(told(error), { cause: error })
    }
  }
}

/** PEP 740, "Conversion": the same material as a Sigstore bundle, version 0.3, with a DSSE envelope. */
function asBundle({ verification_material: material, envelope }: Attestation): unknown {
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: { rawBytes: material.certificate },
      tlogEntries: material.transparency_entries,
    },
    dsseEnvelope: {
      payload: envelope.statement,
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: envelope.signature }],
    },
  }
}

/**
 * What the library would pass over or tell in other words. The names in checkpoints become regular expressions in it: only
 * plain ones may reach it.
 */
function checkEntries({ verification_material: material }: Attestation): void {
  const { from, to } = lifeOf(material.certificate)
  for (const entry of material.transparency_entries as readonly LogEntry[]) {
    if (entry.inclusionPromise?.signedEntryTimestamp === undefined) {
      throw new AttestationError(
        'its transparency log entry has no promise of inclusion, which alone vouches for its time',
      )
    }
    const checkpoint = entry.inclusionProof?.checkpoint?.envelope
    if (typeof checkpoint !== 'string') {
      throw new AttestationError('its transparency log entry has no proof of inclusion')
    }
    if ([...checkpoint.matchAll(/^\u2014 (\S+) /gm)].some(([, name]) => !/^[\w.:/~-]+$/.test(name!))) {
      throw new AttestationError('its proof of inclusion is signed by a log with a strange name')
    }
    const at = Number(entry.integratedTime) * 1000
    if (!(at > 0)) throw new AttestationError('its transparency log entry tells no time')
    if (at < from || at > to) {
      throw new AttestationError('its certificate was not valid when the transparency log took the signature in')
    }
  }
}

interface LogEntry {
  readonly integratedTime?: unknown
  readonly inclusionPromise?: { readonly signedEntryTimestamp?: unknown }
  readonly inclusionProof?: { readonly checkpoint?: { readonly envelope?: unknown } }
}

/** In ms since 1970. */
function lifeOf(certificate: string): { from: number; to: number } {
  try {
    const read = new X509Certificate(Buffer.from(certificate, 'base64'))
    return { from: read.validFromDate.getTime(), to: read.validToDate.getTime() }
  } catch (error) {
    throw new AttestationError('its certificate cannot be read', { cause: error })
  }
}

function told(error: unknown): string {
  if (!(error instanceof VerificationError))
    return `it cannot be read as a Sigstore bundle: ${(error as Error).message}`
  switch (error.code) {
    case 'CERTIFICATE_ERROR':
      return /SCT/.test(error.message)
        ? 'its certificate is in no certificate transparency log that is trusted'
        : 'its certificate does not come from an authority that is trusted'
    case 'TIMESTAMP_ERROR':
      return 'nothing that is trusted tells when it was signed'
    case 'TLOG_BODY_ERROR':
      return 'its transparency log entry is about another statement or signature'
    case 'SIGNATURE_ERROR':
      return 'its signature does not fit its statement'
    default:
      return 'its inclusion in a transparency log that is trusted cannot be shown'
  }
}
