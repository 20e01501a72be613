/**
 * The Simple API's JSON (PEP 691), written as version 1.4 demands and read as real indexes write it.
 *
 * Nothing here is ever written as null: uv refuses a page where `size`, `upload-time`, `yanked` or `hashes` is.
 */
import type { TokenType } from '@streamparser/json'
import { parseBoundedJson } from '../lib/bounded-json.ts'
import {
  AddressRoom,
  checkApiVersion,
  lastComponent,
  readAddress,
  readHashes,
  readSize,
  readStamp,
  readStatus,
  readUploadTime,
} from './file-facts.ts'
import { asFilename, versionOf } from './filename.ts'
import { asProjectName, type ProjectName } from './name.ts'
import {
  API_VERSION,
  type DistributionFile,
  type ListedProject,
  type ListForm,
  type ProjectDetail,
  type ProjectStatus,
} from './simple.ts'

/** Lists are written in pieces of about this size: large enough for the socket, small enough to keep memory flat. */
const CHUNK_CHARACTERS = 64 * 1024
/** The largest page has some 300,000 values; standards have four levels. */
const PAGE_BOUNDS = { depth: 64, values: 4_000_000 }
/** Levels in a list of projects, and bytes of it from one project to the next: some 60. */
const LIST_DEPTH_MOST = 64
const PROJECT_BYTES_MOST = 1024 * 1024

/** One project's page. Its addresses are written as they are. */
export function detailToJson(detail: ProjectDetail): string {
  return JSON.stringify({
    meta: meta(detail.lastStamp),
    name: detail.name,
    versions: [...new Set(detail.versions)],
    files: detail.files.map((file) => ({
      filename: file.filename,
      url: file.url,
      hashes: file.hashes,
      size: file.size,
      'upload-time': file.uploadTime,
      'requires-python': file.requiresPython,
      // An empty reason would read as "not yanked" in JSON, where HTML's empty attribute means yanked.
      yanked: file.yanked === '' ? true : file.yanked,
      'core-metadata': file.coreMetadata,
      'gpg-sig': file.gpgSig,
      provenance: file.provenance,
    })),
    'project-status': detail.status,
  })
}

/**
 * Reads a project page that came from `pageUrl`; addresses become absolute. A file without usable name or address is left
 * out; other values that cannot be read count as not told. Throws `SyntaxError` for text that is no project page: no
 * JSON, another major API version, no `files`, no project name.
 */
export function detailFromJson(text: string, pageUrl: URL): ProjectDetail {
  const page = asRecord(parseJson(text))
  if (page === undefined) throw new SyntaxError('Cannot read project page: it is no JSON object')
  const pageMeta = asRecord(page.meta) ?? {}
  checkApiVersion(pageMeta['api-version'])
  if (!Array.isArray(page.files)) throw new SyntaxError('Cannot read project page: it has no list "files"')
  const name = readName(page.name) ?? nameOf(pageUrl)
  if (name === undefined) throw new SyntaxError('Cannot read project page: it has no valid "name"')
  const room = new AddressRoom()
  const files: DistributionFile[] = []
  for (const entry of page.files as unknown[]) {
    const file = readFile(entry, pageUrl)
    if (file === undefined) continue
    room.take(file)
    files.push(file)
  }
  const lastStamp = readStamp(pageMeta['_last-serial'])
  const status = readProjectStatus(page, pageMeta)
  return {
    name,
    files,
    versions: readVersions(page.versions) ?? versionsOf(files, name),
    ...(status && { status }),
    ...(lastStamp !== undefined && { lastStamp }),
  }
}

/** The list of all projects. */
export const JSON_LIST: ListForm = {
  head: jsonListHead(undefined),
  separator: ',',
  tail: ']}',
  entry: (name, lastStamp) => JSON.stringify({ name, '_last-serial': lastStamp }),
}

/** What stands before the names; with the greatest change number of all where it is known. */
export function jsonListHead(lastStamp: number | undefined): string {
  return `{"meta":${JSON.stringify(meta(lastStamp))},"projects":[`
}

/** The list of all projects from batches of names, in chunks. */
export async function* listToJson(
  batches: AsyncIterable<readonly (string | ListedProject)[]>,
  lastStamp?: number,
): AsyncGenerator<Buffer> {
  let text = jsonListHead(lastStamp)
  let separator = ''
  for await (const batch of batches) {
    for (const listed of batch) {
      const { name, lastStamp } = typeof listed === 'string' ? { name: listed } : listed
      text += separator + JSON_LIST.entry(name, lastStamp)
      separator = ','
    }
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text)
      text = ''
    }
  }
  yield Buffer.from(`${text}]}`)
}

/**
 * The projects in a list, names normalized, as they are read, in the order of the list; memory stays flat. What is no
 * project name is left out. Throws `SyntaxError`, perhaps after many names, when the list breaks off, is no JSON or has no `projects`:
 * names seen until then must not be taken for the whole list.
 */
