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
  /** How many bytes of a refused upload are still read before closing: uploaders read the answer last. */
  readonly refusedBytes: number
  /** One text field of an upload form. PyPI's longest descriptions stay below 2 MiB. */
  readonly formFieldBytes: number
  readonly formFields: number
  /** Small forms (128 KiB at most) that are held whole at once; others are read as large ones are. */
  readonly smallForms: number
  /** Upload sessions (PEP 694) of one index, and files of one session: the largest releases have some 200. */
  readonly uploadSessions: number
  readonly uploadSessionFiles: number
  /** A session ends this long after it was opened or last extended, and at the latest this long after it was opened. */
  readonly uploadSessionMs: number
  readonly uploadSessionMostMs: number
  /** The attestations of one upload: PEP 740 has two kinds of statement, each some 12 KB; each costs 20 ms to verify. */
  readonly attestations: number
  readonly attestationBytes: number
  /** The size of a provenance object from upstream, and how many of its attestations are verified: it may gain bundles. */
  readonly provenanceBytes: number
  readonly provenanceAttestations: number
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
  /** RECORD inside a wheel: some 150 bytes for each of its files. */
  readonly recordBytes: number
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
  /** A wheel's end, which is read first: of six wheels in seven, directory and METADATA lie in it. */
  readonly rangedTailBytes: number
  /** A wheel whose METADATA takes more reads, or more bytes in all, is fetched whole. The largest directories have 2 MiB. */
  readonly rangedReads: number
  readonly rangedBytes: number
  /** How long a download continues without a reader; then it is ended, unless more than half of it is stored. */
  readonly unreadMs: number
  /** The interval and size of batches of uses of mirrored files: a crash can lose one batch. */
  readonly usesFlushMs: number
  readonly usesWaiting: number
  /** The pause between two sweeps for mirrored files that are too old and for blobs without a row. */
  readonly sweepMs: number
  /** How long a request waits for upstream when an older page could be served instead. */
  readonly staleWaitMs: number
  /** A request for the list of all projects that is not here yet waits this long for it. */
  readonly listWaitMs: number
  /** Compressed lists of all projects kept in memory, of all mirrors together: the public index's take some 8 MiB each. */
  readonly readyListBytes: number
  /** Compressed project pages kept in memory: one of 5,000 files takes some 300 KiB. */
  readonly encodedPageBytes: number
  /** The response cache: all cached responses together, and one of them: the page of 5,000 files is 2 MiB when it is not compressed. */
  readonly shelfBytes: number
  readonly shelfAnswerBytes: number
  /** How old the serial may be by which they are judged, and that answers name. On one machine it is always the last. */
  readonly serialAgeMs: number
  /**
   * Answers that stand ready and that the system sends from files, where it can: one of them, and all together. Smaller ones are
   * copied in the time that the call takes, larger ones find no room in a socket at once and cost the system more in pieces than a copy.
   */
  readonly readyFileLeastBytes: number
  readonly readyFileMostBytes: number
  readonly readyFilesBytes: number
  /** A list of projects that is put together in memory, and may stand ready: some 20,000 names. */
  readonly shelfListBytes: number
  /** Request heads that the response cache knows byte for byte: some 500 characters each. */
  readonly shelfHeadCharacters: number
  /** The longest life of a cached response that depends on an upstream: uses of its files are noted at least this often. */
  readonly shelfMirroredMs: number
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
  /** How much of another index's answer to a push is passed on. */
  readonly outwardAnswerBytes: number
  /** The length of a reason for a yank or a project's status: a sentence or two, which every page of the project carries. */
  readonly reasonCharacters: number
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
  /** API tokens of one user, and trusted publishers of one index: lists are answered whole. */
  readonly tokensPerUser: number
  readonly publishersPerIndex: number
  /** Indexes, projects or claims that one token or publisher names. */
  readonly scopeNames: number
  /** How old the recorded last use of a token may be. */
  readonly tokenUseMs: number
  /** The life of a token of Trusted Publishing: no less than PEP 807 asks for. */
  readonly mintedTokenSeconds: number
  /** An OIDC token as it is sent. Those of GitHub have some 1,500 characters. */
  readonly oidcTokenCharacters: number
  /** How far the clocks of an issuer and of this machine may differ. */
  readonly oidcLeewaySeconds: number
  /** OIDC tokens that were accepted and could be shown again: a build shows a few, and they end within minutes. */
  readonly oidcTokensUsed: number
  /** The discovery document of an OIDC issuer, and its keys: some 10 KiB. */
  readonly issuerBytes: number
  /** The time for the whole of such a request: uploaders wait five seconds. */
  readonly issuerAnswerMs: number
  /** How long an issuer's keys are cached. For an unknown key they are fetched again, no sooner than after `issuerRefetchMs`. */
  readonly issuerKeysMs: number
  readonly issuerRefetchMs: number
  /** The pause after an issuer could not be reached. */
  readonly issuerRetryMs: number
  /** Issuers whose keys are kept. */
  readonly issuersKept: number
  /** A vulnerability record of an OSV dump. The largest list every version of several packages: some 1 MiB. */
  readonly advisoryBytes: number
  /** Records of one dump: OSV has a million of all ecosystems; their directory takes 300 bytes each while it is read. */
  readonly advisoryMembers: number
  /** Questions of one request (`/v1/querybatch`): OSV's own bound. */
  readonly advisoryQueries: number
  /** Advisories of one answer, as with OSV; and of all answers to one request of several questions. */
  readonly advisoriesPerPage: number
  readonly advisoriesPerBatch: number
  /** Threads that serve: more would only wait for each other's writes, and each takes some 60 MiB. */
  readonly workers: number
  /** How long a worker waits for a quick answer of another: figures, or a mirror that is to be opened anew. */
  readonly workerAnswerMs: number
  /** The same for a list of all projects, which is fetched meanwhile; a request for it waits `listWaitMs`. */
  readonly workerListMs: number
  /** Questions of one worker to another that are not answered yet. */
  readonly workerQuestions: number
  /** A worker starts within this time, on a busy machine too. */
  readonly workerStartMs: number
  /** A stopping server waits this long for requests under way. */
  readonly drainMs: number
  /** A failed job is tried this often. */
  readonly jobAttempts: number
  /** A blob that no row names is kept this long: its row may be about to be written. */
  readonly blobGraceMs: number
  /** Largest chunk read from disk at once. */
  readonly readChunkBytes: number
  /**
   * A file goes to its client in pieces of this size: each costs a turn of its own, and from here on larger ones save little.
   * So many are in use at once, by all clients together; a client that gets none, or is slow, has small ones.
   */
  readonly sentPieceBytes: number
  readonly sentPieces: number
  /** A file of this size or less is sent at once, and may stand ready. One piece of it is what each further client of a large file takes. */
  readonly smallPieceBytes: number
}

