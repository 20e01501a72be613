/**
 * Every bound in the system, with its reason. Bytes, milliseconds and counts; the unit stands last in the name.
 * A few can be set (`config/settings.ts`); tests make them small with `withLimits`.
 */
const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

export interface Limits {
  /** One uploaded file. Wheels with GPU code pass 1 GB; product limit is 10 GB. */
  readonly uploadBytes: number
  /** Of a refused upload so much is read on: uploaders send everything before they read why. */
  readonly refusedBytes: number
  /** One text field of an upload form. PyPI's longest descriptions stay below 2 MiB. */
  readonly formFieldBytes: number
  readonly formFields: number
  /** A JSON body of devpi's API. */
  readonly jsonBodyBytes: number
  /** The result of a tox run; it holds all that the tests printed. */
  readonly toxResultBytes: number
  /** A test result that pages read; a larger one can only be downloaded. */
  readonly toxShownBytes: number
  /** Test results that one page reads, newest first, and all of them together. */
  readonly toxPageResults: number
  readonly toxPageBytes: number
  /** Files in a zip of documentation. Sphinx's own largest have some 20,000. */
  readonly documentationMembers: number
  /** One file of documentation, unpacked: it is streamed, and costs time only. */
  readonly documentationMemberBytes: number
  /** Files of all zips whose directories are kept in memory, at some 200 bytes each. */
  readonly documentationMembersKept: number
  /** Zips looked into for the latest documentation. */
  readonly documentationTries: number
  /** Pages of one project's documentation that are read for the search, so much of each, and the text kept of all. */
  readonly documentationPages: number
  readonly documentationPageBytes: number
  readonly documentationTextCharacters: number
  /** METADATA or PKG-INFO inside an archive. */
  readonly metadataBytes: number
  /** Members of an archive that are looked through. */
  readonly archiveMembers: number
  /** A project page from upstream. PyPI's largest is some 10 MB of JSON. */
  readonly upstreamPageBytes: number
  /** The list of all projects from upstream: some 40 MB today. */
  readonly upstreamListBytes: number
  /** One file fetched from upstream. */
  readonly upstreamFileBytes: number
  /** To a connection with upstream: a healthy one needs a tenth of this. */
  readonly connectMs: number
  /** To the first byte of upstream's answer (devpi's --request-timeout). */
  readonly upstreamAnswerMs: number
  /** A whole project page from upstream. */
  readonly upstreamPageMs: number
  /** Between two chunks of upstream's body. */
  readonly upstreamSilenceMs: number
  /** Over this window a body slower than `trickleBytesPerSecond` is given up. */
  readonly trickleWindowMs: number
  readonly trickleBytesPerSecond: number
  /**
   * A file that breaks off is asked for again from there: so often in a row while each time brings less than
   * `resumeProgressBytes`, so often in all; the first pause before it, doubled each time in a row.
   */
  readonly resumes: number
  readonly resumesInAll: number
  readonly resumeProgressBytes: number
  readonly resumePauseMs: number
  /** A download that its last reader left goes on for so long; then it is given up, unless more than half is here. */
  readonly unreadMs: number
  /** Uses of mirrored files are written down together, at least so often and so many at a time: what a crash can lose. */
  readonly usesFlushMs: number
  readonly usesWaiting: number
  /** Between two looks for mirrored files that are too old and for blobs that nothing names. */
  readonly sweepMs: number
  /** How long a request waits for upstream when an older page could be served instead. */
  readonly staleWaitMs: number
  /** A request for the list of all projects that is not here yet waits this long for it. */
  readonly listWaitMs: number
  /** Compressed lists of all projects kept in memory, of all mirrors together: the public index's take some 8 MiB each. */
  readonly readyListBytes: number
  /** First pause after upstream could not be reached, doubled up to the second. */
  readonly backoffFirstMs: number
  readonly backoffMostMs: number
  /** Upstream asks to wait (Retry-After): believed up to this; a longer wait would be an outage of ours. */
  readonly retryAfterMostMs: number
  /** Answers of 500 and above in a row after which upstream is taken to be gone: one page may be broken, not five. */
  readonly upstreamErrors: number
  /** "No such project" from upstream is believed this long. */
  readonly negativeMs: number
  /** Requests for files to one host at once, whichever mirrors they are of. */
  readonly upstreamConnections: number
  /** Requests for pages to one host at once, besides those: large files must not keep pages waiting. */
  readonly upstreamPageConnections: number
  /** Hosts whose state is remembered: a mirror usually has one or two. */
  readonly upstreamHosts: number
  /** Redirects followed for one upstream request. */
  readonly redirects: number
  /** Files of a pushed release that are fetched from a mirror's upstream at once. */
  readonly pushFetches: number
  /** Pushes to indexes elsewhere at once; one more is refused with 503. */
  readonly outwardPushes: number
  /** For an index elsewhere to take the next piece of a file, and to answer: registries look into what they got first. */
  readonly outwardAnswerMs: number
  /** Of what an index elsewhere says to a push so much is passed on. */
  readonly outwardAnswerBytes: number
  /** Bases of bases. */
  readonly basesDepth: number
  /** Password checks at once: each takes 19 MiB. */
  readonly passwordChecks: number
  /** Password checks waiting; one more is refused with 503. */
  readonly passwordQueue: number
  /** Names sorted in memory at a time while a project list is read. */
  readonly sortRunNames: number
  /** Read connections of the catalog. */
  readonly catalogReaders: number
  /** Hits of one search page. */
  readonly searchHits: number
  /** Characters of a search text that are looked at. */
  readonly searchText: number
  /** A README rendered to HTML; a longer one is shown as text. */
  readonly readmeBytes: number
  /** Time a connection may take to send its request head. */
  readonly requestHeadMs: number
  /** A login token's life: devpi's ten hours. */
  readonly tokenSeconds: number
  /** A stopping server waits this long for requests under way. */
  readonly drainMs: number
  /** A failed job is tried this often. */
  readonly jobAttempts: number
  /** A blob that no row names is kept this long: its row may be about to be written. */
  readonly blobGraceMs: number
  /** Largest chunk read from disk at once. */
  readonly readChunkBytes: number
}

