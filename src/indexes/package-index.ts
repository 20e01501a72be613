/** The central interface: what answers for projects. Stage, mirror and bases are all implementations of it. */
import type { Digest } from '../lib/digest.ts'
import type { Download } from '../mirrors/download.ts'
import type { IndexName } from '../model/names.ts'
import type { ListedBatches, NameBatches } from '../names/name-batches.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'

/**
 * A package index as an installer sees it: three questions, asked read-only.
 *
 * Absence is a value: `undefined` means "this index does not have it". Inability is an error: an index that cannot
 * tell throws, and a caller that swallows the error has invented an answer.
 */
export interface PackageIndex {
  readonly name: IndexName
  /** Every name. May throw while it is read. */
  projects(): NameBatches
  project(name: ProjectName): Promise<IndexPage | undefined>
  /** A file of the project; with `.metadata` after a wheel's name, that wheel's core metadata (PEP 658). */
  file(name: ProjectName, filename: string): Promise<FileSource | undefined>
}

/** An index that holds files itself. A layered index is not a layer: bases are flattened first, or `layered` would nest. */
export interface Layer extends PackageIndex {
  readonly kind: 'stage' | 'mirror'
  /** Where files are let go to make room: keeps those of the project until it is disposed. */
  retain?(name: ProjectName): AsyncDisposable
  /** As `projects()`, each with the server's number of its last change. */
  listed(): ListedBatches
  /** The same number of one project; `undefined` for what is not listed. Asks nobody else. */
  stamp(name: ProjectName): Promise<number | undefined>
}

export interface IndexPage extends ProjectDetail {
  /** The layer it comes from; of merged pages the first. */
  readonly index: IndexName
  readonly files: readonly IndexFile[]
  /** The layer's `serial`, where the page is as new as that says. */
  readonly ownStamp?: number
  /** A mirror has a part in it, and would look anew after this, ms since 1970; absent where only commits change it. */
  readonly freshUntilMs?: number
  /** Why the page may be older than it should be; absent when it is current. */
  readonly stale?: string
}

export interface IndexFile extends DistributionFile {
  /** Path below the server's root, not percent-encoded: `user/index/+f/…/filename`. */
  readonly url: string
  readonly index: IndexName
  /** `aa/bb/rest`: see `packagesPath`. */
  readonly packagesPath?: string
  readonly version: string
  /** Its bytes are here. */
  readonly held: boolean
}

/** Where the bytes are. The HTTP floor decides how to send them. */
export type FileSource =
  | { readonly from: 'blob'; readonly digest: Digest; readonly sizeBytes: number; readonly modified?: string }
  | {
      readonly from: 'upstream'
      /** Where the index lists it: path below the server's root, not percent-encoded. */
      readonly address: string
      /** Where upstream has it; without credentials. */
      readonly origin: string
      /** As announced. */
      readonly sizeBytes?: number
      readonly digest?: Digest
      readonly modified?: string
      readonly fetch: () => Download
      /** Asks upstream where it is not announced; `undefined` where upstream does not tell either. */
      readonly askSize: () => Promise<number | undefined>
    }
  | {
      readonly from: 'memory'
      /** Of the file that it belongs to. */
      readonly address: string
      readonly bytes: Uint8Array
      readonly digest: Digest
      readonly modified?: string
      /** Nothing vouches for the bytes yet: the same address may give others later. */
      readonly mayChange?: boolean
    }
