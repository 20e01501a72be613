/** A scripted package index on a port of this machine: knows the whole Simple API 1.4, and every way of failing at it. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { type Digest, digestOf } from '../../src/lib/digest.ts'
import { bytesFile, type Content, type File, generatedFile } from '../builders/content.ts'
import { type Answer, type Behaviour, conditional, NOTHING, type Ranges, send, text } from '../world/answer.ts'
import { type Listener, listen } from '../world/listener.ts'
import { type FakeFile, type FakeProject, listPage, projectPage, wantsJson } from './fake-pages.ts'

export type { Behaviour } from '../world/answer.ts'

/** What the index can do; every switch may be turned while it runs. */
export interface FakeSettings {
  json: boolean
  html: boolean
  /** Answer 406 to an Accept header that cannot be met, instead of sending what there is. */
  strictAccept: boolean
  etags: boolean
  lastModified: boolean
  /** `X-PyPI-Last-Serial` and `meta._last-serial`. */
  serials: boolean
  /** Mark files as having metadata (PEP 714), where they have. */
  coreMetadata: boolean
  /** Serve the marked `.metadata` files. */
  metadataFiles: boolean
  hashes: boolean
  sizes: boolean
  uploadTimes: boolean
  /** `/simple/` answers 404 when off, as some indexes do. */
  projectList: boolean
  /** So many made-up names more in the project list: `generated-0000001` … */
  generatedNames: number
  ranges: Ranges
  /** Links in pages. A `separate` one leads to another port, as a file host of its own would. */
  links: 'absolute' | 'relative' | 'separate'
  apiVersion: string
  /** Ask for this user and password (HTTP Basic), files included unless they are on a separate host. */
  credentials: { readonly user: string; readonly password: string } | undefined
}

export interface AddFile {
  readonly filename: string
  readonly bytes: Uint8Array | string
  /** The content of `.metadata`. */
  readonly metadata?: string
  readonly requiresPython?: string
  readonly yanked?: true | string
  /** RFC 3339 with Z. */
  readonly uploadTime?: string
  /** The provenance object (PEP 740), served at `{file}.provenance`. */
  readonly provenance?: unknown
  /** What the page says, where it should differ from the truth. */
  readonly lies?: {
    readonly sha256?: string
    readonly sizeBytes?: number
    readonly metadataSha256?: string
    readonly url?: string
  }
}

export interface AddedFile {
  /** Path on this server: `/packages/aa/bb/rest/filename`. */
  readonly path: string
  readonly url: string
  readonly sha256: Digest
  readonly sizeBytes: number
}

export interface FakeRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** `index`, or `files` for the separate host. */
  readonly host: 'index' | 'files'
  /** Milliseconds since the server started. */
  readonly atMs: number
  readonly status: number | undefined
  /** Of the body, handed to the network. */
  readonly sentBytes: number
  /** `cut`: the connection ended before the answer did. */
  readonly state: 'open' | 'finished' | 'cut'
}

