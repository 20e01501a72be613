/** The central interface: an index that answers for projects. Stage, mirror and layered index implement it. */
import type { Digest } from '../lib/digest.ts'
import type { IndexName } from '../model/names.ts'
import type { ListedBatches } from '../names/name-batches.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import type { AskedAddress } from './asked-address.ts'

/**
 * A package index as an installer sees it: what has the project, and what lies at this address.
 *
 * Absence is a value: `undefined` means "this index does not have it". Inability is an error: an index that cannot
 * tell throws, and a caller that swallows the error has invented an answer.
 */
export interface PackageIndex {
  readonly name: IndexName
  project(name: ProjectName): Promise<IndexPage | undefined>
  /**
   * The one way to a file: the archive or attachment at that address, or a wheel's core metadata where `filename` ends in
   * `.metadata` (PEP 658). `deleted` where something was, and is no more. Throws `file-withheld` for what must not be
   * delivered.
   */
  at(address: AskedAddress, filename: string, asked?: Conditions): Promise<LocatedFile | 'deleted' | undefined>
}

/** What is asked before an index looks for bytes, or lets an upstream know that somebody wants them. */
export interface Conditions {
  /** Whether the index may answer for the project: a stage of the chain may keep the name from mirrors. */
  mayAnswer?(project: ProjectName): Promise<boolean>
  /** Throws where the file may not be seen. */
  admit?(found: FileFacts): Promise<void>
}

/** An index that holds files itself. A layered index is not a layer: bases are flattened first, or `layered` would nest. */
export interface Layer extends PackageIndex {
  readonly kind: 'stage' | 'mirror'
  /** Where files are let go to make room: keeps those of the project until it is disposed. */
  retain?(name: ProjectName): AsyncDisposable
  /** Every name in order of code points, each with the stamp of its last change. May throw while it is read. */
  listed(): ListedBatches
  /** The same stamp of one project; `undefined` for what is not listed. Asks nobody else. */
  stamp(name: ProjectName): Promise<number | undefined>
}

/** What is known of what lies at an address. */
export interface FileFacts {
  readonly project: ProjectName
  /** What the page of the project says of it, or would where no page lists it. */
  readonly file: IndexFile
  /** Documentation and test results are no files of a release: no page lists them. */
  readonly isAttachment?: boolean
  /** Of an attachment: the file of the release that it is about, where it is about one. */
  readonly aboutFilename?: string
  /** Where upstream has it; without credentials. Absent for what people uploaded. */
  readonly origin?: string
}

/** What lies at an address. */
export interface LocatedFile extends FileFacts {
  readonly source: FileSource
}

export interface IndexPage extends ProjectDetail {
  /** The layer it comes from; of merged pages the first. */
  readonly index: IndexName
  readonly files: readonly IndexFile[]
  /** Files that the page does not list because the project is quarantined (PEP 792). A gate decides about them as well. */
  readonly withheld?: readonly IndexFile[]
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
      /** As announced. */
      readonly sizeBytes?: number
      readonly digest?: Digest
      readonly modified?: string
      readonly fetch: () => Fetched
      /** Asks upstream where it is not announced; `undefined` where upstream does not tell either. */
      readonly askSize: () => Promise<number | undefined>
    }
  | {
      readonly from: 'memory'
      readonly bytes: Uint8Array
      readonly digest: Digest
      readonly modified?: string
      /** Nothing vouches for the bytes yet: the same address may give others later. */
      readonly mayChange?: boolean
    }

/** A file on its way from upstream, read by everybody who asks for it meanwhile (request coalescing). */
export interface Fetched {
  /** Settles when upstream's answer began: its size, where known. Rejects when there was none. */
  readonly head: Promise<{ readonly sizeBytes?: number }>
  /** The bytes from `start` to `end` (exclusive; absent: to the end of the file), as they arrive. Throws when the file is not what was announced. */
  read(start?: number, end?: number): AsyncIterable<Uint8Array>
  /** Goes to its end, whether anybody reads it or not. Rejects with what prevented it. */
  complete(): Promise<unknown>
}
