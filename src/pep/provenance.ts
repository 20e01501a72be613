/** Provenance objects (PEP 740): an index's attestations of one file, by publisher. */
import { parseBoundedJson } from '../lib/bounded-json.ts'
import { type Attestation, AttestationError, readAttestation } from './attestation.ts'
import { type AttestationPublisher, isSamePublisher } from './attestation-publisher.ts'

export interface Provenance {
  readonly version: 1
  readonly attestation_bundles: readonly AttestationBundle[]
}

export interface AttestationBundle {
  readonly publisher: AttestationPublisher
  readonly attestations: readonly Attestation[]
}

/** An attestation that was verified, and whose it is. */
export interface SignedAttestation {
  readonly attestation: Attestation
  readonly publisher: AttestationPublisher
}

/** Publishers of one file: an index has one, and another where a project moved. */
const BUNDLES_MOST = 100
const BOUNDS = { depth: 32, values: 100_000 }

/** The type of the public index's Integrity API. */
export const PROVENANCE_TYPE = 'application/vnd.pypi.integrity.v1+json'

/** Those of `known` and those of `signed` that are not among them. */
export function withAttestations(known: Provenance | undefined, signed: readonly SignedAttestation[]): Provenance {
  const bundles = (known?.attestation_bundles ?? []).map(({ publisher, attestations }) => ({
    publisher,
    attestations: [...attestations],
  }))
  const signatures = new Set(bundles.flatMap((bundle) => bundle.attestations.map((each) => each.envelope.signature)))
  for (const { attestation, publisher } of signed) {
    const { signature } = attestation.envelope
    if (signatures.has(signature)) continue
    signatures.add(signature)
    const own = bundles.find((bundle) => isSamePublisher(bundle.publisher, publisher))
    if (own === undefined) bundles.push({ publisher, attestations: [attestation] })
    else own.attestations.push(attestation)
  }
  return { version: 1, attestation_bundles: bundles }
}

export function countAttestations({ attestation_bundles }: Provenance): number {
  return attestation_bundles.reduce((sum, { attestations }) => sum + attestations.length, 0)
}

/** Throws `AttestationError` for text that is no provenance object of version 1. */
export function parseProvenance(text: string): Provenance {
  const object = asRecord(parsed(text))
  const bundles = object?.attestation_bundles
  if (object?.version !== 1 || !Array.isArray(bundles)) {
    throw new AttestationError('it is no provenance object of version 1')
  }
  if (bundles.length > BUNDLES_MOST) {
    throw new AttestationError(`it has ${bundles.length} bundles, at most ${BUNDLES_MOST} are read`)
  }
  return { version: 1, attestation_bundles: bundles.map(readBundle) }
}

function readBundle(value: unknown): AttestationBundle {
  const bundle = asRecord(value)
  const publisher = asRecord(bundle?.publisher)
  if (typeof publisher?.kind !== 'string' || !Array.isArray(bundle?.attestations)) {
    throw new AttestationError('one of its bundles lacks its publisher or its attestations')
  }
  return { publisher: publisher as AttestationPublisher, attestations: bundle.attestations.map(readAttestation) }
}

function parsed(text: string): unknown {
  try {
    return parseBoundedJson(text, BOUNDS)
  } catch (error) {
    throw new AttestationError('it is no JSON', { cause: error })
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
