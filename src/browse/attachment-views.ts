/** View models of documentation, test results and histories of files. */
import type { ToxEnvironment, ToxPhase, ToxState } from './tox-report.ts'

export interface DocumentationZip {
  /** The layer it is on. */
  readonly index: string
  /** Path below the server's root, without leading slash. */
  readonly path: string
}

export interface FileTests {
  /** The layer the file comes from. */
  readonly index: string
  readonly filename: string
  readonly lines: readonly TestLine[]
}

/** One run in one environment; a result without environment cannot be told more of. */
export interface TestLine {
  /** The result's own filename. */
  readonly result: string
  readonly host?: string
  readonly platform?: string
  readonly environment?: string
  readonly python?: string
  readonly setup?: ToxPhase
  readonly test?: ToxPhase
  readonly state: ToxState
  /** Why there is no environment: it is no report of tox, or the page had read enough. */
  readonly why?: 'unreadable' | 'unread'
}

export interface FileHistory {
  readonly filename: string
  readonly events: readonly {
    readonly what: 'uploaded' | 'pushed' | 'replaced'
    readonly who?: string
    /** RFC 3339. */
    readonly when?: string
    readonly from?: string
    readonly to?: string
    /** How often it was replaced. */
    readonly count?: number
  }[]
}

/** Test results of one file. */
export interface TestsView {
  readonly index: string
  readonly name: string
  readonly version: string
  readonly filename: string
  /** Newest first. */
  readonly lines: readonly TestLine[]
}

/** One test result in full. */
export interface TestResultView extends Omit<TestsView, 'lines'> {
  readonly result: string
  /** Path below the server's root, without leading slash. */
  readonly path: string
  /** Absent where it cannot be read. */
  readonly environments?: readonly ToxEnvironment[]
}

/** The page around documentation. */
export interface DocumentationView {
  readonly index: string
  readonly name: string
  /** As it was asked for: a version, `latest` or `stable`. */
  readonly asked: string
  /** The version whose documentation is shown. */
  readonly version: string
  /** The version that was asked for, where its documentation is not there and an older one is shown. */
  readonly missing?: string
  /** The file shown, with the query it was asked with; not percent-encoded. */
  readonly path: string
  readonly query: string
  /** There is documentation of a newer version, and of a newer final one. */
  readonly hasLatest: boolean
  readonly hasStable: boolean
  /** The zip: path below the server's root, without leading slash. */
  readonly zipPath: string
}
