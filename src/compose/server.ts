/** Config → a server that is ready to listen: with `stores.ts` the only place that knows every constructor. */
import { readFileSync } from 'node:fs'
import type { Server as HttpServer } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Groups } from '../accounts/groups.ts'
import { IndexRecords } from '../accounts/index-records.ts'
import { Login } from '../accounts/login/login.ts'
import { LoginTokens } from '../accounts/login/login-tokens.ts'
import { ApiTokens } from '../accounts/tokens/tokens.ts'
import { OidcIssuers } from '../accounts/trusted-publishing/oidc-issuers.ts'
import { TrustedPublishers } from '../accounts/trusted-publishing/publishers.ts'
import { TokenExchange } from '../accounts/trusted-publishing/token-exchange.ts'
import { VouchedUsers } from '../accounts/vouched-users.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { SharedHolds } from '../blob/shared-holds.ts'
import { Advisories } from '../browse/advisories.ts'
import { Documentation } from '../browse/documentation.ts'
import { Provenances } from '../browse/provenance.ts'
import { ToxResults } from '../browse/tox-results.ts'
import { findUser, listIndexes, listUsers } from '../catalog/accounts.ts'
import { changesSince } from '../catalog/journal.ts'
import type { Config } from '../config/load.ts'
import { createApp } from '../http/app.ts'
import { createListener } from '../http/door/front-door.ts'
import { PageFlights } from '../http/door/page-flights.ts'
import { readyAnswers } from '../http/door/ready-answers.ts'
import { ReadyFiles } from '../http/door/ready-files.ts'
import { Shelf } from '../http/door/shelf.ts'
import { EncodedPages } from '../http/installers/encoded.ts'
import { FileBodies } from '../http/installers/file-body.ts'
import type { HandOver } from '../http/installers/hand-over.ts'
import { OwnHosts } from '../http/own-hosts.ts'
import { RequestCounts } from '../http/request-counts.ts'
import type { Services } from '../http/services.ts'
import { TrustedProxy } from '../http/trusted-proxy.ts'
import type { Gate } from '../indexes/gate.ts'
import { openIndexes } from '../indexes/open-index.ts'
import { JobRunner } from '../jobs/runner.ts'
import { Sweeper } from '../jobs/sweeper.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { loadedOnce, loadSendfile } from '../lib/sendfile.ts'
import { describeFile } from '../mirrors/describe-file.ts'
import { Mirrors } from '../mirrors/mirrors.ts'
import type { Duties, Peers, SharedMirrors } from '../mirrors/peers.ts'
import { isNamedUser, mayUnder } from '../model/access.ts'
import { isAlias } from '../model/aliases.ts'
import { Problem } from '../model/errors.ts'
import { type UserName, userName } from '../model/names.ts'
import { isMirror } from '../model/records.ts'
import { OutgoingPolicy } from '../upstream/outgoing-policy.ts'
import { documentationPage } from '../web/packages/documentation-page.ts'
import { homePage, userPage } from '../web/packages/home-page.ts'
import { indexPage } from '../web/packages/index-page.ts'
import { projectPage } from '../web/packages/project-page.ts'
import { searchPage } from '../web/packages/search-page.ts'
import { testResultPage, testsPage } from '../web/packages/tests-page.ts'
import { problemPage } from '../web/problem-page.ts'

import type { Stores } from './stores.ts'
import { attestationVerifier } from './verifier.ts'
import { VERSION } from './version.ts'

export interface Server extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly stores: Stores
  /** Whether root can log in without a password, from this machine; to know it takes 50 ms. */
  hasOpenRoot(): Promise<boolean>
  /** What people's connections go to, not listening yet; to be asked for when `app` is ready, as often as there are addresses. */
  createListener(): HttpServer
  /** Starts what works in the background: jobs, and fetching what mirrors will be asked for. */
  start(): Promise<void>
  /** What other workers may ask of this one. */
  readonly duties: Duties
}

/**
 * Puts the server together; nothing listens yet. The stores are disposed with it. With `peers` it is one of several workers:
 * what happens in the background happens in worker 0.
 */
