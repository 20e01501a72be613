/**
 * Checks the invariants of a server folder (`airlock check`), and collects garbage: blobs that no row names (`airlock
 * gc`).
 */
import { createHash } from 'node:crypto'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { BLOB_COLUMNS, isBlobNamed, listNamedBlobs } from '../catalog/named-blobs.ts'
import { listAllProvenance } from '../catalog/provenance.ts'
import type { Clock } from '../lib/clock.ts'
import { AttestationError, readStatement } from '../pep/attestation.ts'
import { parseProvenance } from '../pep/provenance.ts'

export interface CheckReport {
  readonly files: number
  readonly blobs: number
  readonly bytes: number
  /** One sentence each; empty when all is well. */
  readonly faults: readonly string[]
  /** Blobs that no row names: harmless, left by uploads that did not end. */
  readonly unnamed: number
}

/** Rows read at a time. */
const ROWS = 500
/** The same of rows with some 20 KB of text each. */
const ROWS_OF_TEXT = 50
/** Faults told one by one; more are counted. */
const FAULTS_TOLD = 100

/** Whether every file row has its blobs, whether what attests to files is about them, of the right size, and (with `hashes`) whether every blob hashes to its name. */
export async function check(
  catalog: Catalog,
  blobs: BlobStore,
  options: { readonly hashes: boolean },
): Promise<CheckReport> {
  const faults: string[] = []
  let untold = 0
  const fault = (sentence: string) => {
    if (faults.length < FAULTS_TOLD) faults.push(sentence)
    else untold++
  }
  let files = 0
  for await (const { digest, rows, name, leastBytes, mostBytes, isContent } of namedBlobs(catalog)) {
    if (isContent) files += rows
    const found = await blobs.stat(digest)
    if (found === undefined) fault(`${name}: blob ${digest} is missing`)
    else if (found.sizeBytes !== leastBytes || found.sizeBytes !== mostBytes) {
      const recorded = found.sizeBytes === leastBytes ? mostBytes : leastBytes
      fault(`${name}: blob ${digest} has ${found.sizeBytes} bytes, ${recorded} are recorded`)
    }
  }
  for await (const sentence of provenanceFaults(catalog)) fault(sentence)
  let count = 0
  let bytes = 0
  let unnamed = 0
  for await (const blob of blobs.list()) {
    count++
    bytes += blob.sizeBytes
    if (!(await catalog.read((reader) => isBlobNamed(reader, blob.digest)))) unnamed++
    if (!options.hashes) continue
    const hash = createHash('sha256')
    for await (const chunk of await blobs.open(blob.digest)) hash.update(chunk)
    const found = hash.digest('hex')
    if (found !== blob.digest) fault(`blob ${blob.digest}: its content has sha256 ${found}`)
  }
  if (untold > 0) faults.push(`${untold} more faults`)
  return { files, blobs: count, bytes, faults, unnamed }
}

/** Deletes blobs that no row names and that were not written within `graceMs`. */
export async function collectGarbage(
  catalog: Catalog,
  blobs: BlobStore,
  options: { readonly graceMs: number; readonly clock: Clock; readonly dryRun: boolean },
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const youngest = options.clock.now().getTime() - options.graceMs
  let count = 0
  let bytes = 0
  for await (const blob of blobs.list()) {
    if (blob.writtenMs > youngest) continue
    if (await catalog.read((reader) => isBlobNamed(reader, blob.digest))) continue
    if (!options.dryRun) await blobs.delete(blob.digest)
    count++
    bytes += blob.sizeBytes
  }
  return { blobs: count, bytes }
}

/** Signatures are not verified again: whether they hold was said when they came. */
async function* provenanceFaults(catalog: Catalog): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const rows = await catalog.read((reader) => listAllProvenance(reader, after, ROWS_OF_TEXT))
    for (const { filename, digest, text } of rows) {
      try {
        const attestations = parseProvenance(text).attestation_bundles.flatMap((bundle) => bundle.attestations)
        const other = attestations.map(readStatement).find((statement) => statement.sha256 !== digest)
        if (other !== undefined) yield `${filename}: its provenance is about content with sha256 ${other.sha256}`
      } catch (error) {
        if (!(error instanceof AttestationError)) throw error
        yield `${filename}: its provenance cannot be read: ${error.message}`
      }
    }
    if (rows.length < ROWS_OF_TEXT) return
    after = rows.at(-1)!.fileId
  }
}

async function* namedBlobs(catalog: Catalog) {
  for (const column of BLOB_COLUMNS) {
    // A file is its content; what stands beside it is not counted again.
    const isContent = column.column === 'digest' && column.nameless === undefined
    for (let after = ''; ; ) {
      const blobs = await catalog.read((reader) => listNamedBlobs(reader, column, after, ROWS))
      for (const blob of blobs) yield { ...blob, isContent }
      if (blobs.length < ROWS) break
      after = blobs.at(-1)!.digest
    }
  }
}
