/** Addresses of files on one index, and whether a file is at an address. */
import { upstreamFolder } from '../model/file-address.ts'
import { packagesPath } from '../model/packages-path.ts'
import type { ProjectName } from '../pep/name.ts'

/** Each names one file of an index, together with a filename. */
export type AskedAddress =
  /** devpi's `+f/{3 hex}/{13 hex}/`: the first 16 hex digits of the hash the file was announced with. */
  | { readonly kind: '+f'; readonly hashStart: string }
  /** devpi's `+e/{folder}/`: a file that upstream announced without a hash. */
  | { readonly kind: '+e'; readonly folder: string }
  /** The public index's `packages/{aa}/{bb}/{rest}/`. */
  | { readonly kind: 'packages'; readonly path: string }
  /** Whatever the page of the project lists under the filename. */
  | { readonly kind: 'listed'; readonly project: ProjectName }

/** What a row knows of where it lies. */
interface Placed {
  readonly project: ProjectName
  readonly addressHash: string
  readonly digest: string
  readonly origin?: string
}

/** Whether what is held has that address. */
export function isAddressed(file: Placed, address: AskedAddress): boolean {
  switch (address.kind) {
    case '+f':
      return file.addressHash.slice(0, 16) === address.hashStart
    case '+e':
      return file.origin !== undefined && upstreamFolder(file.origin) === address.folder
    case 'packages':
      return packagesPath({ ...file, sha256: file.digest }) === address.path
    case 'listed':
      return file.project === address.project
  }
}

/** Whether a file that only upstream has is listed at that address. The digest in an address must be the file's own, so that an address never names other content. */
export function isListedAt(
  file: { readonly url: string; readonly packagesPath?: string },
  address: AskedAddress,
): boolean {
  switch (address.kind) {
    case '+e':
      return file.url.includes(`/+e/${address.folder}/`)
    case '+f': {
      const [, first, second] = /\/\+f\/([^/]+)\/([^/]+)\//.exec(file.url) ?? []
      return first !== undefined && `${first}${second}`.startsWith(address.hashStart)
    }
    case 'packages':
      return file.packagesPath === address.path
    case 'listed':
      return true
  }
}

/** The archive that a filename asks for, itself or its metadata. */
export function archiveOf(filename: string): string {
  return filename.endsWith('.metadata') ? filename.slice(0, -'.metadata'.length) : filename
}