export async function openServer(
  config: Config,
  stores: Stores,
  log: Log,
  clock: Clock = systemClock,
  peers?: Peers,
  gate?: Gate,
): Promise<Server> {
  await using stack = new AsyncDisposableStack()
  stack.use(stores)
  const { catalog, blobs, passwords, folder, identity } = stores
  const { limits } = config
  const may = mayUnder(config)
  const userAgent = `airlock/${VERSION} (Python package index; Node.js ${process.versions.node}; ${process.platform})`
  const warn = (message: string, fields: Record<string, unknown>) => log.mirror.warn(fields, message)
  const sendfile = loadedOnce(
    () => (config.hasSendfile ? loadSendfile() : undefined),
    (error) =>
      log.http.error({ err: error }, 'Cannot use the sendfile of the system; files and pages are sent without it'),
  )
  const outgoing = {
    allow: config.outgoingAllow,
    ownPorts: config.listen.map(({ port }) => port).filter((port) => port !== 0),
  }
  const isNamed = (user: UserName) => isNamedUser(user, config.mayMirror, config.restrictModify)
  const shelf = new Shelf({
    catalog,
    changesSince: (serial, most) => catalog.read((reader) => changesSince(reader, serial, most)),
    limits,
    nowMs: clock === systemClock ? Date.now : () => clock.now().getTime(),
    ...(peers !== undefined && { mirrorNews: () => catalog.counters.mirrorNews }),
    onTrouble: (error) => log.catalog.error({ err: error }, 'Cannot read the journal'),
  })
  const mirrors = stack.use(
    new Mirrors({
      catalog,
      blobs,
      folder: folder.mirrors,
      temp: folder.drafts,
      offline: config.offline,
      expirySeconds: config.mirrorExpirySeconds,
      room: {
        ...(config.mirrorCacheBytes !== undefined && { bytes: config.mirrorCacheBytes }),
        ...(config.mirrorCacheDays !== undefined && { days: config.mirrorCacheDays }),
      },
      environment: config.upstreams,
      hasNamedOwners: config.restrictModify !== undefined,
      outgoing,
      isNamed,
      limits,
      clock,
      userAgent,
      warn,
      info: (message, fields) => log.mirror.info(fields, message),
      onNews: (project) => shelf.forgetMirrored(project),
      ...(peers !== undefined && { shared: sharedMirrors(stores, peers) }),
    }),
  )
  const provenances = new Provenances({ catalog, mirrors, limits, verifier: await attestationVerifier(config) })
  const documentation = new Documentation({ catalog, blobs, limits })
  const runner = stack.use(
    new JobRunner({
      catalog,
      limits,
      clock,
      run: async (job) => {
        if (job.kind === 'describe-file') return await describeFile({ catalog, blobs, limits, warn }, job)
        const { indexDocumentation } = await import('../jobs/index-documentation.ts')
        return await indexDocumentation({ catalog, documentation, limits }, job)
      },
      onFailure: (job, error, isLast) =>
        log.jobs[isLast ? 'error' : 'warn']({ err: error, 'job.kind': job.kind, 'job.key': job.key }, 'Job failed'),
      onTrouble: (error) => log.jobs.error({ err: error }, 'Cannot read or write the job table'),
    }),
  )
  const isFirst = peers === undefined || peers.worker === 0
  catalog.whenEnqueued(() => (isFirst ? runner.wake() : peers.wake()))
  const sweeper = stack.use(
    new Sweeper({
      catalog,
      blobs,
      mirrors,
      limits,
      clock,
      onSwept: (swept) => log.jobs.info(swept, 'Made room'),
      onTrouble: (error) => log.jobs.error({ err: error }, 'Cannot make room'),
    }),
  )
  const secret = await folder.secret(config.secretFile)
  const tokens = new LoginTokens({ secret, lifeSeconds: limits.tokenSeconds, clock })
  const { authorities } = config.upstreams
  const issuers = stack.use(
    new OidcIssuers({ clock, limits, userAgent, outgoing, ...(authorities !== undefined && { authorities }) }),
  )
  const apiTokens = stack.use(
    new ApiTokens({
      catalog,
      clock,
      may,
      limits,
      onTrouble: (error) => log.catalog.error({ err: error }, 'Cannot write down when a token was used'),
    }),
  )
  const services: Services = {
    catalog,
    blobs,
    fileBodies: new FileBodies({
      blobs,
      limits,
      sendfile,
      onTrouble: (error) => log.http.error({ err: error }, 'Cannot send a file to its end'),
    }),
    indexes: openIndexes({ catalog, mirrors, limits, may, ...(gate !== undefined && { gate }) }),
    mirrors,
    login: new Login(catalog, passwords, tokens),
    tokens: apiTokens,
    publishers: new TrustedPublishers({ catalog, clock, may, limits }),
    exchange: new TokenExchange({ catalog, clock, limits, issuers, isNamed, audience: config.oidcAudience }),
    vouched: new VouchedUsers(catalog, stores.users, { autocreate: config.autocreateUsers }),
    users: stores.users,
    indexRecords: new IndexRecords(catalog, clock, may),
    groups: new Groups(catalog, may),
    may,
    encoded: new EncodedPages(limits.encodedPageBytes),
    outgoing: {
      policy: new OutgoingPolicy(outgoing),
      isNamed: (user) => isNamedUser(user, config.mayPushOut, config.restrictModify),
    },
    publishing: { catalog, blobs, limits, clock, may, provenances },
    provenances,
    advisories: new Advisories({ catalog, limits }),
    documentation,
    toxResults: new ToxResults({ blobs, limits }),
    pages: {
      style: readFileSync(new URL('../web/style.css', import.meta.url)),
      homePage,
      userPage,
      indexPage,
      projectPage,
      // Loaded when the first README is shown: its renderers take 30 MiB.
      releasePage: async (view, frame) => (await import('../web/packages/release-page.ts')).releasePage(view, frame),
      documentationPage,
      testsPage,
      testResultPage,
      searchPage,
      problemPage,
    },
    shelf,
    readyFiles: stack.use(new ReadyFiles({ limits, sendfile, folder: folder.drafts })),
    flights: new PageFlights(),
    requests: new RequestCounts(),
    clock,
    limits,
    log,
    server: {
      uuid: identity.uuid,
      version: VERSION,
      serverDir: folder.root,
      host: config.listen[0]?.host ?? config.unixSocket?.path ?? 'localhost',
      port: config.listen[0]?.port ?? 0,
      ownHosts: new OwnHosts({ ...config, listens: config.listen.map(({ host }) => host) }),
      absoluteUrls: config.absoluteUrls,
      uploadSessions: config.uploadSessions,
      defaultIndex: config.defaultIndex,
      takenAliases: new Set((await catalog.read(listUsers)).map((user) => user.name as string).filter(isAlias)),
      ...(config.trustedProxy !== undefined && { trustedProxy: new TrustedProxy(config.trustedProxy) }),
      ...(config.accelRedirect !== undefined && { handOver: handOverOf(config.accelRedirect, stores.blobs) }),
      ...(config.remoteUserHeader !== undefined && { remoteUserHeader: config.remoteUserHeader }),
      ...(config.outsideUrl !== undefined && { outsideUrl: config.outsideUrl }),
    },
    ...(peers !== undefined && { peers }),
  }
  const app = createApp(services)
  stack.defer(() => app.close())
  const opened = stack.move()
  return {
    app,
    stores,
    hasOpenRoot: async () => {
      const root = await catalog.read((reader) => findUser(reader, userName('root')))
      return root?.passwordHash !== undefined && (await passwords.matches('', root.passwordHash))
    },
    createListener: () => {
      const listener = createListener(app.routing, limits, readyAnswers(services))
      // The port may be the system's choice. Nobody here has the server ask itself.
      listener.on('listening', () => {
        const address = listener.address()
        if (typeof address === 'object' && address !== null) outgoing.ownPorts.push(address.port)
      })
      return listener
    },
    start: async () => {
      if (!isFirst) return
      runner.start()
      await mirrors.prune()
      sweeper.start()
      for (const record of await catalog.read((reader) => listIndexes(reader))) {
        if (isMirror(record)) await mirrors.warm(record)
      }
    },
    duties: {
      wake: () => runner.wake(),
      pruned: () => mirrors.forgetRemoved(),
      openMirror: (indexId) => mirrors.openById(indexId),
      refreshList: (indexId) => mirrors.refreshList(indexId),
      figures: () => ({ ...services.requests.figures, mirrors: mirrors.status() }),
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Throws `setting-invalid` where a web server in front could find no files. */
function handOverOf(prefix: string, { files }: BlobStore): HandOver {
  if (files !== undefined) return { prefix, placeOf: files.placeOf }
  throw new Problem('setting-invalid', 'Cannot use x_accel_redirect: the blobs are not files of this machine')
}

function sharedMirrors({ catalog, shared }: Stores, { keeper, pruned }: Peers): SharedMirrors {
  const holds = new SharedHolds(shared!.holds, shared!.worker)
  return { counters: catalog.counters, holds, onPruned: pruned, ...(keeper !== undefined && { keeper }) }
}
