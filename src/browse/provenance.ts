/** A file's attestations (PEP 740) from a stage or a mirror, and the result of their verification. */
import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import { findMirroredProvenance, findProvenance, type StoredProvenance } from '../catalog/provenance.ts'
import type { Mirrors } from '../mirrors/mirrors.ts'
import type { Limits } from '../model/limits.ts'
import { type IndexRecord, isMirror } from '../model/records.ts'
import { type Attestation, AttestationError } from '../pep/attestation.ts'
import { contradicts, publisherText, publisherUrl } from '../pep/attestation-publisher.ts'
import type { AttestationVerifier, AttestedFile, Signature } from '../pep/attestation-verifier.ts'
import type { ProjectName } from '../pep/name.ts'
import { countAttestations, parseProvenance } from '../pep/provenance.ts'
import type { ProvenanceLine } from './views.ts'

/** The verdict on what holds. */
export const VERIFIED = 'verified'

export interface ProvenancesOptions {
  readonly catalog: Catalog
  readonly mirrors: Pick<Mirrors, 'get'>
  readonly limits: Limits
  /** Loaded when something is to be verified first: it takes 20 MiB. */
  readonly verifier: () => Promise<Pick<AttestationVerifier, 'verify'>>
}

export class Provenances {
  readonly #options: ProvenancesOptions

  constructor(options: ProvenancesOptions) {
    this.#options = options
  }

  /**
   * The provenance object of a file of this index itself; a mirror asks its upstream where that is due. `undefined` where
   * there is none. Throws what the mirror throws.
   */
  async read(record: IndexRecord, project: ProjectName, filename: string): Promise<StoredProvenance | undefined> {
    const { catalog, mirrors } = this.#options
    if (isMirror(record)) {
      const mirror = await mirrors.get(record)
      return await mirror.provenance(project, filename, (text, file) => this.#judge(text, file))
    }
    return await catalog.read(async (reader) => {
      const file = (await listFiles(reader, record, project)).find((each) => each.filename === filename)
      return file && (await findProvenance(reader, file))
    })
  }

  /** What is here of it, for people: nobody is asked. `undefined` where nothing is here. */
  async line(record: IndexRecord, project: ProjectName, filename: string): Promise<ProvenanceLine | undefined> {
    const stored = isMirror(record)
      ? await this.#options.catalog.read((reader) => findMirroredProvenance(reader, record, project, filename))
      : await this.read(record, project, filename)
    return stored && lineOf(stored)
  }

  /** Who signed each of them. Throws `AttestationError` for the first that does not hold, with its place (from 1). */
  async verify(attestations: readonly Attestation[], file: AttestedFile): Promise<readonly Signature[]> {
    const verifier = await this.#options.verifier()
    return attestations.map((attestation, place) => {
      try {
        return verifier.verify(attestation, file)
      } catch (error) {
        if (!(error instanceof AttestationError) || attestations.length === 1) throw error
        throw new AttestationError(`number ${place + 1}: ${error.message}`, { cause: error })
      }
    })
  }

  async #judge(text: string, file: AttestedFile): Promise<string> {
    const { limits } = this.#options
    try {
      const provenance = parseProvenance(text)
      const count = countAttestations(provenance)
      if (count === 0) return 'it holds no attestation'
      if (count > limits.provenanceAttestations) return `it holds ${count} attestations, too many to be verified`
      for (const { publisher, attestations } of provenance.attestation_bundles) {
        const signatures = await this.verify(attestations, file)
        const other = signatures.find((signature) => contradicts(publisher, signature.publisher))
        if (other !== undefined) {
          return `it names ${publisherText(publisher)} as the publisher, and ${publisherText(other.publisher)} signed`
        }
      }
      return VERIFIED
    } catch (error) {
      if (error instanceof AttestationError) return error.message
      throw error
    }
  }
}

function lineOf({ text, verdict }: StoredProvenance): ProvenanceLine {
  try {
    const publishers = parseProvenance(text).attestation_bundles.map(({ publisher }) => {
      const href = publisherUrl(publisher)
      return { text: publisherText(publisher), ...(href !== undefined && { href }) }
    })
    return { publishers, verdict }
  } catch (error) {
    if (error instanceof AttestationError) return { publishers: [], verdict }
    throw error
  }
}
