/** What upstream's provenance objects (PEP 740) say of a mirror's files: fetched when first asked for, kept, asked again now and then. */

import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import {
  findMirroredProvenance,
  listMirroredProvenance,
  type MirroredProvenance,
  type StoredProvenance,
  saveMirroredProvenance,
} from '../catalog/provenance.ts'
import type { IndexPage } from '../indexes/package-index.ts'
import { parseBoundedJson } from '../lib/bounded-json.ts'
import type { Clock } from '../lib/clock.ts'
import { asDigest, type Digest } from '../lib/digest.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import { provenanceAddress } from '../model/provenance-address.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { PROVENANCE_TYPE } from '../pep/provenance.ts'
import type { DistributionFile } from '../pep/simple.ts'
import type { Upstream } from '../upstream/upstream.ts'

interface Announced {
  readonly project: ProjectName
  readonly filename: string
  readonly digest: Digest
  readonly url: string
}

/** What verification says of the text: `verified`, or why not. */
export type Judge = (text: string, file: { readonly filename: string; readonly sha256: Digest }) => Promise<string>

export interface MirrorProvenanceOptions {
  readonly record: MirrorRecord
  readonly catalog: Catalog
  readonly upstream: Upstream
  readonly expiryMs: number
  readonly offline: boolean
  readonly limits: Limits
  readonly clock: Clock
}

export class MirrorProvenance {
  readonly #options: MirrorProvenanceOptions
  readonly #flights = new Map<string, Promise<StoredProvenance | undefined>>()

  constructor(options: MirrorProvenanceOptions) {
    this.#options = options
  }

  /**
   * The mirror's page with the addresses of provenance here in place of upstream's, where it can be served: as upstream
   * announces it, or, where upstream is not asked, as it is here.
   */
  async listed(page: IndexPage, isAsked: boolean): Promise<IndexPage> {
    const { catalog, record } = this.#options
    const kept = isAsked ? undefined : await catalog.read((reader) => listMirroredProvenance(reader, record, page.name))
    const files = page.files.map(({ provenance, ...file }) => {
      const digest = asDigest(file.hashes.sha256)
      const isServed = kept === undefined ? provenance !== undefined : kept.get(file.filename) === digest
      return isServed && digest !== undefined ? { ...file, provenance: provenanceAddress(file.url) } : file
    })
    return { ...page, files }
  }

  /**
   * What is here while it is young or upstream cannot be asked, else what upstream has now; `listed`: the file on
   * upstream's page, where there is one. `undefined` where there is no provenance. Throws what upstream's failure is where
   * nothing is here.
   */
  async read(
    project: ProjectName,
    filename: string,
    listed: DistributionFile | undefined,
    judge: Judge,
  ): Promise<StoredProvenance | undefined> {
    const { catalog, record, clock, expiryMs, offline } = this.#options
    const { found, held } = await catalog.read(async (reader) => ({
      found: await findMirroredProvenance(reader, record, project, filename),
      held: (await listFiles(reader, record, project)).find((each) => each.filename === filename),
    }))
    const digest = asDigest(listed?.hashes.sha256) ?? held?.digest
    if (digest === undefined) return undefined
    const url = listed?.provenance
    const known = found?.digest === digest ? found : undefined
    const isYoung = known !== undefined && clock.now().getTime() - known.fetchedMs < expiryMs
    if (isYoung || url === undefined || (offline && known !== undefined)) return known
    try {
      return await this.#flight({ project, filename, digest, url }, known, judge)
    } catch (error) {
      // Older bundles still hold; who asks next asks upstream again.
      if (known !== undefined && error instanceof Problem) return known
      throw error
    }
  }

  #flight(file: Announced, known: MirroredProvenance | undefined, judge: Judge): Promise<StoredProvenance | undefined> {
    const key = `${file.project}/${file.filename}`
    const running = this.#flights.get(key)
    if (running !== undefined) return running
    const flight = this.#fetch(file, known, judge).finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }

  async #fetch(
    { project, filename, digest, url }: Announced,
    known: MirroredProvenance | undefined,
    judge: Judge,
  ): Promise<StoredProvenance | undefined> {
    const { catalog, record, upstream, limits, clock } = this.#options
    const accept = `${PROVENANCE_TYPE}, application/json;q=0.5`
    const validators = known?.etag === undefined ? {} : { etag: known.etag }
    const answer = await upstream.document(url, accept, validators, limits.provenanceBytes)
    // What was attested once stays so, whatever its page says of it now.
    if (answer.kind === 'absent') return known
    if (answer.kind === 'document') checkJson(answer.text, filename)
    const fetchedMs = clock.now().getTime()
    const stored: MirroredProvenance =
      answer.kind === 'unchanged'
        ? { ...known!, fetchedMs }
        : {
            digest,
            text: answer.text,
            verdict: await judge(answer.text, { filename, sha256: digest }),
            fetchedMs,
            ...(answer.etag !== undefined && { etag: answer.etag }),
          }
    await catalog.write((writer) => saveMirroredProvenance(writer, record, project, filename, stored))
    return stored
  }
}

/** Networks answer with a page of their own before one signs in: that is not what upstream says. */
function checkJson(text: string, filename: string): void {
  try {
    parseBoundedJson(text)
  } catch (error) {
    throw new Problem('upstream-failed', `Cannot deliver the provenance of "${filename}": upstream sent no JSON`, {
      cause: error,
    })
  }
}
