/**
 * Attestation objects (PEP 740): their shape, and the statement inside. Whether the signature holds is
 * `attestation-verifier.ts`'s business.
 */
import { parseBoundedJson } from '../lib/bounded-json.ts'
import { matchesVersion, parseFilename } from './filename.ts'

/** PEP 740's attestation object, version 1, its shape checked. Base64 is as it was sent. */
export interface Attestation {
  readonly version: 1
  readonly verification_material: {
    /** DER, in base64. */
    readonly certificate: string
    /** As the transparency log's protobuf writes them in JSON. */
    readonly transparency_entries: readonly Readonly<Record<string, unknown>>[]
  }
  readonly envelope: {
    /** An in-toto statement, in base64. */
    readonly statement: string
    /** Of the DSSE envelope around it, in base64. */
    readonly signature: string
  }
}

/** What was signed, as far as PEP 740 asks: in-toto's statement, version 1, about one file. */
export interface SignedStatement {
  readonly filename: string
  /** In lower-case hex. */
  readonly sha256: string
  readonly predicateType: string
}

/** What is wrong with an attestation: the end of a sentence that begins with its name. */
export class AttestationError extends Error {
  override readonly name = 'AttestationError'
}

/** A signature has one entry today; each more costs a verification. */
const ENTRIES_MOST = 4
/** Bundles of Sigstore have some ten levels, and some hundred values. */
const BOUNDS = { depth: 32, values: 20_000 }
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** The upload form's field `attestations`: a JSON array. Throws `AttestationError`. */
export function parseAttestations(text: string, most: number): readonly Attestation[] {
  const list = parseJson(text, 'it is no JSON')
  if (!Array.isArray(list)) throw new AttestationError('it is no JSON array of attestation objects')
  if (list.length > most) throw new AttestationError(`it has ${list.length} attestations, at most ${most} are taken`)
  return list.map((each: unknown) => readAttestation(each))
}

/** Throws `AttestationError` where it is no attestation object of version 1. Keys that are not known are left out. */
export function readAttestation(value: unknown): Attestation {
  const object = asRecord(value)
  if (object === undefined) throw new AttestationError('it is no JSON object')
  if (object.version !== 1) {
    throw new AttestationError(
      `it is of version ${(JSON.stringify(object.version) ?? 'unknown').slice(0, 100)}, only 1 is known`,
    )
  }
  const material = asRecord(object.verification_material)
  const envelope = asRecord(object.envelope)
  const entries = material?.transparency_entries
  const isWhole = isBase64(material?.certificate) && isBase64(envelope?.statement) && isBase64(envelope?.signature)
  if (!isWhole) throw new AttestationError('it lacks its certificate, its statement or its signature, in base64')
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new AttestationError('it has no transparency log entry')
  }
  if (entries.length > ENTRIES_MOST || !entries.every((entry) => asRecord(entry) !== undefined)) {
    throw new AttestationError(`its transparency log entries are no list of at most ${ENTRIES_MOST} objects`)
  }
  return {
    version: 1,
    verification_material: { certificate: material!.certificate as string, transparency_entries: entries },
    envelope: { statement: envelope!.statement as string, signature: envelope!.signature as string },
  }
}

/** Throws `AttestationError` for what is no in-toto statement of version 1 about exactly one file. */
export function readStatement({ envelope }: Attestation): SignedStatement {
  const bytes = Buffer.from(envelope.statement, 'base64')
  const statement = asRecord(parseJson(bytes.toString('utf8'), 'its statement is no JSON'))
  if (statement?._type !== STATEMENT_TYPE)
    throw new AttestationError('its statement is no in-toto statement, version 1')
  const subjects = statement.subject
  if (!Array.isArray(subjects) || subjects.length !== 1) {
    const count = Array.isArray(subjects) ? subjects.length : 'no'
    throw new AttestationError(`its statement names ${count} subjects, exactly one is needed`)
  }
  const subject = asRecord(subjects[0])
  const sha256 = asRecord(subject?.digest)?.sha256
  if (typeof subject?.name !== 'string' || subject.name === '' || typeof sha256 !== 'string') {
    throw new AttestationError('the subject of its statement has no name or no sha256 digest')
  }
  const { predicateType } = statement
  if (typeof predicateType !== 'string') throw new AttestationError('its statement has no predicate type')
  return { filename: subject.name, sha256, predicateType }
}

/** Whether two names are of the same distribution: compared as parsed, not as written (PEP 740, "Attestation verification"). */
export function isSameDistribution(a: string, b: string): boolean {
  const [one, other] = [parseFilename(a), parseFilename(b)]
  if (one?.kind === 'sdist' && other?.kind === 'sdist') {
    return one.format === other.format && one.project === other.project && matchesVersion(b, one.version, one.project)
  }
  if (one?.kind !== 'wheel' || other?.kind !== 'wheel') return false
  return (
    one.project === other.project &&
    matchesVersion(b, one.version, one.project) &&
    one.build === other.build &&
    one.variant === other.variant &&
    tagsOf(one) === tagsOf(other)
  )
}

/** Compressed tags stand for a set (PEP 425): their order means nothing. */
function tagsOf({ pythonTag, abiTag, platformTag }: Record<'pythonTag' | 'abiTag' | 'platformTag', string>): string {
  return [pythonTag, abiTag, platformTag].map((tags) => tags.toLowerCase().split('.').sort().join('.')).join('-')
}

function parseJson(text: string, otherwise: string): unknown {
  try {
    return parseBoundedJson(text, BOUNDS)
  } catch (error) {
    throw new AttestationError(otherwise, { cause: error })
  }
}

function isBase64(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && /^[A-Za-z0-9+/\s]+(?:={1,2}\s*)?$/.test(value)
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
