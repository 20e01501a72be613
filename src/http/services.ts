/** The services that routes use; `compose/server.ts` constructs them. */
import type { FastifyRequest } from 'fastify'
import type { Groups } from '../accounts/groups.ts'
import type { IndexRecords } from '../accounts/index-records.ts'
import type { Login } from '../accounts/login/login.ts'
import type { ApiTokens } from '../accounts/tokens/tokens.ts'
import type { TrustedPublishers } from '../accounts/trusted-publishing/publishers.ts'
import type { TokenExchange } from '../accounts/trusted-publishing/token-exchange.ts'
import type { Users } from '../accounts/users.ts'
import type { VouchedUsers } from '../accounts/vouched-users.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Advisories } from '../browse/advisories.ts'
import type { DocumentationView, TestResultView, TestsView } from '../browse/attachment-views.ts'
import type { Documentation } from '../browse/documentation.ts'
import type { Provenances } from '../browse/provenance.ts'
import type { ToxResults } from '../browse/tox-results.ts'
import type { Frame, HomeView, IndexView, ProjectView, ReleaseView, SearchView, UserView } from '../browse/views.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Indexes } from '../indexes/open-index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Mirrors } from '../mirrors/mirrors.ts'
import type { Peers } from '../mirrors/peers.ts'
import type { May } from '../model/access.ts'
import type { Limits } from '../model/limits.ts'
import type { IndexName } from '../model/names.ts'
import type { Publishing } from '../publish/publishing.ts'
import type { OutwardPushesOptions } from '../publish/push/push-external.ts'
import type { PageFlights } from './door/page-flights.ts'
import type { ReadyFiles } from './door/ready-files.ts'
import type { Shelf } from './door/shelf.ts'
import type { EncodedPages } from './installers/encoded.ts'
import type { FileBodies } from './installers/file-body.ts'
import type { HandOver } from './installers/hand-over.ts'
import type { OwnHosts } from './own-hosts.ts'
import type { RequestCounts } from './request-counts.ts'
import type { TrustedProxy } from './trusted-proxy.ts'

export interface Services {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly fileBodies: FileBodies
  readonly readyFiles: ReadyFiles
  readonly indexes: Indexes
  readonly mirrors: Mirrors
  readonly login: Login
  readonly tokens: ApiTokens
  readonly publishers: TrustedPublishers
  readonly exchange: TokenExchange
  readonly vouched: VouchedUsers
  readonly users: Users
  readonly indexRecords: IndexRecords
  readonly groups: Groups
  readonly may: May
  readonly publishing: Publishing
  /** How near releases may be pushed. */
  readonly outgoing: Pick<OutwardPushesOptions, 'policy' | 'isNamed'>
  readonly provenances: Provenances
  readonly advisories: Advisories
  readonly documentation: Documentation
  readonly toxResults: ToxResults
  readonly pages: Pages
  readonly encoded: EncodedPages
  readonly shelf: Shelf
  readonly flights: PageFlights
  readonly requests: RequestCounts
  readonly clock: Clock
  readonly limits: Limits
  readonly log: Log
  readonly server: ServerFacts
  /** The other workers of this server, where it has several. */
  readonly peers?: Pick<Peers, 'figures'>
}

export interface ServerFacts {
  readonly uuid: string
  readonly version: string
  readonly serverDir: string
  readonly host: string
  readonly port: number
  readonly outsideUrl?: URL
  /** The hosts that requests may name. */
  readonly ownHosts: OwnHosts
  /** The proxy whose headers are believed. */
  readonly trustedProxy?: TrustedProxy
  /** In lower case. */
  readonly remoteUserHeader?: string
  /** Where nginx has the blobs, for files that it can send itself. */
  readonly handOver?: HandOver
  readonly absoluteUrls: boolean
  /** Upload 2.0 (PEP 694) is switched on. */
  readonly uploadSessions: boolean
  /** What addresses without an index stand for, `user/index`. */
  readonly defaultIndex: IndexName
  /** First parts of such addresses that are users here: those are theirs. */
  readonly takenAliases: ReadonlySet<string>
}

/** Pages for people, made on the web floor. */
export interface Pages {
  readonly style: Buffer
  homePage(view: HomeView, frame: Frame): string
  userPage(view: UserView, frame: Frame): string
  indexPage(view: IndexView, frame: Frame): string
  projectPage(view: ProjectView, frame: Frame): string
  releasePage(view: ReleaseView, frame: Frame): Promise<string>
  documentationPage(view: DocumentationView, frame: Frame): string
  testsPage(view: TestsView, frame: Frame): string
  testResultPage(view: TestResultView, frame: Frame): string
  searchPage(view: SearchView, frame: Frame): string
  problemPage(problem: { status: number; title: string; message: string; hint?: string }, frame: Frame): string
}

export type FrameOf = (request: FastifyRequest) => Frame
