/** View models of pages for people: `browse.ts` builds them, `web` renders them as HTML. */
import type { DocumentationZip, FileHistory, FileTests } from './attachment-views.ts'
import type { ToxState } from './tox-report.ts'

/** Facts about the request that every page needs. */
export interface Frame {
  /** Relative path from the page to the server's root: `''`, `'../'`, `'../../'` … */
  readonly root: string
  /** Absolute base for lines to copy, without trailing slash. */
  readonly serverUrl: string
  readonly version: string
}

export interface HomeView {
  readonly users: readonly UserView[]
}

export interface UserView {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly indexes: readonly IndexLine[]
}

export interface IndexLine {
  /** `user/index`. */
  readonly name: string
  readonly type: 'stage' | 'mirror'
  readonly title?: string
  readonly description?: string
}

export interface IndexView extends IndexLine {
  readonly volatile: boolean
  /** In resolution order, without the index itself; empty for a mirror. */
  readonly bases: readonly string[]
  /** Only for stages. */
  readonly aclUpload: readonly string[]
  readonly mirrorWhitelist: readonly string[]
  /** Only for mirrors; without credentials. */
  readonly upstream?: string
  /** Projects held on this very index, by name; a mirror's are those with a file here. */
  readonly projects: readonly ProjectLine[]
  /** Name to ask the next page with, where there are more. */
  readonly next?: string
  /** The name this page was asked with; absent on the first one. */
  readonly after?: string
}

export interface ProjectLine {
  readonly name: string
  /** The latest version held. */
  readonly version?: string
  readonly summary?: string
  /** PEP 792, where its owner set it. */
  readonly status?: StatusView
  /** There is a zip of documentation for that version. */
  readonly isDocumented?: boolean
  /** Of the newest test results of that version. */
  readonly tests?: ToxState
}

export interface ProjectView {
  /** The index the page was asked of. */
  readonly index: string
  readonly name: string
  readonly summary?: string
  /** Newest version first; of every layer of the index. */
  readonly releases: readonly ReleaseLine[]
  /** PEP 792, where it is not active. */
  readonly status?: StatusView
  /** Where upstream shows this project to people, when a mirror says. */
  readonly upstreamPage?: string
  /** Set when a stage's name keeps mirrors out, with the mirrors that were not asked. */
  readonly shadowedMirrors?: readonly string[]
}

export interface ReleaseLine {
  readonly version: string
  /** The layer it comes from. */
  readonly index: string
  readonly files: number
  /** RFC 3339, of the newest file. */
  readonly uploadTime?: string
  readonly yanked: boolean
  readonly documentation?: DocumentationZip
  /** Of the newest test results. */
  readonly tests?: ToxState
}

export interface ReleaseView {
  readonly index: string
  readonly name: string
  readonly version: string
  /** A newer version that this index has. */
  readonly newer?: string
  /** Of its project (PEP 792), where it is not active. */
  readonly status?: StatusView
  readonly summary?: string
  readonly requiresPython?: string
  /** Label and values, in the order to show: author, license, home page, project URLs, dependencies, classifiers … */
  readonly facts: readonly { readonly label: string; readonly values: readonly string[] }[]
  readonly files: readonly FileLine[]
  readonly description?: { readonly text: string; readonly contentType?: string }
  /** `isReadable`: it has pages to look at, and is not only a zip. */
  readonly documentation?: DocumentationZip & { readonly isReadable: boolean }
  /** Of the files that have test results. */
  readonly tests?: readonly FileTests[]
  /** Of the files whose history is known. */
  readonly history?: readonly FileHistory[]
}

export interface FileLine {
  readonly filename: string
  /** Path below the server's root, without leading slash: `user/index/+f/…`. */
  readonly path: string
  readonly sizeBytes?: number
  readonly uploadTime?: string
  readonly sha256?: string
  readonly requiresPython?: string
  readonly yanked?: true | string
  /** False for a mirror's file that is not here yet. */
  readonly held: boolean
  /** The path of its provenance object, and what that says where it is here. */
  readonly provenance?: { readonly path: string; readonly line?: ProvenanceLine }
}

/** What attests to a file (PEP 740). */
export interface ProvenanceLine {
  readonly publishers: readonly { readonly text: string; readonly href?: string }[]
  /** `verified`, or why it is not. */
  readonly verdict: string
}

export interface SearchView {
  readonly query: string
  readonly hits: readonly (ProjectLine & { readonly index: string })[]
  /** There are more hits than are shown. */
  readonly more: boolean
}

/** What a project's owner, or its upstream, says of it (PEP 792). */
export interface StatusView {
  readonly status: string
  readonly reason?: string
}