export const LIMITS: Limits = Object.freeze({
  uploadBytes: 10 * GIB,
  refusedBytes: 10 * GIB,
  formFieldBytes: 8 * MIB,
  formFields: 2000,
  smallForms: 64,
  uploadSessions: 1000,
  uploadSessionFiles: 500,
  uploadSessionMs: 7 * 24 * 3600 * 1000,
  uploadSessionMostMs: 30 * 24 * 3600 * 1000,
  attestations: 8,
  attestationBytes: 512 * KIB,
  provenanceBytes: 2 * MIB,
  provenanceAttestations: 32,
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
  recordBytes: 32 * MIB,
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
  rangedTailBytes: 16 * KIB,
  rangedReads: 16,
  rangedBytes: 16 * MIB,
  unreadMs: 60_000,
  usesFlushMs: 60_000,
  usesWaiting: 1000,
  sweepMs: 10 * 60 * 1000,
  staleWaitMs: 1000,
  listWaitMs: 60_000,
  readyListBytes: 16 * MIB,
  encodedPageBytes: 8 * MIB,
  shelfBytes: 32 * MIB,
  shelfAnswerBytes: 4 * MIB,
  serialAgeMs: 1000,
  readyFileLeastBytes: 16 * KIB,
  readyFileMostBytes: 384 * KIB,
  readyFilesBytes: 8 * MIB,
  shelfListBytes: 1 * MIB,
  shelfHeadCharacters: 4 * MIB,
  shelfMirroredMs: 15_000,
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
  reasonCharacters: 500,
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
  tokensPerUser: 1000,
  publishersPerIndex: 1000,
  scopeNames: 1000,
  tokenUseMs: 60_000,
  mintedTokenSeconds: 900,
  oidcTokenCharacters: 16 * KIB,
  oidcLeewaySeconds: 30,
  oidcTokensUsed: 100_000,
  issuerBytes: 1 * MIB,
  issuerAnswerMs: 4000,
  issuerKeysMs: 10 * 60_000,
  issuerRefetchMs: 30_000,
  issuerRetryMs: 5000,
  issuersKept: 100,
  advisoryBytes: 16 * MIB,
  advisoryMembers: 2_000_000,
  advisoryQueries: 1000,
  advisoriesPerPage: 1000,
  advisoriesPerBatch: 10_000,
  workers: 64,
  workerAnswerMs: 5000,
  workerListMs: 10 * 60_000,
  workerQuestions: 1000,
  workerStartMs: 60_000,
  drainMs: 10_000,
  jobAttempts: 5,
  blobGraceMs: 24 * 3600 * 1000,
  readChunkBytes: 256 * KIB,
  sentPieceBytes: 1 * MIB,
  sentPieces: 16,
  smallPieceBytes: 64 * KIB,
})

/** The limits with some of them changed: what settings and tests use. */
export function withLimits(changes: Partial<Limits>): Limits {
  return Object.freeze({ ...LIMITS, ...changes })
}