export interface FakeUpstream extends AsyncDisposable {
  /** Ends in `/simple/`. */
  readonly url: string
  /** Without a trailing slash. */
  readonly root: string
  readonly settings: FakeSettings
  /** A file joins `project`, or takes the place of the one with its filename. */
  add(project: string, file: AddFile): AddedFile
  /** A file of any size that costs no memory: its content depends on `seed` and size alone. Not a valid archive. */
  bigFile(project: string, filename: string, sizeBytes: number, seed?: string): Promise<AddedFile>
  /** A project without files. */
  addProject(project: string): void
  remove(project: string, filename?: string): void
  yank(project: string, filename: string, yanked: true | string | undefined): void
  /** PEP 792. */
  setStatus(project: string, status: string, reason?: string): void
  /**
   * From now on, requests for `path` go wrong in this way; `times` of them, or all. A path that ends in `*` stands for all
   * that begin so, `*` alone for every one. The newest rule that fits is taken.
   */
  misbehave(path: string, behaviour: Behaviour, options?: { readonly times?: number; readonly method?: string }): void
  /** Forgets the rules for `path`; without one, all rules. */
  behave(path?: string): void
  readonly requests: readonly FakeRequest[]
  /** Requests for `path` (with `*` as above) so far. */
  count(path: string, method?: string): number
  forgetRequests(): void
  /** Connections open now. */
  connections(): number
  /** Connections are refused until `resume()`. */
  pause(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

interface Rule {
  readonly path: string
  readonly behaviour: Behaviour
  readonly method: string | undefined
  left: number
}

const DEFAULTS: FakeSettings = {
  json: true,
  html: true,
  strictAccept: false,
  etags: true,
  lastModified: true,
  serials: true,
  coreMetadata: true,
  metadataFiles: true,
  hashes: true,
  sizes: true,
  uploadTimes: true,
  projectList: true,
  generatedNames: 0,
  ranges: true,
  links: 'absolute',
  apiVersion: '1.4',
  credentials: undefined,
}

/** Starts one with all standards on, no projects, and good manners. */
export async function startFakeUpstream(changes: Partial<FakeSettings> = {}): Promise<FakeUpstream> {
  const settings: FakeSettings = { ...DEFAULTS, ...changes }
  const projects = new Map<string, FakeProject>()
  const contents = new Map<
    string,
    { readonly content: Content; readonly type: string; readonly tag: string; when(): boolean }
  >()
  const requests: { -readonly [Key in keyof FakeRequest]: FakeRequest[Key] }[] = []
  const rules: Rule[] = []
  const started = performance.now()
  let serial = 1000

  const index = await listen((request, response) => answer('index', request, response))
  const files = await listen((request, response) => answer('files', request, response))

  async function answer(host: 'index' | 'files', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const path = request.url ?? '/'
    const atMs = performance.now() - started
    const entry: (typeof requests)[number] = {
      method,
      path,
      headers: request.headers,
      host,
      atMs,
      status: undefined,
      sentBytes: 0,
      state: 'open',
    }
    requests.push(entry)
    response.once('close', () => {
      entry.state = response.writableFinished ? 'finished' : 'cut'
      if (response.headersSent) entry.status = response.statusCode
    })
    request.resume()
    const honest = conditional(
      request,
      find(host, request, new URL(path, 'http://localhost').pathname),
      settings.ranges,
    )
    await send(request, response, honest, takeRule(method, path), (count) => {
      entry.sentBytes += count
    })
  }

  function find(host: 'index' | 'files', request: IncomingMessage, path: string): Answer {
    if (host === 'index' && !isAdmitted(request)) {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="fake"' }, content: text('Who are you\n') }
    }
    const file = contents.get(decodeURIComponent(path))
    if (file !== undefined) {
      if (!file.when()) return NOT_FOUND
      return {
        status: 200,
        headers: { 'content-type': file.type, ...validators(file.tag, FILES_CHANGED) },
        content: file.content,
      }
    }
    if (path === '/simple') return redirect('/simple/')
    if (path === '/simple/')
      return settings.projectList ? page(request, listPage(projects, settings, serial), serial) : NOT_FOUND
    const named = /^\/simple\/([^/]+)(\/?)$/.exec(path)
    if (named === null) return NOT_FOUND
    const project = projects.get(normal(decodeURIComponent(named[1]!)))
    if (project === undefined) return NOT_FOUND
    const proper = `/simple/${project.name}/`
    if (path !== proper) return redirect(proper)
    const filesAt = settings.links === 'relative' ? '../..' : settings.links === 'separate' ? files.url : index.url
    return page(request, projectPage(project, settings, filesAt), project.serial)
  }

  function page(request: IncomingMessage, both: { json(): Content; html(): Content }, pageSerial: number): Answer {
    const chosen = wantsJson(request.headers.accept, settings)
    if (chosen === undefined)
      return { status: 406, headers: { 'content-type': 'text/plain' }, content: text('Not acceptable\n') }
    const content = chosen.json ? both.json() : both.html()
    const tag = digestOf(`${pageSerial} ${chosen.type} ${JSON.stringify(settings)}`).slice(0, 32)
    const headers: Record<string, string> = {
      'content-type': chosen.type,
      vary: 'Accept',
      'cache-control': 'max-age=600, public',
      ...validators(tag, pageSerial),
    }
    if (settings.serials) headers['x-pypi-last-serial'] = String(pageSerial)
    return { status: 200, headers, content }
  }

  function validators(tag: string, changed: number): Record<string, string> {
    const headers: Record<string, string> = {}
    if (settings.etags) headers.etag = `"${tag}"`
    // A serial stands for a second: two changes never share one.
    if (settings.lastModified) headers['last-modified'] = new Date(1_700_000_000_000 + changed * 1000).toUTCString()
    return headers
  }

  function isAdmitted(request: IncomingMessage): boolean {
    if (settings.credentials === undefined) return true
    const { user, password } = settings.credentials
    return request.headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  }

  function takeRule(method: string, path: string): Behaviour | undefined {
    const rule = rules.findLast(
      (one) => fits(one.path, path) && (one.method === undefined || one.method === method) && one.left > 0,
    )
    if (rule === undefined) return undefined
    rule.left--
    return rule.behaviour
  }

  function changed(name: string): FakeProject {
    const key = normal(name)
    const project = projects.get(key) ?? { name: key, files: new Map(), serial, status: undefined }
    project.serial = ++serial
    projects.set(key, project)
    return project
  }

  function put(projectName: string, content: File, path: string, more: Omit<AddFile, 'bytes'>): AddedFile {
    const { filename, metadata, provenance, ...facts } = more
    const file: FakeFile = {
      ...facts,
      filename,
      path,
      sha256: content.sha256,
      sizeBytes: content.sizeBytes,
      uploadTime: more.uploadTime ?? '2024-05-06T07:08:09.123456Z',
      metadataSha256: metadata === undefined ? undefined : digestOf(metadata),
      hasProvenance: provenance !== undefined,
    }
    contents.set(path, { content, type: 'application/octet-stream', tag: content.sha256, when: () => true })
    if (metadata !== undefined) {
      const when = () => settings.metadataFiles
      contents.set(`${path}.metadata`, {
        content: text(metadata),
        type: 'application/octet-stream',
        tag: digestOf(metadata),
        when,
      })
    }
    if (provenance !== undefined) {
      const object = JSON.stringify(provenance)
      const type = 'application/vnd.pypi.integrity.v1+json'
      contents.set(`${path}.provenance`, { content: text(object), type, tag: digestOf(object), when: () => true })
    }
    changed(projectName).files.set(filename, file)
    const url = (settings.links === 'separate' ? files.url : index.url) + encodeURI(path)
    return { path, url, sha256: content.sha256, sizeBytes: content.sizeBytes }
  }

  return {
    url: `${index.url}/simple/`,
    root: index.url,
    settings,
    add(project, { bytes, ...file }) {
      const content = bytesFile(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
      return put(project, content, filePath(`${content.sha256}`, file.filename), file)
    },
    async bigFile(project, filename, sizeBytes, seed = filename) {
      const content = await generatedFile(sizeBytes, seed)
      return put(project, content, filePath(content.sha256, filename), { filename })
    },
    addProject(project) {
      changed(project)
    },
    remove(project, filename) {
      const gone = changed(project)
      for (const file of [...gone.files.values()].filter(
        (one) => filename === undefined || one.filename === filename,
      )) {
        for (const ending of ['', '.metadata', '.provenance']) contents.delete(file.path + ending)
        gone.files.delete(file.filename)
      }
      if (filename === undefined) projects.delete(gone.name)
    },
    yank(project, filename, yanked) {
      const file = projects.get(normal(project))?.files.get(filename)
      if (file === undefined) throw new RangeError(`Cannot yank "${filename}": "${project}" has no such file`)
      const { yanked: _, ...rest } = file
      changed(project).files.set(filename, yanked === undefined ? rest : { ...rest, yanked })
    },
    setStatus(project, status, reason) {
      changed(project).status = reason === undefined ? { status } : { status, reason }
    },
    misbehave(path, behaviour, options = {}) {
      rules.push({ path, behaviour, method: options.method, left: options.times ?? Number.POSITIVE_INFINITY })
    },
    behave(path) {
      for (let at = rules.length - 1; at >= 0; at--)
        if (path === undefined || rules[at]!.path === path) rules.splice(at, 1)
    },
    requests,
    count: (path, method) =>
      requests.filter((one) => fits(path, one.path) && (method === undefined || one.method === method)).length,
    forgetRequests() {
      requests.length = 0
    },
    connections: () => index.connections() + files.connections(),
    pause: () => both(index, files, 'pause'),
    resume: () => both(index, files, 'resume'),
    close: () => both(index, files, 'close'),
    [Symbol.asyncDispose]: () => both(index, files, 'close'),
  }
}

const NOT_FOUND: Answer = { status: 404, headers: { 'content-type': 'text/plain' }, content: text('404 Not Found\n') }
/** Files never change: all have the same date. */
const FILES_CHANGED = 0

function redirect(location: string): Answer {
  return { status: 301, headers: { location }, content: NOTHING }
}

async function both(index: Listener, files: Listener, verb: 'pause' | 'resume' | 'close'): Promise<void> {
  await Promise.all([index[verb](), files[verb]()])
}

function fits(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

function normal(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase()
}

/** A path like the public index's: its digits are a hash of the file, and not the one that pages tell. */
function filePath(sha256: string, filename: string): string {
  const digits = digestOf(`path of ${sha256} ${filename}`)
  return `/packages/${digits.slice(0, 2)}/${digits.slice(2, 4)}/${digits.slice(4)}/${filename}`
}