export const LIMITS: Limits = Object.freeze({
  uploadBytes: 10 * GIB,
  refusedBytes: 10 * GIB,
  formFieldBytes: 8 * MIB,
  formFields: 2000,
  jsonBodyBytes: 4 * MIB,
  toxResultBytes: 32 * MIB,
  toxShownBytes: 8 * MIB,
  toxPageResults: 100,
  toxPageBytes: 16 * MIB,
  documentationMembers: 50_000,
  documentationMemberBytes: 1 * GIB,
  documentationMembersKept: 100_000,
  documentationTries: 50,
  documentationPages: 500,
  documentationPageBytes: 1 * MIB,
  documentationTextCharacters: 500_000,
  metadataBytes: 8 * MIB,
  archiveMembers: 200_000,
  upstreamPageBytes: 64 * MIB,
  upstreamListBytes: 512 * MIB,
  upstreamFileBytes: 20 * GIB,
  connectMs: 3000,
  upstreamAnswerMs: 5000,
  upstreamPageMs: 30_000,
  upstreamSilenceMs: 30_000,
  trickleWindowMs: 60_000,
  trickleBytesPerSecond: 1024,
  resumes: 3,
  resumesInAll: 100,
  resumeProgressBytes: 1 * MIB,
  resumePauseMs: 500,
  unreadMs: 60_000,
  usesFlushMs: 60_000,
  usesWaiting: 1000,
  sweepMs: 10 * 60 * 1000,
  staleWaitMs: 1000,
  listWaitMs: 60_000,
  readyListBytes: 16 * MIB,
  backoffFirstMs: 1000,
  backoffMostMs: 60_000,
  retryAfterMostMs: 5 * 60_000,
  upstreamErrors: 5,
  negativeMs: 60_000,
  upstreamConnections: 32,
  upstreamPageConnections: 16,
  upstreamHosts: 1000,
  redirects: 5,
  pushFetches: 4,
  outwardPushes: 8,
  outwardAnswerMs: 120_000,
  outwardAnswerBytes: 64 * KIB,
  basesDepth: 30,
  passwordChecks: 2,
  passwordQueue: 100,
  sortRunNames: 20_000,
  catalogReaders: 8,
  searchHits: 50,
  searchText: 200,
  readmeBytes: 2 * MIB,
  requestHeadMs: 30_000,
  tokenSeconds: 36_000,
  drainMs: 10_000,
  jobAttempts: 5,
  blobGraceMs: 24 * 3600 * 1000,
  readChunkBytes: 256 * KIB,
})

/** The limits with some of them changed: what settings and tests use. */
export function withLimits(changes: Partial<Limits>): Limits {
  return Object.freeze({ ...LIMITS, ...changes })
}