export async function* projectsFromJson(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<ListedProject & { readonly name: ProjectName }> {
  let found: (ListedProject & { readonly name: ProjectName })[] = []
  let failure: Error | undefined
  // Loaded with the first list from elsewhere.
  const { JSONParser, TokenType } = await import('@streamparser/json')
  const list = new ListWatch(TokenType)
  const parser = new JSONParser({ paths: ['$.meta.*', '$.projects.*'], keepStack: false })
  parser.onToken = ({ token, value }) => {
    list.see(token, value)
    // The parser takes it for an error of the text, and reads no further.
    if (list.depth > LIST_DEPTH_MOST) throw new Error(`it is nested deeper than ${LIST_DEPTH_MOST} levels`)
  }
  parser.onError = (error) => {
    failure ??= error
  }
  parser.onValue = ({ value, key, stack }) => {
    if (stack[1]?.key === 'meta') {
      if (key === 'api-version') checkApiVersion(value)
      return
    }
    const project = asRecord(value)
    const name = readName(project?.name)
    const lastStamp = readStamp(project?.['_last-serial'])
    if (name !== undefined) found.push(lastStamp === undefined ? { name } : { name, lastStamp })
  }
  const check = (): void => {
    if (failure !== undefined) throw new SyntaxError(`Cannot read project list: ${failure.message}`, { cause: failure })
  }
  let bytesSinceProject = 0
  for await (const chunk of source) {
    parser.write(chunk)
    check()
    bytesSinceProject = found.length > 0 ? 0 : bytesSinceProject + chunk.length
    if (list.found && bytesSinceProject > PROJECT_BYTES_MOST) {
      throw new SyntaxError(`Cannot read project list: it has ${PROJECT_BYTES_MOST} bytes without a project`)
    }
    yield* found
    found = []
  }
  if (!parser.isEnded) parser.end()
  check()
  if (!parser.isEnded) throw new SyntaxError('Cannot read project list: the JSON breaks off before its end')
  if (!list.found) throw new SyntaxError('Cannot read project list: it has no list "projects"')
}

/** Watches for the top-level key "projects" with a list, which may be empty, and how deep the text is nested. */
class ListWatch {
  found = false
  depth = 0
  private lastString: unknown
  private readonly tokens: typeof TokenType

  constructor(tokens: typeof TokenType) {
    this.tokens = tokens
  }

  see(token: TokenType, value: unknown): void {
    const { STRING, LEFT_BRACKET, LEFT_BRACE, RIGHT_BRACE, RIGHT_BRACKET } = this.tokens
    if (token === STRING) this.lastString = value
    else if (!this.found && token === LEFT_BRACKET && this.depth === 1 && this.lastString === 'projects')
      this.found = true
    if (token === LEFT_BRACE || token === LEFT_BRACKET) this.depth++
    else if (token === RIGHT_BRACE || token === RIGHT_BRACKET) this.depth--
  }
}

function parseJson(text: string): unknown {
  try {
    return parseBoundedJson(text, PAGE_BOUNDS)
  } catch (error) {
    throw new SyntaxError('Cannot read project page: it is no JSON, or breaks off', { cause: error })
  }
}

function meta(lastStamp: number | undefined): Record<string, unknown> {
  return { 'api-version': API_VERSION, '_last-serial': lastStamp }
}

function readFile(value: unknown, pageUrl: URL): DistributionFile | undefined {
  const entry = asRecord(value)
  if (typeof entry?.filename !== 'string' || typeof entry.url !== 'string') return undefined
  const filename = asFilename(entry.filename)
  const address = readAddress(entry.url, pageUrl)
  if (filename === undefined || address === undefined) return undefined
  const size = readSize(entry.size)
  const uploadTime = readUploadTime(entry['upload-time'])
  const coreMetadata = readCoreMetadata(entry)
  const provenance =
    typeof entry.provenance === 'string' && entry.provenance !== '' && readAddress(entry.provenance, pageUrl)
  const hashes = readHashes(entry.hashes)
  return {
    filename,
    url: address.url,
    hashes: Object.keys(hashes).length > 0 ? hashes : address.hashes,
    ...(size !== undefined && { size }),
    ...(uploadTime !== undefined && { uploadTime }),
    ...(typeof entry['requires-python'] === 'string' &&
      entry['requires-python'] !== '' && { requiresPython: entry['requires-python'] }),
    ...((entry.yanked === true || (typeof entry.yanked === 'string' && entry.yanked !== '')) && {
      yanked: entry.yanked,
    }),
    ...(coreMetadata !== undefined && { coreMetadata }),
    ...(typeof entry['gpg-sig'] === 'boolean' && { gpgSig: entry['gpg-sig'] }),
    ...(provenance && { provenance: provenance.url }),
  }
}

/** PEP 714's key first, then the one it replaced, then the public index's own spelling of that. */
function readCoreMetadata(entry: Record<string, unknown>): DistributionFile['coreMetadata'] {
  const value = entry['core-metadata'] ?? entry['dist-info-metadata'] ?? entry['data-dist-info-metadata']
  if (value === true) return true
  if (asRecord(value) === undefined) return undefined
  const hashes = readHashes(value)
  return Object.keys(hashes).length > 0 ? hashes : true
}

/** The top-level object that the standard's text and the public index use, or the flat keys of its example. */
function readProjectStatus(
  page: Record<string, unknown>,
  pageMeta: Record<string, unknown>,
): ProjectStatus | undefined {
  const holder = asRecord(page['project-status'])
  const status = readStatus(holder?.status ?? page['project-status'] ?? pageMeta['project-status'])
  const reason = holder?.reason ?? page['project-status-reason'] ?? pageMeta['project-status-reason']
  if (status === undefined) return undefined
  return { status, ...(typeof reason === 'string' && reason !== '' && { reason }) }
}

function readVersions(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return [...new Set(value.filter((version) => typeof version === 'string' && version !== ''))]
}

/** API 1.0 tells no versions; the filenames do (PEP 700). */
function versionsOf(files: readonly DistributionFile[], name: ProjectName): readonly string[] {
  return [...new Set(files.map((file) => versionOf(file.filename, name)).filter((version) => version !== undefined))]
}

function readName(value: unknown): ProjectName | undefined {
  return typeof value === 'string' ? asProjectName(value) : undefined
}

function nameOf(pageUrl: URL): ProjectName | undefined {
  return asProjectName(lastComponent(pageUrl.href.replace(/\/?(?:[?#].*)?$/, '')) ?? '')
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
