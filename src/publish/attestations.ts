/** The attestations of an upload (PEP 740): verified before anything is stored, then stored as provenance. */

import { VERIFIED } from '../browse/provenance.ts'
import type { Writer } from '../catalog/catalog.ts'
import { findFile } from '../catalog/files.ts'
import { findMirroredProvenance, findProvenance, type StoredProvenance, saveProvenance } from '../catalog/provenance.ts'
import type { Principal } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import { type File, type IndexRecord, isMirror } from '../model/records.ts'
import { AttestationError, parseAttestations } from '../pep/attestation.ts'
import { countAttestations, parseProvenance, type SignedAttestation, withAttestations } from '../pep/provenance.ts'
import { agree, withEnvironment } from './attested-publisher.ts'
import type { Upload } from './checks.ts'
import type { Publishing } from './publishing.ts'

/**
 * Verifies the field `attestations` of an upload form; none is none. Throws `too-large`, and `attestation-invalid` for the
 * first that does not hold, is about another file, or was signed by another publisher than the one who uploads.
 */
export async function verifyAttestations(
  { provenances, limits }: Pick<Publishing, 'provenances' | 'limits'>,
  who: Principal,
  upload: Pick<Upload, 'filename' | 'digest' | 'fields'>,
): Promise<readonly SignedAttestation[]> {
  const [text, ...more] = (upload.fields.get('attestations') ?? []).filter((value) => value.trim() !== '')
  if (text === undefined) return []
  if (more.length > 0) throw invalid(upload, 'the form has the field "attestations" more than once')
  const size = Buffer.byteLength(text)
  if (size > limits.attestationBytes) {
    throw new Problem(
      'too-large',
      `Cannot accept attestations of ${size} bytes: ${limits.attestationBytes} are the most`,
    )
  }
  try {
    const attestations = parseAttestations(text, limits.attestations)
    const signatures = await provenances.verify(attestations, { filename: upload.filename, sha256: upload.digest })
    return attestations.map((attestation, place) => {
      const signature = signatures[place]!
      if (who.publisher === undefined) return { attestation, publisher: signature.publisher }
      agree(who.publisher, signature)
      return { attestation, publisher: withEnvironment(signature.publisher, who.publisher) }
    })
  } catch (error) {
    if (error instanceof AttestationError) throw invalid(upload, error.message, error)
    throw error
  }
}

/** Adds what is new of it to the provenance of the file that was stored under that name. Tells whether anything was. */
export async function keepAttestations(
  writer: Writer,
  record: IndexRecord,
  file: Pick<File, 'project' | 'filename'>,
  signed: readonly SignedAttestation[],
  limits: Limits,
): Promise<boolean> {
  if (signed.length === 0) return false
  const known = await provenanceOf(writer, record, file)
  const before = known && parseProvenance(known.text)
  const after = withAttestations(before, signed)
  const count = countAttestations(after)
  if (count > limits.provenanceAttestations) {
    throw invalid(file, `the file would have ${count}, at most ${limits.provenanceAttestations} are kept`)
  }
  if (before !== undefined && count === countAttestations(before)) return false
  await saveProvenance(writer, record, file, { text: JSON.stringify(after), verdict: known?.verdict ?? VERIFIED })
  return true
}

/** A pushed file's provenance goes with it, verdict and all; the target's own, of the same content, stays beside it. */
export async function carryProvenance(
  writer: Writer,
  source: IndexRecord,
  target: IndexRecord,
  file: File,
): Promise<void> {
  const carried = await provenanceOf(writer, source, file)
  if (carried === undefined) return
  const known = await provenanceOf(writer, target, file)
  if (known === undefined || carried.verdict !== VERIFIED || known.verdict !== VERIFIED) {
    // What does not hold is passed on as it is, and never mixed with what does.
    if (known?.verdict !== VERIFIED) await saveProvenance(writer, target, file, carried)
    return
  }
  const signed = parseProvenance(carried.text).attestation_bundles.flatMap(({ publisher, attestations }) =>
    attestations.map((attestation) => ({ publisher, attestation })),
  )
  const text = JSON.stringify(withAttestations(parseProvenance(known.text), signed))
  await saveProvenance(writer, target, file, { text, verdict: VERIFIED })
}

async function provenanceOf(
  writer: Writer,
  index: IndexRecord,
  { project, filename }: Pick<File, 'project' | 'filename'>,
): Promise<StoredProvenance | undefined> {
  const file = await findFile(writer, index, project, filename)
  if (!isMirror(index)) return file && (await findProvenance(writer, file))
  const mirrored = await findMirroredProvenance(writer, index, project, filename)
  return mirrored?.digest === file?.digest ? mirrored : undefined
}

function invalid({ filename }: Pick<File, 'filename'>, what: string, cause?: unknown): Problem {
  return new Problem('attestation-invalid', `invalid attestation for '${filename}': ${what}`, { cause })
}
